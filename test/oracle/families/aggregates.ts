import { window } from '../../../src/operators/index.js';
import type { Random } from '../../../src/testing/sim/index.js';
import {
  collect,
  count,
  distinctCount,
  max,
  mean,
  min,
  quantile,
  quantiles,
  sum,
  topK,
  variance,
} from '../../../src/window.js';
import { type OperatorFamily, restarts } from '../case.js';
import { drawSpec, type Spec, specOf } from './windows.js';

interface Options {
  readonly window: Spec;
  readonly error: number;
  readonly k: number;
  readonly counters: number;
  readonly valuesMax: number;
}

interface Value {
  readonly x: number | null;
  readonly w: string | number | null;
}

const x = ({ x }: Value) => x;
const w = ({ w }: Value) => w;

/** Numbers of one kind a case: whole, of any size, near one another far from zero, or of both signs that cancel out. */
function numbers(random: Random): () => number | null {
  const kind = random.pick(['whole', 'wide', 'far', 'cancelling', 'decimal'] as const);
  return () => {
    if (random.chance(0.05)) return null;
    if (kind === 'whole') return random.int(200) - 100;
    if (kind === 'wide') return (random.next() - 0.3) * 10 ** (random.int(40) - 20);
    if (kind === 'far') return 1e9 + random.next();
    if (kind === 'cancelling') return random.pick([1e16, -1e16, 1, 0.1, 3]);
    return random.int(1_000) / 10;
  };
}

/** Words of which few are frequent; identifiers that differ little, as keys do. */
function words(random: Random): () => string | number | null {
  const different = random.pick([3, 20, 200, 3_000]);
  const shape = random.pick(['text', 'number', 'structured'] as const);
  return () => {
    if (random.chance(0.03)) return null;
    const i = Math.floor(different * random.next() ** random.pick([1, 3]));
    return shape === 'text' ? `w${i}` : shape === 'number' ? i : 1e9 + i * 1_000;
  };
}

/** One window takes most records, or overlapping windows and sessions merge what their parts counted. */
export const aggregates: OperatorFamily<Options> = {
  name: 'aggregates',
  draw(random) {
    const count = random.chance(0.01) ? 1_500 : random.pick([5, 30, 100]);
    const [number, word] = [numbers(random), words(random)];
    const startMs = 1_000_000;
    const spec: Spec = random.chance(0.5)
      ? { kind: 'tumbling', size: 10_000_000, every: 10_000_000, offset: 0 }
      : drawSpec(random, count > 100 ? ['tumbling', 'session'] : ['hopping', 'session', 'sliding']);
    return {
      options: {
        window: spec,
        error: random.pick([0.01, 0.05, 0.001]),
        k: 1 + random.int(5),
        counters: random.pick([5, 16, 64]),
        valuesMax: random.pick([3, 20]),
      },
      disorderMs: 300,
      inputs: Array.from({ length: count }, () => ({
        in: 0,
        t: startMs + random.int(250),
        v: { x: number(), w: word() },
      })),
      restarts: restarts(random, count),
    };
  },
  operator: ({ window: spec, error, k, counters, valuesMax }) =>
    window({
      key: (_: Value) => 'all',
      window: specOf(spec),
      aggregate: {
        n: count<Value>(),
        known: count(x),
        sum: sum(x),
        mean: mean(x),
        sample: variance(x),
        population: variance(x, { ddof: 0 }),
        min: min(x),
        max: max(x),
        median: quantile(x, 0.5, { error }),
        quantiles: quantiles(x, [0, 0.1, 0.9, 0.99, 1], { error }),
        distinct: distinctCount(w),
        top: topK(w, k, { counters }),
        all: collect(x, { valuesMax }),
      },
      keysMax: 1,
    }),
};
