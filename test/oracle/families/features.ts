import { featureView, rolling } from '../../../src/ml/features/index.js';
import { featurize } from '../../../src/operators/index.js';
import { length, ms, type OperatorFamily, type OracleInput, restarts, times } from '../case.js';

interface Options {
  readonly halfLife: number;
  readonly clip: readonly [number, number] | null;
  readonly prior: number;
  readonly priorWeight: number;
  readonly center: number;
  readonly scale: number;
  readonly wait: number;
  readonly pendingMax: number;
}
interface Row {
  readonly id: number;
  readonly g: string | null;
}
interface Outcome {
  readonly id: number;
  readonly y: number;
}

/** Rolling means by group and over all, fed by outcomes that come late, twice, or of rows that nobody knows. */
export const features: OperatorFamily<Options> = {
  name: 'features',
  draw(random) {
    const count = length(random);
    const rows: number[] = [];
    const inputs = times(random, count, random.pick([0, 20])).map((t, id): OracleInput => {
      if (rows.length === 0 || random.chance(0.5)) {
        rows.push(id);
        return { in: 0, t, v: { id, g: random.chance(0.05) ? null : `g${random.int(3)}` } };
      }
      const of = random.chance(0.03) ? -1 : random.pick(rows.slice(-random.pick([1, 5, 100])));
      return { in: 1, t, v: { id: of, y: random.int(60) - 20 } };
    });
    return {
      options: {
        halfLife: random.pick([1, 20, 500]),
        clip: random.chance(0.5) ? [-10, 20] : null,
        prior: random.pick([0, 5]),
        priorWeight: random.pick([1, 0.5, 10]),
        center: random.pick([0, 5, -3]),
        scale: random.pick([1, 30]),
        wait: random.pick([5, 40, 10_000]),
        pendingMax: random.pick([2, 1_000]),
      },
      disorderMs: 0,
      inputs,
      restarts: restarts(random, count),
    };
  },
  operator({ halfLife, clip, prior, priorWeight, center, scale, wait, pendingMax }) {
    const options = {
      value: 'y',
      halfLife: ms(halfLife),
      ...(clip && { clip }),
      prior,
      priorWeight,
      center,
      scale,
    } as const;
    return featurize(
      featureView({
        name: 'rolling',
        version: 1,
        columns: { g: (row: Row) => row.g },
        outcome: {
          key: (row: Row) => row.id,
          outcomeKey: (outcome: Outcome) => outcome.id,
          values: { y: (outcome: Outcome) => outcome.y },
          wait: ms(wait),
          pendingMax,
        },
        features: { group: rolling({ by: 'g', ...options }), all: rolling(options) },
      }),
    );
  },
  plain(value) {
    const { id, features } = value as { id: number; features: { dense: Float32Array } };
    return { id, dense: [...features.dense] };
  },
};
