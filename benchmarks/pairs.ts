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

export interface Pairs {
  readonly runs: Readonly<Record<string, readonly Run[]>>;
  /** Records a second of each contestant. */
  readonly rates: Readonly<Record<string, Spread>>;
  /** Microseconds of CPU a record. */
  readonly cpuMicros: Readonly<Record<string, Spread>>;
  /** Rate of the second through the first, taken pair by pair. */
  readonly ratio: Spread;
}

/**
 * Measures two contestants in alternating pairs, A B A B: what disturbs the machine for a while disturbs both. The
 * first `warmUps` pairs run and are not counted.
 */
export async function measurePairs(
  [first, second]: readonly [Contestant, Contestant],
  { pairs = 5, warmUps = 1 }: { readonly pairs?: number; readonly warmUps?: number } = {},
  progress: (line: string) => void = () => {},
): Promise<Pairs> {
  assert(pairs >= 1 && first.name !== second.name);
  const runs: Record<string, Run[]> = { [first.name]: [], [second.name]: [] };
  for (let pair = -warmUps; pair < pairs; pair++) {
    for (const contestant of [first, second]) {
      const run = await measure(contestant);
      if (pair >= 0) runs[contestant.name]?.push(run);
      const phase = pair < 0 ? 'warm-up' : `pair ${pair + 1}/${pairs}`;
      progress(
        `${phase}  ${contestant.name}: ${Math.round(run.records / run.seconds).toLocaleString('en-US')} records/s`,
      );
    }
  }
  const rateOf = ({ records, seconds }: Run) => records / seconds;
  const each = (value: (run: Run) => number) =>
    Object.fromEntries(Object.entries(runs).map(([name, list]) => [name, spreadOf(list.map(value))]));
  const [a = [], b = []] = [runs[first.name], runs[second.name]];
  return {
    runs,
    rates: each(rateOf),
    cpuMicros: each(({ cpuSeconds, records }) => (cpuSeconds * 1e6) / records),
    ratio: spreadOf(b.map((run, index) => rateOf(run) / rateOf(a[index] as Run))),
  };
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
