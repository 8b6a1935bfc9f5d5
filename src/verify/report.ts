import { counted } from '../util/counted.js';
import { textTable } from '../util/text-table.js';
import { type Kind, kinds } from './differences.js';

/** One of the things that were compared. */
export interface Compared {
  /** Id of the sink, `$dead-letters` or `$state`. */
  readonly what: string;
  /** Topic, table or keys. */
  readonly where: string;
  /** How: by identity and in order, by identity, or as a bag. */
  readonly how: 'in order' | 'by record' | 'by key' | 'in any order' | 'keys only' | 'cells' | 'not compared';
  readonly entries: number;
  readonly counts: Readonly<Record<Kind, number>>;
  readonly samples: readonly ShownSample[];
}

/** One case of a difference, with what stands in each run. */
export interface ShownSample {
  readonly kind: Kind;
  /** The input record that it comes from, or the key. */
  readonly record: string;
  readonly reference?: unknown;
  readonly faulted?: unknown;
}

export interface VerifyReport {
  readonly topology: string;
  readonly profile: string;
  readonly verification: string;
  readonly right: boolean;
  readonly records: number;
  readonly processes: number;
  readonly kills: number;
  /** Kills by the point of an epoch after which they came. */
  readonly killedAfter: Readonly<Record<string, number>>;
  readonly seconds: { readonly reference: number; readonly faulted: number };
  readonly compared: readonly Compared[];
  /** What the reader must know to judge the result. */
  readonly notes: readonly string[];
}

const titles: Readonly<Record<Kind, string>> = {
  lost: 'lost',
  duplicated: 'duplicated',
  different: 'different',
  unexpected: 'unexpected',
  outOfOrder: 'out of order',
};

/** The report for people. */
export function reportText(report: VerifyReport): string {
  const { topology, profile, records, processes, kills, killedAfter, seconds, compared, notes, right } = report;
  const after = Object.entries(killedAfter)
    .map(([point, times]) => `${times} after ${point}`)
    .join(', ');
  const rows = compared.map(({ what, where, how, entries, counts }) => ({
    what,
    where,
    compared: how,
    entries,
    ...Object.fromEntries(kinds.map((kind) => [titles[kind], counts[kind]])),
  }));
  const samples = compared.flatMap(({ what, samples: some }) =>
    some.flatMap(({ kind, record, reference, faulted }) => [
      `${what}: ${titles[kind]}: ${record}`,
      ...(reference === undefined ? [] : [`  without faults  ${JSON.stringify(reference)}`]),
      ...(faulted === undefined ? [] : [`  with kills      ${JSON.stringify(faulted)}`]),
    ]),
  );
  return [
    `${topology} on the ${profile} profile: ${counted(records, 'record')}`,
    `without faults  1 process, ${seconds.reference.toFixed(1)} s`,
    `with kills      ${counted(processes, 'process', 'processes')}, ${counted(kills, 'kill')}${after ? ` (${after})` : ''}, ${seconds.faulted.toFixed(1)} s`,
    '',
    textTable(rows).trimEnd(),
    '',
    ...notes.map((note) => `note: ${note}`),
    ...samples,
    right ? 'the same in both runs: nothing lost, duplicated, different or out of order' : 'NOT the same in both runs',
  ].join('\n');
}
