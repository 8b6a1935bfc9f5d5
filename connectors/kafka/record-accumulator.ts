import { MillraceError } from '../../src/core/errors.js';
import type { OutgoingBatch } from './protocol/produce.js';
import type { ProducerStamp } from './protocol/record-batch.js';
import { BatchEncoder, type RecordToEncode, recordSizeMax } from './protocol/record-batch-encode.js';
import { tooLarge } from './record-limit.js';
import type { Compression } from './topic-options.js';

/** Below the broker's default for `message.max.bytes` (1 MiB). */
const BATCH_BYTES_MAX = 1_000_000;

/** Sequence numbers wrap around here. */
const SEQUENCES = 2 ** 31;

interface PartitionBuffer {
  readonly partition: number;
  readonly encoder: BatchEncoder;
  sequence: number;
}

/** A topic's settings, and what is collected for its partitions. */
interface TopicBuffers {
  readonly topic: string;
  compression: Compression;
  /** What it takes, if that is known. */
  limit: number;
  readonly partitions: (PartitionBuffer | undefined)[];
}

/**
 * Collects records by partition and seals them into batches of up to 1 MB; a larger record gets its own batch.
 *
 * Memory: one encoder per partition, each as large as its largest batch, and the sealed batches until they are taken.
 */
export class RecordAccumulator {
  private readonly topics = new Map<string, TopicBuffers>();
  private last: TopicBuffers | undefined;
  private sealed: OutgoingBatch[] = [];

  /** `identity` returns the producer's identity when a batch is sealed. */
  constructor(
    private readonly identity: () => Omit<ProducerStamp, 'sequence'>,
    private readonly compression: Compression = 'none',
  ) {}

  /** Sets the compression of a topic's batches from now on. */
  compress(topic: string, compression: Compression): void {
    this.of(topic).compression = compression;
  }

  /** Keeps the batches of a topic within what it takes, its `max.message.bytes`. */
  limit(topic: string, bytesMax: number): void {
    this.of(topic).limit = bytesMax;
  }

  /** Why a topic does not take a record; `undefined` if it does, or its limit is unknown. */
  refusal(topic: string, record: RecordToEncode): string | undefined {
    const { limit, compression } = this.of(topic);
    return tooLarge(topic, record, limit, compression);
  }

  add(topic: string, partition: number, record: RecordToEncode): void {
    const buffers = this.of(topic);
    let buffer = buffers.partitions[partition];
    if (buffer === undefined) {
      // An array takes any key, and a record under such a one would never be sent.
      if (!Number.isInteger(partition)) throw noPartition(topic, partition);
      buffer = { partition, encoder: new BatchEncoder(), sequence: 0 };
      buffers.partitions[partition] = buffer;
    }
    const { encoder } = buffer;
    const bytesMax = Math.min(BATCH_BYTES_MAX, buffers.limit);
    if (encoder.records > 0 && encoder.bytes + recordSizeMax(record) > bytesMax) this.seal(buffers, buffer);
    encoder.add(record);
  }

  /** Whether full batches wait to be taken. */
  get hasSealed(): boolean {
    return this.sealed.length > 0;
  }

  /** Takes the sealed batches, in the order of their sequence numbers. */
  takeSealed(): OutgoingBatch[] {
    const { sealed } = this;
    this.sealed = [];
    return sealed;
  }

  /** Seals all batches, however small, and takes them. */
  takeAll(): OutgoingBatch[] {
    for (const topic of this.topics.values()) {
      for (const buffer of topic.partitions) if (buffer && buffer.encoder.records > 0) this.seal(topic, buffer);
    }
    return this.takeSealed();
  }

  /** Sequence numbers start at 0 again, with a new epoch of the producer. */
  restart(): void {
    for (const { partitions } of this.topics.values()) {
      for (const buffer of partitions) if (buffer) buffer.sequence = 0;
    }
  }

  private seal({ topic, compression }: TopicBuffers, buffer: PartitionBuffer): void {
    const { partition, encoder, sequence } = buffer;
    buffer.sequence = (sequence + encoder.records) % SEQUENCES;
    const bytes = encoder.finish({ ...this.identity(), sequence }, compression);
    this.sealed.push({ topic, partition, bytes });
  }

  private of(topic: string): TopicBuffers {
    // Sinks write chunk by chunk, so it is nearly always that of the record before.
    if (this.last?.topic === topic) return this.last;
    let found = this.topics.get(topic);
    if (found === undefined) {
      found = { topic, compression: this.compression, limit: Number.POSITIVE_INFINITY, partitions: [] };
      this.topics.set(topic, found);
    }
    this.last = found;
    return found;
  }
}

const noPartition = (topic: string, partition: number): MillraceError =>
  new MillraceError('sink', `topic '${topic}' has no partition ${partition}`, {
    where: topic,
    hint: 'partitions are whole numbers from 0; a topic without partitions has none for a record',
  });

/**
 * Splits batches into requests, in order: at most one batch per partition in each, and at most `bytesMax` bytes unless one batch is
 * larger.
 */
export function wavesOf(batches: readonly OutgoingBatch[], bytesMax: number): OutgoingBatch[][] {
  const waves: { bytes: number; readonly batches: OutgoingBatch[] }[] = [];
  const nextWave = new Map<string, number>();
  for (const batch of batches) {
    const buffer = `${batch.partition}/${batch.topic}`;
    let at = nextWave.get(buffer) ?? 0;
    while ((waves[at]?.bytes ?? 0) > 0 && (waves[at]?.bytes ?? 0) + batch.bytes.length > bytesMax) at += 1;
    const wave = waves[at] ?? { bytes: 0, batches: [] };
    waves[at] = wave;
    wave.bytes += batch.bytes.length;
    wave.batches.push(batch);
    nextWave.set(buffer, at + 1);
  }
  return waves.map((wave) => wave.batches);
}
