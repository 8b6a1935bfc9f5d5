import { MillraceError, messageOf } from '../core/errors.js';
import type { TopicProducer } from '../core/profile.js';
import type { OutgoingRecord } from '../core/record.js';
import type { Codec } from '../core/schema.js';
import type { NumberedValue } from './ndjson.js';

export interface ProduceOptions {
  readonly topic: string;
  readonly partitions: number;
  /** Of the topic; see `TopicProducer.createTopic`. */
  readonly configs?: Readonly<Record<string, string>>;
  readonly codec: Codec<unknown>;
  /** Field that becomes the record's key; equal keys lie in one partition. */
  readonly keyField: string | undefined;
  /** Field that holds the record's time, in milliseconds or ISO 8601; `nowMs` otherwise. */
  readonly timeField: string | undefined;
  readonly nowMs: number;
}

const BATCH = 1_000;

/**
 * Encodes values and appends them to a topic, creating it where it is missing. Returns how many there were.
 *
 * @throws MillraceError `schema` or `config` with the line that does not fit; what stood before it in full batches of
 * 1,000 has been written.
 */
export async function produce(
  producer: TopicProducer,
  values: AsyncIterable<NumberedValue>,
  options: ProduceOptions,
): Promise<number> {
  await producer.createTopic(options.topic, options.partitions, options.configs);
  let batch: OutgoingRecord[] = [];
  let sent = 0;
  const send = async () => {
    await producer.send(options.topic, batch);
    sent += batch.length;
    batch = [];
  };
  for await (const value of values) {
    batch.push(recordOf(value, options));
    if (batch.length === BATCH) await send();
  }
  if (batch.length > 0) await send();
  return sent;
}

function recordOf(
  { line, value }: NumberedValue,
  { codec, keyField, timeField, nowMs }: ProduceOptions,
): OutgoingRecord {
  try {
    return {
      key: keyField === undefined ? null : Buffer.from(String(fieldOf(value, keyField))),
      value: codec.encode(value),
      timestampMs: timeField === undefined ? nowMs : timeOf(fieldOf(value, timeField), timeField),
    };
  } catch (cause) {
    const hint = cause instanceof MillraceError ? cause.hint : undefined;
    const where = `line ${line}`;
    throw new MillraceError('schema', messageOf(cause), hint === undefined ? { where, cause } : { where, hint, cause });
  }
}

function fieldOf(value: unknown, field: string): unknown {
  const found = (value as Record<string, unknown> | null)?.[field];
  if (found === undefined || found === null) {
    throw new MillraceError('schema', `no field "${field}"`, { hint: 'every line needs this field' });
  }
  return found;
}

function timeOf(value: unknown, field: string): number {
  const timeMs = typeof value === 'number' ? value : Date.parse(String(value));
  if (Number.isFinite(timeMs)) return timeMs;
  throw new MillraceError('schema', `"${field}" is not a time: ${JSON.stringify(value)}`, {
    hint: 'milliseconds since 1970, or ISO 8601',
  });
}
