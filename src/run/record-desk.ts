import { letterKey } from '../../connectors/kafka/dead-letter-record.js';
import { definition as kafka } from '../../connectors/kafka/definition.js';
import { deadLetterHeaders, type TopicSinkOptions } from '../../connectors/kafka/topic-options.js';
import { MillraceError } from '../core/errors.js';
import { noRecord } from '../core/record.js';
import type { Schema } from '../core/schema.js';
import type { Running } from '../runtime/index.js';
import { openDecoder, type WireDecoder } from '../schema/index.js';
import type { FoundRecord, RecordDesk, TopicTrail } from '../server/record-route.js';
import { letterOf, preview } from '../topics/dead-letters.js';
import { type PlacedRecord, readPartition } from '../topics/read-topic.js';
import type { Topology } from '../topology/index.js';
import { counted } from '../util/counted.js';
import { isoTime } from '../util/iso-time.js';
import { comparableText } from '../util/json-text.js';
import type { DeskOptions } from './dead-letter-desk.js';
import { wayOf } from './record-way.js';

/** What a look reads at most: entries of each topic; and of all topics together, bytes and milliseconds. */
const ENTRIES_MAX = 10_000;
const BYTES_MAX = 64 * 1024 * 1024;
const MS_MAX = 5_000;
/** Of the entries of a source, those that are not read yet. */
const UNREAD_SHARE = 0.25;
/** The newest records of a topic that are shown. */
const SHOWN_MAX = 10;
const LOOKS_MAX = 2;
const VALUE_CHARACTERS = 4_096;

export interface RecordDeskOptions extends DeskOptions {
  readonly running: Pick<Running, 'snapshot'>;
}

interface Place {
  readonly topic: string;
  readonly role: TopicTrail['role'];
  readonly node: string;
  readonly schema: Schema<unknown> | undefined;
}

/** What is looked for, and what may still be read. */
interface Look {
  readonly id: string;
  /** Places of the records that were found in sources: others name them as their origin. */
  readonly origins: Set<string>;
  readonly endMs: number;
  bytesLeft: number;
  /** It has ended before it had read all that it should. */
  isCut: boolean;
}

/**
 * Finds what the topics of a topology have of one record: in its sources, its dead letters and the topics of its sinks. A record is known by its
 * key, by its place (TOPIC/PARTITION/OFFSET) or that of its origin, where headers have it; where values may be shown, by any field of its value too.
 * It reads the newest entries of a topic; of a source those about the position of the task, if it runs in this process, since a run may be far behind.
 *
 * Memory: one poll, 20 records of a topic, and the places of what was found in sources. A look reads at most 10,000 entries of a topic, 64 MiB and five seconds.
 */
export function openRecordDesk(options: RecordDeskOptions): RecordDesk {
  const { topology, profile, running, deadLetterKey, showsValues, onAction } = options;
  const key = showsValues ? letterKey(deadLetterKey) : undefined;
  const places = placesOf(topology);
  let looks = 0;

  const decoderOf = async ({ schema }: Place): Promise<WireDecoder<unknown> | undefined> =>
    showsValues && schema ? openDecoder(schema, profile.schemas) : undefined;

  async function trailOf(place: Place, look: Look): Promise<TopicTrail> {
    const { topic, role, node } = place;
    const decoder = await decoderOf(place);
    const [firsts, ends] = await Promise.all([
      profile.offsetsAt(topic, 'earliest'),
      profile.offsetsAt(topic, 'latest'),
    ]);
    const share = Math.ceil(ENTRIES_MAX / Math.max(1, ends.length));
    const kept: Kept[] = [];
    let [found, scanned] = [0, 0];
    const isOver = () => {
      look.isCut ||= look.bytesLeft <= 0 || performance.now() > look.endMs;
      return look.isCut;
    };
    const { tasks } = running.snapshot();
    const positionIn = (partition: number): number =>
      tasks.find((task) => task.partition === partition && node in task.positions)?.positions[node]?.offset ??
      Number.POSITIVE_INFINITY;
    const named = ends.map((_, partition) => offsetIn(look.id, `${topic}/${partition}`));
    const isPlace = named.some((offset) => offset !== undefined);
    for (const [partition, end] of ends.entries()) {
      if (isPlace && named[partition] === undefined) continue;
      const to = role === 'source' ? Math.min(end, positionIn(partition) + UNREAD_SHARE * share) : end;
      const from = Math.max(firsts[partition] ?? 0, named[partition] ?? Math.ceil(to - share));
      if (from >= end || isOver()) continue;
      for await (const record of readPartition(profile, topic, partition, from)) {
        if (!isPlace && record.offset >= to) break;
        scanned += 1;
        look.bytesLeft -= (record.value?.length ?? 0) + (record.key?.length ?? 0);
        const placed = role === 'dead letters' ? decryptedIn({ partition, record }, key) : { partition, record };
        const value = decoder && (await decodedBy(decoder, placed));
        if (isMeant(placed, topic, value, look)) {
          found += 1;
          kept.push({ found: foundRecord(placed, topic, value, showsValues), placed, value });
          if (role === 'source') look.origins.add(`${topic}/${partition}/${record.offset}`);
          if (kept.length === 2 * SHOWN_MAX) keepNewest(kept);
        }
        if (isPlace || isOver()) break;
      }
    }
    keepNewest(kept);
    const entries = ends.reduce((sum, end, partition) => sum + end - (firsts[partition] ?? 0), 0);
    const records = kept.map((each) =>
      role === 'source' ? { ...each.found, way: wayFrom(topology, node, each) } : each.found,
    );
    return { node, role, topic, entries, scanned, found, records };
  }

  return {
    async find(id, by) {
      if (looks === LOOKS_MAX)
        throw new MillraceError('config', 'others are looking for records', {
          where: 'record',
          hint: 'try again in a moment',
        });
      looks += 1;
      try {
        const endMs = performance.now() + MS_MAX;
        const look: Look = { id, origins: new Set([id]), endMs, bytesLeft: BYTES_MAX, isCut: false };
        const topics: TopicTrail[] = [];
        for (const place of places) topics.push(await trailOf(place, look));
        const shown = topics.flatMap(({ records }) => records.map(({ place }) => place));
        // Places, and not what was looked for: that may be personal.
        if (showsValues)
          onAction(`${by} looks at the values of ${counted(shown.length, 'record')}: ${shown.join(', ') || 'none'}`);
        return { isCut: look.isCut, topics };
      } finally {
        looks -= 1;
      }
    },
  };
}

/** The topics of a topology: sources first, since their records are origins of others. */
function placesOf({ sources, sinks, deadLetters }: Topology): readonly Place[] {
  const { topic } = deadLetters.settings;
  const places: Place[] = [
    ...sources.flatMap(({ id, source: { connector, topic, schema } }): Place[] =>
      connector === kafka.name ? [{ topic, role: 'source', node: id, schema }] : [],
    ),
    ...(typeof topic === 'string'
      ? [{ topic, role: 'dead letters', node: 'dead letters', schema: undefined } as const]
      : []),
    ...sinks.flatMap(({ id, sink }): Place[] => {
      if (sink.connector !== kafka.name) return [];
      const { topic, schema } = sink.options as TopicSinkOptions;
      return [{ topic, role: 'sink', node: id, schema }];
    }),
  ];
  return places.filter(({ topic }, i) => places.findIndex((other) => other.topic === topic) === i);
}

/** The offset that a place of this partition names. */
function offsetIn(id: string, partition: string): number | undefined {
  const offset = id.startsWith(`${partition}/`) ? id.slice(partition.length + 1) : '';
  return /^\d{1,16}$/.test(offset) ? Number(offset) : undefined;
}

function decryptedIn(placed: PlacedRecord, letterKey: Buffer | undefined): PlacedRecord {
  const { key, value } = letterOf(placed, letterKey);
  return { ...placed, record: { ...placed.record, key, value } };
}

/** `undefined` for what does not decode: it can have been why the record became a dead letter. */
async function decodedBy(decoder: WireDecoder<unknown>, { record }: PlacedRecord): Promise<unknown> {
  if (record.value === null) return null;
  try {
    await decoder.prepare([record]);
    return decoder.decode(record.value);
  } catch {
    return undefined;
  }
}

function isMeant({ partition, record }: PlacedRecord, topic: string, value: unknown, { id, origins }: Look): boolean {
  if (`${topic}/${partition}/${record.offset}` === id) return true;
  if (record.key !== null && Buffer.from(record.key).toString() === id) return true;
  const origin = originOf(record);
  if (origin !== undefined && origins.has(origin)) return true;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return Object.values(value).some((field) => isText(field, id));
}

const isText = (field: unknown, text: string): boolean =>
  (typeof field === 'string' || typeof field === 'number' || typeof field === 'bigint') && String(field) === text;

type RawRecord = PlacedRecord['record'];

const header = ({ headers = [] }: RawRecord, name: string): string | undefined => {
  const bytes = headers.find(([each]) => each === name)?.[1];
  return bytes && Buffer.from(bytes).toString();
};

function originOf(record: RawRecord): string | undefined {
  const { topic, partition, offset } = deadLetterHeaders;
  const parts = [topic, partition, offset].map((name) => header(record, name));
  return parts.includes(undefined) ? undefined : parts.join('/');
}

function foundRecord(
  { partition, record }: PlacedRecord,
  topic: string,
  value: unknown,
  showsValues: boolean,
): FoundRecord {
  const [reason, step] = [deadLetterHeaders.reason, deadLetterHeaders.step].map((name) => header(record, name));
  return {
    ...{ partition, place: `${topic}/${partition}/${record.offset}`, offset: record.offset },
    ...{ timestamp: isoTime(record.timestampMs), bytes: record.value?.length ?? 0 },
    origin: originOf(record),
    letter: reason === undefined || step === undefined ? undefined : { reason, step },
    values: showsValues
      ? {
          key: preview(record.key),
          record: (value === undefined ? (preview(record.value) ?? 'null') : comparableText(value)).slice(
            0,
            VALUE_CHARACTERS,
          ),
        }
      : undefined,
  };
}

/** A record that may be shown. */
interface Kept {
  readonly found: FoundRecord;
  readonly placed: PlacedRecord;
  /** Decoded, where values may be shown. */
  readonly value: unknown;
}

/** Leaves the newest ones by event time, the newest last. */
function keepNewest(kept: Kept[]): void {
  kept.sort(({ found: a }, { found: b }) =>
    a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.offset - b.offset,
  );
  kept.splice(0, Math.max(0, kept.length - SHOWN_MAX));
}

/** Where a record goes to. What steps do with it says something of its value, so without values only the possible way is told. */
function wayFrom(topology: Topology, id: string, { placed: { partition, record }, value }: Kept): string {
  const source = topology.sources.find((each) => each.id === id)?.source;
  if (source === undefined || source.upserts || value === undefined || value === null) return wayOf(topology, id);
  try {
    const eventTimeMs = source.eventTimeOf(value, record.timestampMs);
    const { offset, key, value: raw, headers } = record;
    const origin = { ...noRecord(source.topic), partition, offset, eventTimeMs, key, raw, headers };
    return wayOf(topology, id, { value, origin });
  } catch {
    return wayOf(topology, id); // it is a dead letter because of its time
  }
}
