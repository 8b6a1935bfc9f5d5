import type { OutgoingRecord } from '../../src/core/record.js';
import { getOrInsert } from '../../src/util/maps.js';
import type { OutgoingBatch } from './protocol/produce.js';
import type { ProducerStamp } from './protocol/record-batch.js';
import { BatchEncoder, recordSizeMax } from './protocol/record-batch-encode.js';
import { tooLarge } from './record-limit.js';
import type { Compression } from './topic-options.js';

/** Below the broker's default for `message.max.bytes` (1 MiB). */
const BATCH_BYTES_MAX = 1_000_000;

/** Sequence numbers wrap around here. */
const SEQUENCES = 2 ** 31;

interface PartitionBuffer {
  readonly topic: string;
  readonly partition: number;
  readonly encoder: BatchEncoder;
  sequence: number;
}

/**
 * Collects records by partition and seals them into batches of up to 1 MB; a larger record gets its own batch.
 *
 * Memory: one encoder per partition, each as large as its largest batch, and the sealed batches until they are taken.
 */
export class RecordAccumulator {
  private readonly buffers = new Map<string, PartitionBuffer[]>();
  private readonly compressions = new Map<string, Compression>();
  private readonly limits = new Map<string, number>();
  private sealed: OutgoingBatch[] = [];

  /** `identity` returns the producer's identity when a batch is sealed. */
  constructor(
    private readonly identity: () => Omit<ProducerStamp, 'sequence'>,
    private readonly compression: Compression = 'none',
  ) {}

  /** Sets the compression of a topic's batches from now on. */
  compress(topic: string, compression: Compression): void {
    this.compressions.set(topic, compression);
  }

  /** Keeps the batches of a topic within what it takes, its `max.message.bytes`. */
  limit(topic: string, bytesMax: number): void {
    this.limits.set(topic, bytesMax);
  }

  /** Why a topic does not take a record; `undefined` if it does, or its limit is unknown. */
  refusal(topic: string, record: OutgoingRecord): string | undefined {
    const bytesMax = this.limits.get(topic);
    return bytesMax === undefined ? undefined : tooLarge(topic, record, bytesMax, this.compressionOf(topic));
  }

  add(topic: string, partition: number, record: OutgoingRecord): void {
    const buffers = getOrInsert(this.buffers, topic, () => []);
    const buffer = buffers[partition] ?? { topic, partition, encoder: new BatchEncoder(), sequence: 0 };
    buffers[partition] = buffer;
    const bytesMax = Math.min(BATCH_BYTES_MAX, this.limits.get(topic) ?? BATCH_BYTES_MAX);
    if (buffer.encoder.records > 0 && buffer.encoder.bytes + recordSizeMax(record) > bytesMax) this.seal(buffer);
    buffer.encoder.add(record);
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
    for (const buffers of this.buffers.values()) {
      for (const buffer of buffers) if (buffer && buffer.encoder.records > 0) this.seal(buffer);
    }
    return this.takeSealed();
  }

  /** Sequence numbers start at 0 again, with a new epoch of the producer. */
  restart(): void {
    for (const buffers of this.buffers.values()) {
      for (const buffer of buffers) if (buffer) buffer.sequence = 0;
    }
  }

  private seal(buffer: PartitionBuffer): void {
    const { topic, partition, encoder, sequence } = buffer;
    buffer.sequence = (sequence + encoder.records) % SEQUENCES;
    const bytes = encoder.finish({ ...this.identity(), sequence }, this.compressionOf(topic));
    this.sealed.push({ topic, partition, bytes });
  }

  private compressionOf(topic: string): Compression {
    return this.compressions.get(topic) ?? this.compression;
  }
}

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
