import { partitionOf } from '../../src/core/partition.js';
import type { TopicProducer } from '../../src/core/profile.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import type { Clock } from '../../src/runtime/clock.js';
import type { Flights } from './flights.js';
import {
  checkSettings,
  type LoadSettings,
  type Manifest,
  manifestOf,
  readManifest,
  recordsIn,
  writeManifest,
} from './manifest.js';
import { partitions, type Side, sides, topics } from './names.js';
import { entryAt, type Plan, planLoad, secondAt } from './plan.js';
import { type Encoders, recordMaker } from './records.js';

/** Records that are made and sent at a time: what the loader holds besides the flights. */
const chunkRecords = 20_000;
/** Chunks a second of a paced load. */
const chunksPerSecond = 10;

export interface LoadProgress {
  readonly written: number;
  readonly total: number;
  /** Where the load stands in the time of the stream. */
  readonly streamTimeMs: number;
}

export interface LoadOptions extends LoadSettings {
  /** File of the manifest; its folder exists. */
  readonly manifestFile: string;
  readonly producer: TopicProducer;
  readonly encoders: Encoders;
  /** Records that each partition of a topic already holds; zeros for a new topic. */
  readonly endOffsets: (topic: string) => Promise<readonly number[]>;
  /** Reads the flights; asked only when something has to be written. */
  readonly flights: () => Promise<Flights>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** Records a second over both topics; as fast as possible where it is missing. */
  readonly rate?: number | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Stops between two chunks; a later load goes on from there. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes both topics of the flights in UTC order and keeps the manifest of what was put in.
 *
 * The content of each partition is a sequence that depends on the settings only. So a load that was stopped, by Ctrl-C
 * or by `kill -9`, goes on by leaving out as many records of each partition as the log already holds; one that was
 * finished is not read again. Other settings than those of the log are refused.
 *
 * Memory: the flights, 16 bytes a record, and one chunk. Errors: `MillraceError('config')` for other settings; those
 * of the producer as they are.
 *
 * @example
 * const manifest = await loadFlights({ limit: 500_000, seed: 1, clean: false, producer, encoders, ... });
 */
export async function loadFlights(options: LoadOptions): Promise<Manifest> {
  const { limit, seed, clean, manifestFile, producer } = options;
  const settings = { limit, seed, clean };
  const found = await readManifest(manifestFile);
  if (found) checkSettings(found, settings, manifestFile);
  if (found?.complete) return found;

  const flights = await options.flights();
  const plan = planLoad(flights, settings);
  const partitionByAirport = partitionsOf(flights.airports);
  const manifest = manifestOf(flights, plan, settings, (airport) => partitionByAirport[airport] ?? 0);
  await writeManifest(manifestFile, manifest);
  for (const side of sides) await producer.createTopic(topics[side], partitions);

  const finished = await writeAll(options, flights, plan, partitionByAirport, recordsIn(manifest));
  if (!finished) return manifest;
  const complete = { ...manifest, complete: true };
  await writeManifest(manifestFile, complete);
  return complete;
}

function partitionsOf(airports: readonly string[]): readonly number[] {
  const text = new TextEncoder();
  return airports.map((code) => partitionOf(text.encode(code), partitions));
}

/** Writes what is not there yet; answers whether it came to the end. */
async function writeAll(
  options: LoadOptions,
  flights: Flights,
  plan: Plan,
  partitionByAirport: readonly number[],
  total: number,
): Promise<boolean> {
  const { producer, clock, rate, onProgress, signal } = options;
  const make = recordMaker(flights, options.encoders, options.seed);
  const skip = {
    departed: [...(await options.endOffsets(topics.departed))],
    arrived: [...(await options.endOffsets(topics.arrived))],
  };
  const chunkMax =
    rate === undefined ? chunkRecords : Math.max(1, Math.min(chunkRecords, Math.round(rate / chunksPerSecond)));
  const next = { departed: 0, arrived: 0 };
  const started = clock.now();
  let written = 0;
  let streamTimeMs = 0;

  /** Takes the next record of a side into the chunk, unless the log holds it. */
  const take = (side: Side, into: OutgoingRecord[]): number => {
    const entry = entryAt(plan[side], next[side]++);
    streamTimeMs = entry.second * 1_000;
    const partition = partitionByAirport[flights.origin[entry.flight] ?? 0] ?? 0;
    const left = skip[side][partition] ?? 0;
    if (left > 0) {
      skip[side][partition] = left - 1;
      return 0;
    }
    into.push(make(plan[side], entry));
    return 1;
  };

  while (next.departed + next.arrived < total) {
    if (signal?.aborted) return false;
    const chunk: Record<Side, OutgoingRecord[]> = { departed: [], arrived: [] };
    let size = 0;
    while (size < chunkMax) {
      const side = earlier(plan, next);
      if (side === undefined) break;
      size += take(side, chunk[side]);
    }
    for (const side of sides) if (chunk[side].length > 0) await producer.send(topics[side], chunk[side]);
    written += size;
    onProgress?.({ written: next.departed + next.arrived, total, streamTimeMs });
    if (rate !== undefined) await clock.sleep(Math.max(0, started + (written / rate) * 1_000 - clock.now()));
  }
  return true;
}

/** The topic whose next record comes first; a departure before an arrival of the same second. */
function earlier({ departed, arrived }: Plan, next: Readonly<Record<Side, number>>): Side | undefined {
  const more = { departed: next.departed < departed.order.length, arrived: next.arrived < arrived.order.length };
  if (!more.departed) return more.arrived ? 'arrived' : undefined;
  if (!more.arrived) return 'departed';
  return secondAt(departed, next.departed) <= secondAt(arrived, next.arrived) ? 'departed' : 'arrived';
}
