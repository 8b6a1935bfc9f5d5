import { MillraceError, messageOf } from '../core/errors.js';
import type { TopicProducer } from '../core/profile.js';
import type { OutgoingRecord } from '../core/record.js';
import type { Codec } from '../core/schema.js';
import type { NumberedValue } from './ndjson.js';

export interface ProduceOptions {
  readonly topic: string;
  /** Of a topic that is missing, 1 by default; one that is there must have as many, if it is given. */
  readonly partitions?: number | undefined;
  /** Of the topic; see `TopicProducer.createTopic`. */
  readonly configs?: Readonly<Record<string, string>>;
  readonly codec: Codec<unknown>;
  /** Whether the codec is plain JSON, so that each text is written as it was read. Encoded again, integers from 2^53 on are rounded. */
  readonly asRead?: boolean;
  /** The names of the schema's fields, if its format leaves others out. */
  readonly fields?: readonly string[];
  /** Field that becomes the record's key; equal keys lie in one partition. */
  readonly keyField: string | undefined;
  /** Field that holds the record's time, in milliseconds or ISO 8601; `nowMs` otherwise. */
  readonly timeField: string | undefined;
  readonly nowMs: number;
}

const BATCH = 1_000;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Characters of a value in a message. */
const SHOWN = 100;

/**
 * Encodes values and appends them to a topic, creating it where it is missing. Returns how many there were.
 *
 * @throws MillraceError `schema` or `config` with the line that does not fit, whose key is an object or a rounded number, or that spells
 * a field otherwise than the schema (`visit_id` for `visitId`), which a codec would leave out. What stood before it in full batches of
 * 1,000 has been written.
 */
export async function produce(
  producer: TopicProducer,
  values: AsyncIterable<NumberedValue>,
  options: ProduceOptions,
): Promise<number> {
  const mustBeNamed = nameCheck(options.fields ?? []);
  await producer.createTopic(options.topic, options.partitions, options.configs);
  let batch: OutgoingRecord[] = [];
  let sent = 0;
  const send = async () => {
    await producer.send(options.topic, batch);
    sent += batch.length;
    batch = [];
  };
  try {
    for await (const value of values) {
      batch.push(recordOf(value, options, mustBeNamed));
      if (batch.length === BATCH) await send();
    }
    if (batch.length > 0) await send();
    return sent;
  } catch (cause) {
    throw sent > 0 && cause instanceof MillraceError ? afterWritten(cause, sent) : cause;
  }
}

/** An error in the middle: whoever mends the input must know where to go on. */
const afterWritten = ({ code, message, where, hint, permanent, cause }: MillraceError, sent: number): MillraceError =>
  new MillraceError(code, `${message} (${sent} records before it are written)`, {
    ...(where !== undefined && { where }),
    ...(hint !== undefined && { hint }),
    permanent,
    cause,
  });

function recordOf(
  { line, text, value }: NumberedValue,
  { codec, asRead = false, keyField, timeField, nowMs }: ProduceOptions,
  mustBeNamed: (value: unknown) => void,
): OutgoingRecord {
  try {
    mustBeNamed(value);
    const key = keyField === undefined ? null : Buffer.from(keyOf(value, keyField));
    const encoded = codec.encode(value); // also where it is not written: it refuses numbers that no reader has, such as 1e999
    return {
      key,
      value: asRead ? Buffer.from(text) : encoded,
      timestampMs: timeField === undefined ? nowMs : timeOf(fieldOf(value, timeField), timeField),
    };
  } catch (cause) {
    const hint = cause instanceof MillraceError ? cause.hint : undefined;
    const where = `line ${line}`;
    throw new MillraceError('schema', messageOf(cause), hint === undefined ? { where, cause } : { where, hint, cause });
  }
}

/** Refuses a value with a field whose name differs from a missing one of the schema in case or separators alone. */
function nameCheck(fields: readonly string[]): (value: unknown) => void {
  const plain = (name: string) => name.replace(/[-_ ]/g, '').toLowerCase();
  const known = new Set(fields);
  const byPlain = new Map(fields.map((name) => [plain(name), name]));
  return (value) => {
    if (known.size === 0 || typeof value !== 'object' || value === null) return;
    for (const name of Object.keys(value)) {
      if (known.has(name)) continue;
      const meant = byPlain.get(plain(name));
      if (meant === undefined || meant in value) continue;
      throw new MillraceError('schema', `no field "${name}" in the schema`, { hint: `it has "${meant}"` });
    }
  };
}

function fieldOf(value: unknown, field: string): unknown {
  const found = (value as Record<string, unknown> | null)?.[field];
  if (found === undefined || found === null) {
    throw new MillraceError('schema', `no field "${field}"`, { hint: 'every line needs this field' });
  }
  return found;
}

function keyOf(value: unknown, field: string): string {
  const key = fieldOf(value, field);
  if (Number.isInteger(key) && !Number.isSafeInteger(key))
    throw new MillraceError('schema', `"${field}" is no key: numbers from 2^53 on are rounded`, {
      hint: 'write it as a text, so that different keys stay different',
    });
  if (typeof key !== 'object') return String(key);
  throw new MillraceError('schema', `"${field}" is no key: ${JSON.stringify(key).slice(0, SHOWN)}`, {
    hint: 'a key is a text, a number or a flag: name a field that holds one',
  });
}

function timeOf(value: unknown, field: string): number {
  const timeMs = typeof value === 'number' ? value : Date.parse(String(value));
  if (timeMs >= 0 && timeMs <= LAST_MS) return timeMs;
  throw new MillraceError('schema', `"${field}" is not a time: ${JSON.stringify(value)}`, {
    hint: 'milliseconds since 1970, or ISO 8601, up to the year 9999',
  });
}
