import {
  dedupe,
  type ImputeRules,
  impute,
  sample,
  sampleWindows,
  stratify,
  throttle,
  undersample,
} from '../../../src/operators/index.js';
import type { SlicedSpec } from '../../../src/operators/window/spec.js';
import type { Driven } from '../../../src/testing/drive-operator.js';
import type { Random } from '../../../src/testing/sim/index.js';
import { type Drawn, length, ms, type OperatorFamily, restarts, times } from '../case.js';
import { drawSpec, type Spec, specOf } from './windows.js';

interface Value {
  readonly k: string | number | null;
  readonly g: string;
}
const k = ({ k }: Value) => k;
const g = ({ g }: Value) => g;

function drawValues<Options>(random: Random, options: Options, disorderMs: number, keys: number): Drawn<Options> {
  const count = length(random);
  const value = (): Value => {
    const i = random.int(keys);
    return { k: random.chance(0.02) ? null : random.chance(0.3) ? i : `k${i}`, g: `g${random.int(3)}` };
  };
  return {
    options,
    disorderMs,
    inputs: times(random, count, disorderMs).map((t) => ({ in: 0, t, v: value() })),
    restarts: restarts(random, count),
  };
}

interface DedupeOptions {
  readonly retention: number;
  readonly keysMax: number;
}

export const duplicates: OperatorFamily<DedupeOptions> = {
  name: 'dedupe',
  draw(random) {
    const options = { retention: random.pick([1, 10, 60, 10_000]), keysMax: random.pick([2, 5, 1_000]) };
    return drawValues(random, options, random.pick([0, 20]), random.pick([3, 20]));
  },
  operator: ({ retention, keysMax }) => dedupe({ key: k, retention: ms(retention), keysMax }),
};

type SamplingOptions =
  | { readonly kind: 'sample'; readonly rate: number }
  | {
      readonly kind: 'stratify';
      readonly rates: Readonly<Record<string, number>>;
      readonly records: number;
      readonly every: number;
      readonly strataMax: number;
    }
  | { readonly kind: 'windows'; readonly window: Spec; readonly size: number; readonly grouped: boolean }
  | { readonly kind: 'undersample'; readonly shares: Readonly<Record<string, number>> }
  | { readonly kind: 'throttle'; readonly records: number; readonly per: number; readonly burst: number };

const drawSampling = (random: Random): SamplingOptions => {
  switch (random.int(5)) {
    case 0:
      return { kind: 'sample', rate: random.pick([0, 0.1, 0.5, 0.9, 1]) };
    case 1:
      return {
        kind: 'stratify',
        rates: { g0: random.pick([0, 0.5, 1]) },
        records: 1 + random.int(4),
        every: random.pick([5, 40]),
        strataMax: random.pick([2, 10]),
      };
    case 2:
      return {
        kind: 'windows',
        window: drawSpec(random, ['tumbling']),
        size: 1 + random.int(4),
        grouped: random.chance(0.5),
      };
    case 3:
      return { kind: 'undersample', shares: random.chance(0.5) ? { g0: 1, g1: 1, g2: 1 } : { g0: 1, g1: 3 } };
    default:
      return { kind: 'throttle', records: 1 + random.int(3), per: random.pick([5, 30]), burst: 1 + random.int(4) };
  }
};

export const sampling: OperatorFamily<SamplingOptions> = {
  name: 'sampling',
  draw: (random) => drawValues(random, drawSampling(random), random.pick([0, 20]), random.pick([3, 20, 200])),
  operator(options): Driven {
    switch (options.kind) {
      case 'sample':
        return sample({ key: k, rate: options.rate });
      case 'stratify':
        return stratify({
          stratum: g,
          key: k,
          rates: options.rates,
          quota: { records: options.records, every: ms(options.every) },
          strataMax: options.strataMax,
        });
      case 'windows':
        return sampleWindows({
          window: specOf(options.window) as SlicedSpec,
          size: options.size,
          key: k,
          ...(options.grouped && { by: g, groupsMax: 1_000 }),
        });
      case 'undersample':
        return undersample({ class: g, shares: options.shares, key: k, as: 'weight' });
      case 'throttle':
        return throttle({
          key: k,
          records: options.records,
          per: ms(options.per),
          burst: options.burst,
          keysMax: 1_000,
        });
    }
  },
};

interface ImputeOptions {
  readonly use: 'mean' | 'median' | 'mode' | 'last' | 'constant' | 'nearest';
  readonly grouped: boolean;
  readonly window: number | null;
  readonly neighbors: number;
  readonly scale: 'range' | 'none';
  readonly fallback: number | null;
}
interface Measured {
  readonly x: number | null;
  readonly g: string | null;
  readonly a: number | null;
  readonly b: number | null;
}

export const imputers: OperatorFamily<ImputeOptions> = {
  name: 'imputers',
  draw(random) {
    // Some longer than the windows of the defaults.
    const count = random.chance(0.005) ? 1_300 : length(random);
    const use = random.pick(['mean', 'median', 'mode', 'last', 'constant', 'nearest'] as const);
    const windowed = use === 'median' || use === 'mode' || use === 'nearest';
    const grouped = use !== 'constant' && use !== 'nearest' && random.chance(0.4);
    const number = random.pick([() => random.int(8), () => random.int(2_000) / 8, () => random.next() * 1e6]);
    const some = (share: number, value: () => number) => (random.chance(share) ? null : value());
    return {
      options: {
        use,
        grouped,
        window: windowed && !grouped ? random.pick([null, 1, 4, 31]) : null,
        neighbors: 1 + random.int(4),
        scale: random.pick(['range', 'none']),
        fallback: random.chance(0.5) ? 77 : null,
      },
      disorderMs: 0,
      inputs: times(random, count, 0).map((t) => ({
        in: 0,
        t,
        v: {
          x: some(0.3, number),
          g: random.chance(0.05) ? null : `g${random.int(3)}`,
          a: some(0.15, () => random.int(10)),
          b: some(0.15, () => random.int(10)),
        },
      })),
      restarts: restarts(random, count),
    };
  },
  operator({ use, grouped, window, neighbors, scale, fallback }): Driven {
    const more = {
      ...(window !== null && { window }),
      ...(fallback !== null && { fallback }),
      ...(grouped && { by: (value: Measured) => value.g, groupsMax: 1_000 }),
    };
    const rule =
      use === 'constant'
        ? { constant: 5 }
        : use === 'nearest'
          ? { use, of: ['a', 'b'], neighbors, scale, ...more }
          : { use, ...more };
    return impute<Measured, ImputeRules<Measured>>({ x: rule } as never);
  },
};
