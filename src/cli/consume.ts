import { EARLIEST, type Profile, type Source } from '../core/io.js';
import type { RawRecord } from '../core/record.js';
import type { WireCodec } from '../schema/index.js';

export interface ConsumedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
  readonly key: string | null;
  /** The decoded value; its bytes as text where no schema fits (`undecoded`). */
  readonly value: unknown;
  readonly undecoded?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What a topic holds now, partition by partition in the order of offsets, without joining anything or moving any
 * position. A value that does not decode is shown as text: this is for looking at dead letters too.
 */
export async function* consume(
  profile: Pick<Profile, 'sources'>,
  source: Source<unknown>,
  codec: WireCodec<unknown>,
): AsyncGenerator<ConsumedRecord> {
  const driver = profile.sources[source.connector];
  if (driver === undefined) return;
  const partitions = await driver.partitions(source);
  for (let partition = 0; partition < partitions; partition++) {
    const reader = await driver.open(source, { topology: 'consume', partition }, EARLIEST, true, 'consume');
    try {
      for (let ended = false; !ended; ) {
        const polled = await reader.poll(1_000);
        await codec.prepare(polled.records);
        for (const record of polled.records) yield shown(record, partition, codec);
        ended = polled.ended;
      }
    } finally {
      await reader.close();
    }
  }
}

function shown(record: RawRecord, partition: number, codec: WireCodec<unknown>): ConsumedRecord {
  const { offset, timestampMs, headers } = record;
  const base = {
    partition,
    offset,
    timestamp: new Date(timestampMs).toISOString(),
    key: record.key === null ? null : Buffer.from(record.key).toString(),
    ...decoded(record, codec),
  };
  if (headers === undefined || headers.length === 0) return base;
  return {
    ...base,
    headers: Object.fromEntries(headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString()])),
  };
}

function decoded({ value }: RawRecord, codec: WireCodec<unknown>): { value: unknown; undecoded?: true } {
  if (value === null) return { value: null };
  try {
    return { value: codec.decode(value) };
  } catch {
    return { value: Buffer.from(value).toString(), undecoded: true }; // the reader sees what is there
  }
}
