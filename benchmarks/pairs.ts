import assert from 'node:assert';

/** A median with the range it stands in. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface Run {
  /** How many records the window below covered. */
  readonly records: number;
  readonly seconds: number;
  /** Of this process in the window, user and system. */
  readonly cpuSeconds: number;
}

export interface Contestant {
  readonly name: string;
  /** Does the work once and returns how many records that were, or what it has measured itself: of a part, or elsewhere. */
  work(): Promise<number | Run> | number | Run;
}

export interface Measured {
  readonly runs: Readonly<Record<string, readonly Run[]>>;
  /** Records a second of each contestant. */
  readonly rates: Readonly<Record<string, Spread>>;
  /** Microseconds of CPU a record. */
  readonly cpuMicros: Readonly<Record<string, Spread>>;
}

export interface Pairs extends Measured {
  /** Rate of the second through the first, taken pair by pair. */
  readonly ratio: Spread;
}

/**
 * Measures two contestants in alternating pairs, A B A B: what disturbs the machine for a while disturbs both. The
 * first `warmUps` pairs run and are not counted.
 */
export async function measurePairs(
  contestants: readonly [Contestant, Contestant],
  { pairs = 5, warmUps = 1 }: { readonly pairs?: number; readonly warmUps?: number } = {},
  progress: (line: string) => void = () => {},
): Promise<Pairs> {
  const measured = await measureInTurn(contestants, { rounds: pairs, warmUps }, progress);
  const [first, second] = contestants;
  return { ...measured, ratio: ratioOf(measured.runs, second.name, first.name, rateOf) };
}

/** As `measurePairs`, with any number of contestants: A B C A B C. */
export async function measureInTurn(
  contestants: readonly Contestant[],
  { rounds = 5, warmUps = 1 }: { readonly rounds?: number; readonly warmUps?: number } = {},
  progress: (line: string) => void = () => {},
): Promise<Measured> {
  const runs: Record<string, Run[]> = Object.fromEntries(contestants.map(({ name }) => [name, []]));
  assert(rounds >= 1 && Object.keys(runs).length === contestants.length);
  for (let round = -warmUps; round < rounds; round++) {
    for (const contestant of contestants) {
      const run = await measure(contestant);
      if (round >= 0) runs[contestant.name]?.push(run);
      const phase = round < 0 ? 'warm-up' : `${contestants.length === 2 ? 'pair' : 'round'} ${round + 1}/${rounds}`;
      progress(`${phase}  ${contestant.name}: ${Math.round(rateOf(run)).toLocaleString('en-US')} records/s`);
    }
  }
  const each = (value: (run: Run) => number) =>
    Object.fromEntries(Object.entries(runs).map(([name, list]) => [name, spreadOf(list.map(value))]));
  return { runs, rates: each(rateOf), cpuMicros: each((run) => cpuOf(run) * 1e6) };
}

/** Records a second. */
export const rateOf = ({ records, seconds }: Run): number => records / seconds;
/** CPU seconds a record. */
export const cpuOf = ({ records, cpuSeconds }: Run): number => cpuSeconds / records;

/** A figure of one contestant through that of another, taken from runs next to each other. */
export function ratioOf(runs: Measured['runs'], of: string, to: string, figure: (run: Run) => number): Spread {
  const others = runs[to] ?? [];
  return spreadOf((runs[of] ?? []).map((run, n) => figure(run) / figure(others[n] as Run)));
}

async function measure({ name, work }: Contestant): Promise<Run> {
  globalThis.gc?.();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const done = await work();
  if (typeof done !== 'number') return done;
  const records = done;
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  assert(records > 0, `${name} did nothing`);
  return { records, seconds, cpuSeconds: (user + system) / 1e6 };
}

/** A figure that was measured once. */
export const once = (value: number): Spread => ({ median: value, low: value, high: value });

/** Median, lowest and highest of some numbers. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] as number;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(0),
    high: at(sorted.length - 1),
  };
}

/** The spread of each figure over several runs. */
export function spreadsOf<F extends Readonly<Record<string, number>>>(
  runs: readonly F[],
): { readonly [name in keyof F]: Spread } {
  const names = Object.keys(runs[0] as F) as (keyof F)[];
  const spreads = names.map((name) => [name, spreadOf(runs.map((run) => run[name] as number))]);
  return Object.fromEntries(spreads) as { readonly [name in keyof F]: Spread };
}
