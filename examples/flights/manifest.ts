import { readFile, rename, writeFile } from 'node:fs/promises';
import { MillraceError } from '../../src/core/errors.js';
import type { CorruptionKind, Outcome } from './corruption.js';
import type { Flights } from './flights.js';
import { partitions, reasons, type Side, sides, topics } from './names.js';
import { entryAt, type Plan, type TopicPlan } from './plan.js';

/** What decides the content of both topics. */
export interface LoadSettings {
  readonly limit: number;
  readonly seed: number;
  readonly clean: boolean;
}

/** Records of one kind that were put into one topic, and what must become of them. */
export interface PutIn {
  readonly topic: string;
  readonly side: Side;
  readonly kind: string;
  readonly count: number;
  readonly outcome: Outcome;
  /** Of the dead letter; `null` for every other outcome. */
  readonly reason: string | null;
}

/** What the loader wrote: the measure for everything that is counted afterwards. */
export interface Manifest extends LoadSettings {
  readonly version: 1;
  readonly flights: number;
  readonly zoneAssumed: number;
  /** Records by topic and partition. */
  readonly records: Readonly<Record<Side, readonly number[]>>;
  readonly putIn: readonly PutIn[];
  /** Everything is in the log. */
  readonly complete: boolean;
}

/** Sums up a plan: how many of each kind, how many in each partition, what is expected. */
export function manifestOf(
  flights: Flights,
  plan: Plan,
  settings: LoadSettings,
  partitionOf: (airport: number) => number,
): Manifest {
  return {
    version: 1,
    ...settings,
    flights: flights.size,
    zoneAssumed: flights.zoneAssumed,
    records: {
      departed: perPartition(flights, plan.departed, partitionOf),
      arrived: perPartition(flights, plan.arrived, partitionOf),
    },
    putIn: [...putInto('departed', plan, 'prediction'), ...putInto('arrived', plan, 'learned')],
    complete: false,
  };
}

function perPartition(flights: Flights, plan: TopicPlan, partitionOf: (airport: number) => number): number[] {
  const counts = new Array<number>(partitions).fill(0);
  for (let n = 0; n < plan.order.length; n++) {
    const partition = partitionOf(flights.origin[entryAt(plan, n).flight] ?? 0);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  return counts;
}

function putInto(side: Side, plan: Plan, whole: Outcome): PutIn[] {
  const { kinds, counts } = plan[side];
  const line = (kind: Pick<CorruptionKind, 'kind' | 'outcome' | 'reason'>, count: number): PutIn => ({
    topic: topics[side],
    side,
    kind: kind.kind,
    count,
    outcome: kind.outcome,
    reason: kind.reason ?? null,
  });
  const absurd = side === 'arrived' ? plan.absurdDelays : 0;
  const lines = [
    line({ kind: 'flight', outcome: whole }, (counts[0] ?? 0) - absurd),
    line({ kind: 'absurd delay in the data itself', outcome: 'dead-letter', reason: reasons.delay }, absurd),
    ...kinds.map((kind, place) => line(kind, counts[place + 1] ?? 0)),
  ];
  return lines.filter(({ count }) => count > 0);
}

/** What must become of the records of one topic, summed over the kinds. */
export interface Expected {
  readonly read: number;
  /** Flights with a prediction, or with a label that was learned. */
  readonly flights: number;
  readonly duplicates: number;
  readonly imputed: number;
  readonly unmatched: number;
  readonly tombstones: number;
  readonly deadLetters: number;
  readonly deadLettersByReason: Readonly<Record<string, number>>;
}

/**
 * What the pipeline must have counted when it is through with a topic.
 *
 * @example
 * expectedOf(manifest, 'departed').deadLettersByReason['range:distance'];
 */
export function expectedOf(manifest: Manifest, side: Side): Expected {
  const lines = manifest.putIn.filter((line) => line.side === side);
  const sum = (outcomes: readonly Outcome[]) =>
    lines.reduce((total, line) => total + (outcomes.includes(line.outcome) ? line.count : 0), 0);
  const deadLettersByReason: Record<string, number> = {};
  for (const { reason, count } of lines) {
    if (reason !== null) deadLettersByReason[reason] = (deadLettersByReason[reason] ?? 0) + count;
  }
  return {
    read: manifest.records[side].reduce((a, b) => a + b, 0),
    flights: sum(['prediction', 'learned']),
    duplicates: sum(['duplicate']),
    imputed: sum(['imputed']),
    unmatched: sum(['unmatched']),
    tombstones: sum(['tombstone']),
    deadLetters: sum(['dead-letter']),
    deadLettersByReason,
  };
}

/** The manifest in a file, or `undefined` where nothing was loaded yet. */
export async function readManifest(file: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
  try {
    return JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new MillraceError('config', 'the manifest of the loaded flights is not JSON', {
      where: file,
      hint: 'begin anew with --fresh',
      cause,
    });
  }
}

/** Replaces the file in one step, so that a crash leaves the old one or the new one. */
export async function writeManifest(file: string, manifest: Manifest): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(manifest, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** Refuses to go on with a log that was begun with other settings: the report would compare apples with pears. */
export function checkSettings(found: Manifest, wanted: LoadSettings, file: string): void {
  const names = ['limit', 'seed', 'clean'] as const;
  const other = names.filter((name) => found[name] !== wanted[name]);
  if (found.version === 1 && other.length === 0) return;
  const list = other.map((name) => `${name} ${found[name]}, not ${wanted[name]}`).join('; ');
  throw new MillraceError('config', `the flights in the log were loaded with other settings (${list})`, {
    where: file,
    hint: 'begin anew with --fresh, or give the settings of before',
  });
}

/** All records of both topics. */
export const recordsIn = (manifest: Manifest): number =>
  sides.reduce((total, side) => total + manifest.records[side].reduce((a, b) => a + b, 0), 0);
