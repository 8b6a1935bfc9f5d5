import { kafka } from '../../connectors/kafka/index.js';
import type { LogPoint } from '../core/checkpoint.js';
import { MillraceError } from '../core/errors.js';
import { sourceDriver } from '../core/profile.js';
import type { RawRecord } from '../core/record.js';
import type { Polled, SourceReader } from '../core/source.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { json } from '../schema/index.js';

/** Where to begin in each partition: a point of the log, or an offset, one for all or one for each. */
export type Start = LogPoint | { readonly offset: number } | { readonly offsets: readonly number[] };

export interface PlacedRecord {
  readonly partition: number;
  readonly record: RawRecord;
}

/** A profile of which only topics are read. */
type Topics = Pick<OpenProfile, 'name' | 'sources'> & Partial<Pick<OpenProfile, 'driver'>>;

const POLL_RECORDS = 1_000;
const POLL_BYTES = 16 * 1024 * 1024;

/** Parses `earliest`, `latest`, a whole number (an offset) or an ISO 8601 time; `undefined` for anything else. */
export function parseStart(text: string): Start | undefined {
  if (text === 'earliest' || text === 'latest') return text;
  if (/^\d+$/.test(text)) return { offset: Number(text) };
  const timestampMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(timestampMs) ? { timestampMs } : undefined;
}

/** @throws MillraceError `config` where the text says nothing of the kind. */
export function startOf(text: string, option: string): Start {
  const start = parseStart(text);
  if (start !== undefined) return start;
  throw new MillraceError('config', `${option} cannot be '${text}'`, {
    where: option,
    hint: 'earliest, latest, an offset, or a time such as 2026-01-31T12:00:00Z',
  });
}

/** By partition, the offset to begin at: inside what the log holds, whatever was asked for. */
export async function offsetsOf(
  profile: Pick<OpenProfile, 'offsetsAt'>,
  topic: string,
  start: Start,
): Promise<readonly number[]> {
  if (typeof start === 'string' || 'timestampMs' in start) return profile.offsetsAt(topic, start);
  if ('offsets' in start) return start.offsets;
  const [first, last] = await Promise.all([profile.offsetsAt(topic, 'earliest'), profile.offsetsAt(topic, 'latest')]);
  return first.map((lowest, partition) => Math.min(Math.max(start.offset, lowest), last[partition] ?? lowest));
}

/**
 * The committed records of a topic up to its end as of now, partition by partition in the order of offsets. Joins
 * nothing and moves no position. Memory: one poll.
 */
export async function* readTopic(
  profile: Topics & Pick<OpenProfile, 'offsetsAt'>,
  topic: string,
  start: Start = 'earliest',
): AsyncGenerator<PlacedRecord> {
  for (const [partition, offset] of (await offsetsOf(profile, topic, start)).entries()) {
    for await (const record of readPartition(profile, topic, partition, offset)) yield { partition, record };
  }
}

/** The committed records of one partition from an offset to its end as of now. Memory: one poll. */
export async function* readPartition(
  profile: Topics,
  topic: string,
  partition: number,
  offset: number,
): AsyncGenerator<RawRecord> {
  const reader = await open(profile, topic, partition, offset, true);
  try {
    for (let ended = false; !ended; ) {
      const polled = await reader.poll(POLL_RECORDS, POLL_BYTES);
      yield* polled.records;
      ended = polled.ended;
    }
  } finally {
    await reader.close();
  }
}

/** As `readTopic`, and goes on with what comes until `stopped` is aborted: partitions as they have something. */
export async function* followTopic(
  profile: Topics & Pick<OpenProfile, 'offsetsAt'>,
  topic: string,
  start: Start,
  stopped: AbortSignal,
): AsyncGenerator<PlacedRecord> {
  const readers: SourceReader[] = [];
  const polls = new Map<number, Promise<{ readonly partition: number } & Polled>>();
  const ended = new Promise<undefined>((resolve) => {
    stopped.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    for (const [partition, offset] of (await offsetsOf(profile, topic, start)).entries()) {
      readers.push(await open(profile, topic, partition, offset, false));
    }
    const ask = (partition: number) => async () => ({
      partition,
      ...(await (readers[partition] as SourceReader).poll(POLL_RECORDS, POLL_BYTES)),
    });
    for (const partition of readers.keys()) polls.set(partition, ask(partition)());
    while (!stopped.aborted) {
      const polled = await Promise.race([...polls.values(), ended]);
      if (polled === undefined) return;
      const { partition, records } = polled;
      for (const record of records) yield { partition, record };
      // To the end of the line: a busy partition must not keep the others from being heard.
      polls.delete(partition);
      polls.set(partition, ask(partition)());
    }
  } finally {
    for (const poll of polls.values()) poll.catch(() => undefined); // its reader, or the process that has it, goes
    await Promise.allSettled(readers.map((reader) => reader.close()));
  }
}

async function open(
  profile: Topics,
  topic: string,
  partition: number,
  offset: number,
  bounded: boolean,
): Promise<SourceReader> {
  const source = kafka.source({ topic, schema: json<unknown>({ subject: `${topic}-value` }) });
  const driver = await sourceDriver(profile, source, topic);
  return driver.open(source, { task: { topology: 'tools', partition }, partition, offset, bounded, step: 'tools' });
}
