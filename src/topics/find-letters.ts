import { MillraceError } from '../core/errors.js';
import type { Schema, SchemaRegistry } from '../core/schema.js';
import { openDecoder, type WireDecoder } from '../schema/index.js';
import { subtopologiesOf, type Topology } from '../topology/index.js';
import { isoTime } from '../util/iso-time.js';
import { ABSENT, type FoundLetter, type LetterFilter, letterOf, matches, preview } from './dead-letters.js';
import { readPartition, readTopic } from './read-topic.js';

/** The topic of a topology's dead letters, and the schemas of the topics that they come from. */
export interface LetterPlace {
  readonly topic: string;
  readonly schemas: ReadonlyMap<string, Schema<unknown>>;
}

/** @throws MillraceError `config` where the dead letters go to no topic. */
export function letterPlaceOf(topology: Topology, where: string): LetterPlace {
  const { topic } = topology.deadLetters.settings;
  if (typeof topic !== 'string') {
    throw new MillraceError('config', `the dead letters of '${topology.name}' go to no topic`, { where });
  }
  const sources = subtopologiesOf(topology).flatMap((subtopology) => subtopology.sources);
  return { topic, schemas: new Map(sources.map(({ source }) => [source.topic, source.schema])) };
}

/** The dead letters of a topic that match, up to its end as of now. Memory: one poll. */
export async function* findLetters(
  profile: Parameters<typeof readTopic>[0],
  topic: string,
  filter: LetterFilter,
  key: Buffer | undefined,
): AsyncGenerator<FoundLetter> {
  for await (const placed of readTopic(profile, topic)) {
    const letter = letterOf(placed, key);
    if (matches(letter, filter)) yield letter;
  }
}

/** About the newest letters of a topic: those of the last entries, an equal part of each partition. Memory: one poll. */
export async function* newestLetters(
  profile: Parameters<typeof readTopic>[0],
  topic: string,
  entriesMax: number,
  key: Buffer | undefined,
): AsyncGenerator<FoundLetter> {
  const [firsts, ends] = await Promise.all([profile.offsetsAt(topic, 'earliest'), profile.offsetsAt(topic, 'latest')]);
  const share = Math.ceil(entriesMax / Math.max(1, ends.length));
  for (const [partition, end] of ends.entries()) {
    const start = Math.max(firsts[partition] ?? 0, end - share);
    for await (const record of readPartition(profile, topic, partition, start))
      yield letterOf({ partition, record }, key);
  }
}

/** How to decode records of a topic, where the topology says. */
export type CodecOf = (topic: string) => WireDecoder<unknown> | undefined;

export async function openLetterCodecs({ schemas }: LetterPlace, registry: SchemaRegistry): Promise<CodecOf> {
  const codecs = new Map<string, WireDecoder<unknown>>();
  for (const [name, schema] of schemas) codecs.set(name, await openDecoder(schema, registry));
  return (name) => codecs.get(name);
}

/** A dead letter as people read it: decoded where it can be, with previews of its bytes. */
export async function letterFacts(letter: FoundLetter, codecOf: CodecOf) {
  const { partition, offset, timestampMs, reason, detail, step, origin, key, value, headers, raw, replayed } = letter;
  const codec = origin && codecOf(origin.topic);
  return {
    partition,
    offset,
    timestamp: isoTime(timestampMs),
    reason,
    detail,
    step,
    origin,
    replayed,
    ...(raw === 'keep' ? {} : { record: ABSENT[raw] }),
    key: preview(key),
    ...(await decoded(codec, letter)),
    bytes: value?.length ?? 0,
    raw: preview(value),
    headers: Object.fromEntries(headers.map(([name, bytes]) => [name, preview(bytes)])),
  };
}

/** Nothing where it cannot be decoded: very likely that is why it is here, and its bytes stand beside. */
async function decoded(codec: WireDecoder<unknown> | undefined, { offset, timestampMs, key, value, raw }: FoundLetter) {
  if (codec === undefined || value === null || raw !== 'keep') return {};
  try {
    await codec.prepare([{ offset, timestampMs, key, value }]);
    return { value: codec.decode(value) };
  } catch {
    return {};
  }
}
