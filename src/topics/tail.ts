import type { RawRecord } from '../core/record.js';
import type { WireDecoder } from '../schema/index.js';
import { isoTime } from '../util/iso-time.js';
import type { PlacedRecord } from './read-topic.js';

export interface ShownRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
  readonly key: string | null;
  /** The decoded value; its bytes as text where no schema fits (`undecoded`). */
  readonly value: unknown;
  readonly undecoded?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A record as a person reads it. A value that does not decode is shown as text: this is for dead letters too. */
export async function shown({ partition, record }: PlacedRecord, codec: WireDecoder<unknown>): Promise<ShownRecord> {
  await codec.prepare([record]);
  const { offset, timestampMs, headers } = record;
  const base = {
    partition,
    offset,
    timestamp: isoTime(timestampMs),
    key: record.key === null ? null : Buffer.from(record.key).toString(),
    ...decoded(record, codec),
  };
  if (headers === undefined || headers.length === 0) return base;
  return {
    ...base,
    headers: Object.fromEntries(headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString()])),
  };
}

function decoded({ value }: RawRecord, codec: WireDecoder<unknown>): { value: unknown; undecoded?: true } {
  if (value === null) return { value: null };
  try {
    return { value: codec.decode(value) };
  } catch {
    return { value: Buffer.from(value).toString(), undecoded: true }; // the reader sees what is there
  }
}
