import type { Duration } from './duration.js';
import type { WatermarkMarker } from './event-clock.js';
import { partitionOf } from './partition.js';
import { headerPicker, type PassedHeaders } from './passed-headers.js';
import type { Headers, OutgoingRecord, RawRecord } from './record.js';
import type { Codec, Schema } from './schema.js';
import { encodingWriter, keyEncoder, type SinkWriter } from './sink.js';

// The content of topics between two sub-topologies, in any log.

/**
 * The connector name of the topics between sub-topologies. A profile that runs topologies with sub-topologies has a source driver
 * and a sink driver for it; the sink writes in the ledger's transaction.
 */
export const INTERNAL = 'internal';

/** Options of a sink that passes values to the next sub-topology. */
export interface InternalSinkOptions {
  readonly topic: string;
  readonly schema: Schema<unknown>;
  /** The new key, as UTF-8. It decides the partition. */
  readonly key: (value: unknown) => string;
  /** Partitions of the topic if it does not exist yet. */
  readonly partitions: number | undefined;
  /** How long a task may have nothing to read before its marker says that it is idle; never if missing. */
  readonly idleTimeout: Duration | undefined;
  /** Headers that are passed on to the next sub-topology; none if missing. */
  readonly headers?: PassedHeaders | undefined;
}

const MARK = 'millrace.mark';
const EVENT_TIME = 'millrace.event-time';

/**
 * The time of a record whose own is in a header, or that has none. A log may refuse times ahead of its clock, and the clock here may be
 * wrong.
 */
const NO_TIME_MS = 0;

/**
 * A value on its way to the next sub-topology. Logs store whole milliseconds, and some refuse times ahead of their clock. An event
 * time that is fractional or after `nowMs` therefore goes into a header.
 */
export function internalRecord(
  key: Uint8Array,
  value: Uint8Array,
  eventTimeMs: number,
  nowMs: number,
  headers?: Headers,
): OutgoingRecord {
  if (Number.isInteger(eventTimeMs) && eventTimeMs >= 0 && eventTimeMs <= nowMs) {
    return { key, value, timestampMs: eventTimeMs, headers };
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, eventTimeMs);
  return { key, value, timestampMs: NO_TIME_MS, headers: [[EVENT_TIME, bytes], ...(headers ?? [])] };
}

/** The exact event time with which a value was written. */
export function internalEventTime({ timestampMs, headers }: Pick<RawRecord, 'timestampMs' | 'headers'>): number {
  const bytes = headerOf(headers, EVENT_TIME);
  return bytes === undefined ? timestampMs : new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat64(0);
}

export function markRecord({ task, tasks, watermarkMs, idle }: WatermarkMarker): OutgoingRecord {
  const bytes = new TextEncoder().encode(JSON.stringify([task, tasks, watermarkMs, idle ? 1 : 0]));
  return { key: null, value: null, timestampMs: NO_TIME_MS, headers: [[MARK, bytes]] };
}

/** The watermark marker that a record holds; `undefined` for values. */
export function markerOf({ value, headers }: Pick<RawRecord, 'value' | 'headers'>): WatermarkMarker | undefined {
  if (value !== null || headers === undefined) return undefined;
  const bytes = headerOf(headers, MARK);
  if (bytes === undefined) return undefined;
  const [task, tasks, watermarkMs, idle] = JSON.parse(new TextDecoder().decode(bytes)) as [
    number,
    number,
    number,
    number,
  ];
  return { task, tasks, watermarkMs, idle: idle === 1 };
}

const headerOf = (headers: Headers | undefined, name: string): Uint8Array | undefined =>
  headers?.find(([each]) => each === name)?.[1];

export interface InternalWriterParts {
  readonly options: InternalSinkOptions;
  readonly codec: Codec<unknown>;
  /** The partitions of the topic. */
  readonly partitions: number;
  readonly now: () => number;
  append(partition: number, record: OutgoingRecord): void;
  /** Why the topic does not take a record; if missing, it takes all. */
  refusal?(record: OutgoingRecord): string | undefined;
  /** Backpressure of the log, asked for after each write. */
  settle?(): Promise<void> | undefined;
}

/**
 * The writer of values and watermark markers, common to all logs; a driver only defines how a record is appended. Records of one
 * task must be read in the order in which they were appended.
 */
export function internalWriter(
  parts: InternalWriterParts,
): Pick<SinkWriter, 'write' | 'unrepresentable' | 'writeMarker'> {
  const { options, codec, partitions, now, append, refusal, settle } = parts;
  const passed = headerPicker(options.headers);
  const keyBytes = keyEncoder();
  return {
    ...encodingWriter({
      encode(value, origin) {
        const key = keyBytes(options.key(value));
        const record = internalRecord(key, codec.encode(value), origin.eventTimeMs, now(), passed(origin));
        return { partition: partitionOf(key, partitions), record };
      },
      refusal: ({ record }) => refusal?.(record),
      append(encoded) {
        for (const { partition, record } of encoded) append(partition, record);
        return settle?.();
      },
    }),
    writeMarker(marker) {
      const record = markRecord(marker);
      for (let partition = 0; partition < partitions; partition++) append(partition, record);
    },
  };
}
