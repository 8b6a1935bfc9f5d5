import { window, windowOfChanges } from '../../../src/operators/index.js';
import type { Random } from '../../../src/testing/sim/index.js';
import {
  collect,
  count,
  counting,
  type EmitStrategy,
  first,
  hopping,
  last,
  max,
  mean,
  min,
  onClose,
  onInterval,
  onUpdate,
  session,
  sliding,
  sum,
  tumbling,
  type WindowSpec,
} from '../../../src/window.js';
import { length, ms, type OperatorFamily, restarts, times } from '../case.js';

export interface Spec {
  readonly kind: 'tumbling' | 'hopping' | 'session' | 'sliding' | 'counting';
  readonly size: number;
  readonly every: number;
  readonly offset: number;
}

interface Options {
  readonly window: Spec;
  readonly emit: 'close' | 'interval' | 'update';
  readonly every: number;
  readonly lateness: number;
  readonly late: 'dead-letter' | 'count';
  readonly keysMax: number;
}

interface Value {
  readonly k: string | null;
  /** Whole, so that sums are exact. */
  readonly x: number | null;
  readonly at?: number;
}

export function specOf({ kind, size, every, offset }: Spec): WindowSpec {
  switch (kind) {
    case 'tumbling':
      return tumbling(ms(size), { offset: ms(offset) });
    case 'hopping':
      return hopping({ size: ms(size), every: ms(every), offset: ms(offset) });
    case 'session':
      return session({ gap: ms(size) });
    case 'sliding':
      return sliding(ms(size));
    case 'counting':
      return counting(size);
  }
}

const emitOf = ({ emit, every }: Options): EmitStrategy<'row' | 'change'> =>
  emit === 'close' ? onClose() : emit === 'update' ? onUpdate() : onInterval({ every: ms(every) });

const x = ({ x }: Value) => x;
const k = ({ k }: Value) => k as string;

export function drawSpec(random: Random, kinds: readonly Spec['kind'][]): Spec {
  const kind = random.pick(kinds);
  const size = kind === 'counting' ? 1 + random.int(5) : random.pick([1, 7, 20, 50, 120]);
  const every =
    kind === 'hopping' ? Math.max(1, random.pick([size, Math.ceil(size / 2), Math.ceil(size / 3), 4])) : size;
  const offset = kind === 'tumbling' || kind === 'hopping' ? random.pick([0, 0, 3, -5]) : 0;
  return { kind, size, every: Math.min(size, every), offset };
}

const lateness = (random: Random) => random.pick([0, 0, 5, 30]);
const someKey = (random: Random, keys: number) => (random.chance(0.02) ? null : `k${random.int(keys)}`);
const someNumber = (random: Random) => (random.chance(0.1) ? null : random.int(41) - 20);

export const windows: OperatorFamily<Options> = {
  name: 'windows',
  draw(random) {
    const disorderMs = random.pick([0, 0, 5, 20]);
    const count = length(random);
    const keys = 1 + random.int(3);
    const spec = drawSpec(random, [
      'tumbling',
      'tumbling',
      'hopping',
      'hopping',
      'session',
      'session',
      'sliding',
      'counting',
    ]);
    const corrected = spec.kind !== 'sliding' && spec.kind !== 'counting';
    return {
      options: {
        window: spec,
        emit: corrected ? random.pick(['close', 'close', 'interval', 'update']) : 'close',
        every: random.pick([1, 6, 25, spec.size]),
        lateness: spec.kind === 'counting' ? 0 : lateness(random),
        late: random.pick(['dead-letter', 'count']),
        keysMax: spec.kind === 'tumbling' && random.chance(0.2) ? 2 : 100,
      },
      disorderMs,
      inputs: times(random, count, disorderMs).map((t) => ({
        in: 0,
        t,
        v: { k: someKey(random, keys), x: someNumber(random) },
      })),
      restarts: restarts(random, count),
    };
  },
  operator: (options) =>
    window({
      key: k,
      window: specOf(options.window),
      aggregate: {
        n: count<Value>(),
        sum: sum(x),
        mean: mean(x),
        min: min(x),
        max: max(x),
        first: first(x),
        last: last(x),
        all: collect(x, { valuesMax: 6 }),
      },
      emit: emitOf(options),
      allowedLateness: ms(options.lateness),
      late: options.late,
      keysMax: options.keysMax,
    }),
};

/** A log of corrections: each value is added once and taken back at most once. */
export const changes: OperatorFamily<Options> = {
  name: 'changes',
  draw(random) {
    const disorderMs = random.pick([0, 0, 5, 20]);
    const count = length(random);
    const keys = 1 + random.int(3);
    const spec = drawSpec(random, ['tumbling', 'hopping']);
    const held: Value[] = [];
    const inputs = times(random, count, disorderMs).map((t) => {
      const before = held.length > 0 && random.chance(0.4) ? held.splice(random.int(held.length), 1)[0] : null;
      const after: Value | null =
        before && random.chance(0.4)
          ? null
          : { k: `k${random.int(keys)}`, x: someNumber(random), at: t - random.int(15) + 5 };
      if (after) held.push(after);
      return { in: 0, t, v: { key: 'row', before, after } };
    });
    return {
      options: {
        window: spec,
        emit: random.pick(['close', 'interval', 'update']),
        every: random.pick([1, 6, 25, spec.size]),
        lateness: lateness(random),
        late: random.pick(['dead-letter', 'count']),
        keysMax: 100,
      },
      disorderMs,
      inputs,
      restarts: restarts(random, count),
    };
  },
  operator: (options) =>
    windowOfChanges({
      key: k,
      eventTime: ({ at }: Value) => at as number,
      window: specOf(options.window),
      aggregate: { n: count<Value>(), sum: sum(x), mean: mean(x) },
      emit: emitOf(options),
      allowedLateness: ms(options.lateness),
      late: options.late,
      keysMax: options.keysMax,
    }),
};
