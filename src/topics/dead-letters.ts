import { decryptedLetter } from '../../connectors/kafka/dead-letter-record.js';
import { deadLetterHeaders, REPLAYED } from '../../connectors/kafka/topic-options.js';
import type { Headers, OutgoingRecord } from '../core/record.js';
import { isoTime } from '../util/iso-time.js';
import type { PlacedRecord } from './read-topic.js';

/** A dead letter as it lies in its topic. */
export interface FoundLetter {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly reason: string;
  readonly detail: string;
  readonly step: string;
  /** Where the record was that could not be processed; `undefined` for what no topology wrote. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The record's own headers. */
  readonly headers: Headers;
  /** Whether key, value and headers are those of the record, or are encrypted or omitted. */
  readonly raw: 'keep' | 'encrypt' | 'omit' | 'cut';
  /** It had been sent again and failed again. */
  readonly replayed: boolean;
}

const OWN: ReadonlySet<string> = new Set(Object.values(deadLetterHeaders));

/** Reads a record of a dead-letter topic; with the key, what was encrypted too. */
export function letterOf(placed: PlacedRecord, letterKey?: Buffer): FoundLetter {
  const letter = letterAsStored(placed);
  if (letter.raw !== 'encrypt' || letterKey === undefined) return letter;
  const { key, value, headers = [] } = placed.record;
  const where = `${letter.partition}/${letter.offset}`;
  return { ...letter, ...decryptedLetter({ key, value, headers }, letterKey, where), raw: 'keep' };
}

function letterAsStored({ partition, record }: PlacedRecord): FoundLetter {
  const { offset, timestampMs, key, value, headers = [] } = record;
  // Those of the letter come first; a record of the same name behind them is the origin's.
  const text = (name: string) => {
    const bytes = headers.find(([each]) => each === name)?.[1];
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  const topic = text(deadLetterHeaders.topic);
  return {
    partition,
    offset,
    timestampMs,
    reason: text(deadLetterHeaders.reason) ?? '(none)',
    detail: text(deadLetterHeaders.detail) ?? '',
    step: text(deadLetterHeaders.step) ?? '(none)',
    origin:
      topic === undefined
        ? undefined
        : {
            topic,
            partition: Number(text(deadLetterHeaders.partition)),
            offset: Number(text(deadLetterHeaders.offset)),
          },
    key,
    value,
    headers: headers.filter(([name]) => !OWN.has(name)),
    raw: rawIn(text(deadLetterHeaders.raw)),
    replayed: headers.some(([name]) => name === REPLAYED),
  };
}

const rawIn = (text: string | undefined): FoundLetter['raw'] =>
  text === 'encrypt' || text === 'omit' || text === 'cut' ? text : 'keep';

/** What became of a record that is not there as it was. */
export const ABSENT = {
  encrypt: 'encrypted',
  omit: 'omitted',
  cut: 'cut, since it was too large for the topic',
} as const;

/** Which letters are meant; what is not given matches all. */
export interface LetterFilter {
  readonly reason?: string | undefined;
  readonly step?: string | undefined;
  /** Of the dead-letter topic. */
  readonly partition?: number | undefined;
  /** Offsets in the dead-letter topic, both included. */
  readonly offsets?: { readonly first: number; readonly last: number } | undefined;
  /** Single ones, as PARTITION/OFFSET of the dead-letter topic. */
  readonly places?: ReadonlySet<string> | undefined;
}

export const matches = (letter: FoundLetter, { reason, step, partition, offsets, places }: LetterFilter): boolean =>
  (reason === undefined || letter.reason === reason) &&
  (step === undefined || letter.step === step) &&
  (partition === undefined || letter.partition === partition) &&
  (offsets === undefined || (letter.offset >= offsets.first && letter.offset <= offsets.last)) &&
  (places === undefined || places.has(`${letter.partition}/${letter.offset}`));

export interface LetterCount {
  readonly reason: string;
  readonly step: string;
  readonly count: number;
  /** How many of them had been sent again. */
  readonly replayed: number;
  /** Event time of the newest one. */
  readonly last: string;
}

/** Letters by reason and step, the most frequent first. Memory: one entry a reason and step. */
export async function countLetters(letters: AsyncIterable<FoundLetter>): Promise<LetterCount[]> {
  const counts = new Map<string, { reason: string; step: string; count: number; replayed: number; lastMs: number }>();
  for await (const { reason, step, timestampMs, replayed } of letters) {
    const key = JSON.stringify([reason, step]);
    const found = counts.get(key) ?? { reason, step, count: 0, replayed: 0, lastMs: timestampMs };
    found.count += 1;
    if (replayed) found.replayed += 1;
    found.lastMs = Math.max(found.lastMs, timestampMs);
    counts.set(key, found);
  }
  return [...counts.values()]
    .sort((a, b) => b.count - a.count || (a.reason + a.step < b.reason + b.step ? -1 : 1))
    .map(({ lastMs, ...rest }) => ({ ...rest, last: isoTime(lastMs) }));
}

/** The record as it was, with a header that says which dead letter it comes from. */
export const replayOf = (letter: FoundLetter, deadLetterTopic: string): OutgoingRecord => ({
  key: letter.key,
  value: letter.value,
  timestampMs: letter.timestampMs,
  headers: [
    ...letter.headers.filter(([name]) => name !== REPLAYED),
    [REPLAYED, Buffer.from(`${deadLetterTopic}/${letter.partition}/${letter.offset}`)],
  ],
});

const PREVIEW_BYTES = 256;

/** Bytes as people read them: text where they are text without control characters, hexadecimal digits otherwise. */
export function preview(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const shown = bytes.subarray(0, PREVIEW_BYTES);
  const more = bytes.length > shown.length ? ` ... (${bytes.length} bytes)` : '';
  const text = Buffer.from(shown).toString();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  const readable = !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/.test(text);
  return `${readable ? text : `0x${Buffer.from(shown).toString('hex')}`}${more}`;
}
