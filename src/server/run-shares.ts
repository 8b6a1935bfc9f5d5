import type { RunCount } from './run-counts.js';

/** Shares of a run that should be small, each of what this run alone counted. */
export interface RunShares {
  /** Records that came too late for every window of a step, of those read. */
  readonly late: number;
  /** Dead letters, of the records read. */
  readonly dead: number;
  /** Labels and outcomes without a record that waits for them, of all: the largest share of any step. */
  readonly unmatched: number;
}

/** Where a warning begins if nothing else is said. */
export const usualLimits: RunShares = { late: 0.05, dead: 0.05, unmatched: 0.5 };

/** What the steps that take labels or outcomes call those that met a record, and those that did not. */
const labelCounters = [
  { input: 'labels', matched: ['learned', 'duplicate_labels', 'refused'], unmatched: 'unmatched' },
  { input: 'outcomes', matched: ['outcomes', 'outcomes_rejected'], unmatched: 'outcomes_unmatched' },
] as const;

/** What is large in a run: shares, and inputs of labels of which nothing matched. */
export interface RunFindings {
  readonly shares: RunShares;
  /** By step and input, such as `delay-model.labels`. */
  readonly neverMatched: readonly string[];
  /** Sources that gave many records, of which not one could be decoded. */
  readonly unreadable: readonly string[];
  /** What most dead letters of this run are, such as `event-time of orders`; empty where there are none. */
  readonly mostDead: string;
  /** `joinTable` steps that dropped many records, because there was no row. */
  readonly rowless: readonly { readonly step: string; readonly share: number }[];
}

/** Fewer may all be wrong by chance. */
const UNREADABLE_MIN = 100;

/**
 * Looks through the counters of a run.
 *
 * @example
 * findings(counts.all()).shares.late; // 0.82: four of five records came too late
 */
export function findings(counts: readonly RunCount[]): RunFindings {
  const sumOf = (is: (count: RunCount) => boolean) =>
    counts.reduce((sum, count) => (is(count) ? sum + count.inThisRun : sum), 0);
  const read = sumOf(({ name }) => name === 'read');
  const of = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  const neverMatched: string[] = [];
  let unmatched = 0;
  for (const names of labelCounters) {
    // Windows count `unmatched` too: only a step that also counts what matched takes labels.
    const takers = counts.filter(({ name }) => name === names.matched[0]);
    for (const step of new Set(takers.map((count) => count.step))) {
      const known = counts.filter((count) => count.step === step);
      const total = (which: readonly string[], field: 'value' | 'inThisRun') =>
        known.reduce((sum, count) => (which.includes(count.name) ? sum + count[field] : sum), 0);
      const missed = total([names.unmatched], 'inThisRun');
      unmatched = Math.max(unmatched, of(missed, missed + total(names.matched, 'inThisRun')));
      if (total([names.unmatched], 'value') > 0 && total(names.matched, 'value') === 0)
        neverMatched.push(`${step}.${names.input}`);
    }
  }
  return {
    shares: {
      late: of(
        sumOf(({ name }) => name === 'late'),
        read,
      ),
      dead: of(
        sumOf(({ name }) => name.startsWith('dead:')),
        read,
      ),
      unmatched,
    },
    neverMatched,
    unreadable: unreadableIn(counts),
    mostDead: mostDeadOf(counts),
    rowless: rowlessIn(counts),
  };
}

function mostDeadOf(counts: readonly RunCount[]): string {
  const [most] = counts
    .filter(({ name, inThisRun }) => name.startsWith('dead:') && inThisRun > 0)
    .sort((a, b) => b.inThisRun - a.inThisRun);
  return most === undefined ? '' : `${most.name.slice('dead:'.length)} of ${most.step}`;
}

/** A join by another key than that of the topics finds only the rows that are in the same partition by chance. */
const ROWLESS_LIMIT = 0.25;

function rowlessIn(counts: readonly RunCount[]): RunFindings['rowless'] {
  const ofStep = (step: string, counter: string) =>
    counts.find((count) => count.step === step && count.name === counter)?.inThisRun ?? 0;
  return counts.flatMap(({ step, name, inThisRun }) => {
    if (name !== 'joined') return [];
    const alone = ofStep(step, 'unmatched');
    const share = alone === 0 ? 0 : alone / (alone + inThisRun);
    return share > ROWLESS_LIMIT ? [{ step, share }] : [];
  });
}

function unreadableIn(counts: readonly RunCount[]): string[] {
  return counts.flatMap(({ step, name, inThisRun }) => {
    if (name !== 'read' || inThisRun < UNREADABLE_MIN) return [];
    const dead = counts.reduce(
      (sum, each) => (each.step === step && each.name.startsWith('dead:') ? sum + each.inThisRun : sum),
      0,
    );
    return dead >= inThisRun ? [step] : [];
  });
}

/** Which shares lie above their limit, as sentences. */
export function exceeded(shares: RunShares, limits: Partial<RunShares>): string[] {
  return shareNames.flatMap((name) => {
    const limit = limits[name];
    return limit !== undefined && shares[name] > limit
      ? [`${percent(shares[name])} ${what[name]} (limit ${percent(limit)})`]
      : [];
  });
}

const shareNames = ['late', 'dead', 'unmatched'] as const;
const what: Readonly<Record<keyof RunShares, string>> = {
  late: 'of the records came late',
  dead: 'of the records are dead letters',
  unmatched: 'of the labels matched no record',
};

/** What somebody should look at although the run goes on, as sentences with what to do: for the terminal, and for `/health`. */
export function concernsOf({ shares, neverMatched, mostDead, rowless }: RunFindings): string[] {
  const remedies: Readonly<Record<keyof RunShares, string>> = {
    late: 'a larger outOfOrdernessMax of the source, or allowedLateness of the step, takes them in',
    dead: `most are ${mostDead}; \`millrace dlq show FILE\` prints them with the details`,
    unmatched: 'a label needs the key of its record, and must come within the time that the step waits',
  };
  return [
    ...shareNames.flatMap((name) =>
      exceeded(shares, { [name]: usualLimits[name] }).map((sentence) => `${sentence}: ${remedies[name]}`),
    ),
    ...neverMatched.map(
      (input) => `nothing that came in ${input} ever matched a record: are the keys the same on both sides?`,
    ),
    ...rowless.map(
      ({ step, share }) =>
        `${percent(share)} of the records of ${step} found no row and were dropped: if a topic has another key than the join, send its stream through repartition('by-key', { key, schema }) first, or read a small table by kafka.globalTableSource; a producer that is not Java's needs partitioner=murmur2_random (\`millrace check --profile\` looks for both)`,
    ),
  ];
}

/**
 * Reads `late=1%,dead=0.05`. `undefined` where it says nothing that is known.
 *
 * @example
 * limitsIn('late=1%'); // { late: 0.01 }
 */
export function limitsIn(text: string): Partial<RunShares> | undefined {
  const limits: { -readonly [Name in keyof RunShares]?: number } = {};
  for (const part of text.split(',')) {
    const [, name, digits, sign] = /^\s*(late|dead|unmatched)\s*=\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(part) ?? [];
    if (name === undefined) return undefined;
    const share = Number(digits) / (sign === '%' ? 100 : 1);
    if (share > 1) return undefined;
    limits[name as keyof RunShares] = share;
  }
  return limits;
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)}%`;
