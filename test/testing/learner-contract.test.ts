import { describe, expect, it } from 'vitest';
import type { ClassScores, FeatureNumbers, Learner, LearnerLogic, LearnerOutput } from '../../src/core/index.js';
import { type Float64Cell, float64Cell } from '../../src/state/index.js';
import { checkLearner, featureVector, type LearnerRow } from '../../src/testing/learner-contract.js';

const shape = { denseSize: 2, hashedSize: 8 };
const rows: LearnerRow<number>[] = Array.from({ length: 6 }, (_, i) => ({
  features: featureVector([i / 3, 1 - i / 5], [i % 8, (3 * i + 1) % 8]),
  label: i % 2,
}));

/**
 * A learner in a few lines: weights of a linear sum that move towards the label. What each output promises differs only in how
 * the sum is shown. Mutants change one thing of it.
 */
function honest(output: LearnerOutput): Learner<number, number | ClassScores> {
  return {
    kind: 'honest',
    settings: {},
    output,
    ...(output === 'scores' ? { classes: ['low', 'high'] } : {}),
    cells: () => ({ weights: float64Cell({ size: 10, block: 2 }) }),
    open(cells) {
      const weights = cells.weights as Float64Cell;
      const scores = new Float64Array(2);
      const each = ({ dense, indices, values }: FeatureNumbers, visit: (at: number, x: number) => void) => {
        for (let i = 0; i < 2; i++) visit(i, Number.isFinite(dense[i]) ? (dense[i] as number) : 0);
        for (let i = 0; i < indices.length; i++) visit(2 + (indices[i] as number), values[i] as number);
      };
      const sum = (row: FeatureNumbers) => {
        let total = 0;
        each(row, (at, x) => {
          total += (weights.values[at] as number) * x;
        });
        return total;
      };
      return {
        predictOne(row) {
          const share = 1 / (1 + Math.exp(-sum(row)));
          if (output === 'number') return sum(row);
          if (output === 'distances') return Float64Array.of(Math.abs(sum(row)), Number.POSITIVE_INFINITY);
          if (output !== 'scores') return share;
          scores[0] = 1 - share;
          scores[1] = share;
          return scores;
        },
        learnOne(row, label, weight = 1) {
          if (!row.dense.every(Number.isFinite)) return 'not-finite';
          if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) return 'unusable-weight';
          each(row, (at, x) => {
            weights.values[at] = (weights.values[at] as number) + weight * 0.1 * (label - 0.4) * x;
            weights.touch(at);
          });
          return 'learnt';
        },
      };
    },
  };
}

type Logic = LearnerLogic<number, number | ClassScores>;

/** The honest learner with another logic: given the honest one and its weights. */
function mutant(output: LearnerOutput, change: (logic: Logic, weights: Float64Cell) => Partial<Logic>) {
  const learner = honest(output);
  return {
    ...learner,
    open(cells: never, size: never) {
      const logic = learner.open(cells, size);
      return { ...logic, ...change(logic, (cells as { weights: Float64Cell }).weights) };
    },
  } as typeof learner;
}

const outputs: LearnerOutput[] = ['probability', 'number', 'scores', 'distances', 'anomaly'];

describe('checkLearner', () => {
  it.each(outputs)('lets an honest learner of a %s pass', (output) => {
    checkLearner(honest(output), rows, shape, { weightIsCount: true });
  });

  let kept: FeatureNumbers | undefined;
  const mutants: [string, Learner<number, number | ClassScores>, string][] = [
    [
      'whose predictions change it',
      mutant('number', (logic, weights) => ({
        predictOne(row) {
          weights.values[0] = (weights.values[0] as number) + 1e-6;
          weights.touch(0);
          return logic.predictOne(row);
        },
      })),
      'predicting twice changed the prediction',
    ],
    [
      'whose predictions mark state as changed',
      mutant('number', (logic, weights) => ({
        predictOne(row) {
          weights.touch(0);
          return logic.predictOne(row);
        },
      })),
      'predicting changed the state',
    ],
    [
      'that forgets what is not in its cells',
      mutant('number', (logic) => {
        let seen = 0;
        return {
          predictOne: (row) => (logic.predictOne(row) as number) + seen * 1e-9,
          learnOne(row, label, weight) {
            seen++;
            return logic.learnOne(row, label, weight);
          },
        };
      }),
      'restored, it predicted otherwise',
    ],
    [
      'that learns from what it predicted last',
      mutant('number', (logic) => {
        let last = 0;
        return {
          predictOne(row) {
            last = logic.predictOne(row) as number;
            return last;
          },
          learnOne: (row, label, weight) => logic.learnOne(row, label + 1e-9 * last, weight),
        };
      }),
      'restored from a snapshot and updates, it predicted otherwise',
    ],
    [
      'that does not mark what it changed',
      mutant('number', (logic, weights) => ({
        learnOne(row, label, weight) {
          const { touch } = weights;
          weights.touch = (at) => (at < 2 ? touch.call(weights, at) : undefined);
          const result = logic.learnOne(row, label, weight);
          weights.touch = touch;
          return result;
        },
      })),
      'restored, it predicted otherwise',
    ],
    [
      'that changes the row',
      mutant('number', (logic) => ({
        learnOne(row, label, weight) {
          row.dense[0] = (row.dense[0] as number) + 1;
          return logic.learnOne(row, label, weight);
        },
      })),
      'the learner changed the row',
    ],
    [
      'that keeps the row',
      mutant('number', (logic) => ({
        predictOne(row) {
          return (logic.predictOne(row) as number) + (Number.isNaN(kept?.dense[0]) ? 1 : 0);
        },
        learnOne(row, label, weight) {
          kept = row;
          return logic.learnOne(row, label, weight);
        },
      })),
      'predicting twice changed the prediction',
    ],
    [
      'that minds the order of coordinates',
      mutant('number', (logic) => ({
        predictOne: (row) => (logic.predictOne(row) as number) + (row.indices[0] ?? 0),
      })),
      'the order of coordinates mattered',
    ],
    [
      'that learns a number which is not finite',
      mutant('number', (logic) => ({
        learnOne: (row, label, weight) =>
          logic.learnOne({ ...row, dense: row.dense.map((x) => (Number.isNaN(x) ? 0 : x)) }, label, weight),
      })),
      'a row with the feature NaN was learnt',
    ],
    [
      'that changes its state where it refuses',
      mutant('number', (logic, weights) => ({
        learnOne(row, label, weight) {
          const result = logic.learnOne(row, label, weight);
          if (result === 'not-finite') weights.touch(0);
          return result;
        },
      })),
      'was refused, and changed the state',
    ],
    [
      'that learns with a weight of 0',
      mutant('number', (logic) => ({ learnOne: (row, label, weight) => logic.learnOne(row, label, weight || 1) })),
      'a row with the weight 0 was learnt',
    ],
    [
      'that does not mind the weight',
      mutant('number', (logic) => ({
        learnOne: (row, label, weight = 1) => logic.learnOne(row, label, weight === 2 ? 1 : weight),
      })),
      'a weight of 2 is not learning twice',
    ],
    [
      'that predicts many rows otherwise',
      mutant('number', (logic) => ({
        predictMany(many, use) {
          many.forEach((row, i) => {
            use((logic.predictOne(row) as number) + i * 1e-12, i);
          });
        },
      })),
      'predictMany or learnMany gave another prediction',
    ],
    [
      'that learns many rows at once',
      mutant('number', (logic) => ({
        learnMany(updates, use = () => {}) {
          updates.toReversed().forEach(({ features, label, weight }, i) => {
            use(logic.learnOne(features, label, weight), i);
          });
        },
      })),
      'learnMany',
    ],
    [
      'that says many rows were refused',
      mutant('number', (logic) => ({
        learnMany(updates, use = () => {}) {
          updates.forEach(({ features, label, weight }, i) => {
            logic.learnOne(features, label, weight);
            use('too-large', i);
          });
        },
      })),
      'learnMany gave other results',
    ],
    ['that predicts NaN', mutant('number', () => ({ predictOne: () => Number.NaN })), 'a prediction is not a number'],
    ['whose probability is 2', mutant('probability', () => ({ predictOne: () => 2 })), 'no probability'],
    [
      'that keeps what it has made of numbers that were replaced',
      mutant('number', (logic, weights) => {
        let cached: number | undefined;
        return {
          predictOne(row) {
            cached ??= weights.values[0] as number;
            return (logic.predictOne(row) as number) - (weights.values[0] as number) + cached;
          },
          learnOne(row, label, weight) {
            const result = logic.learnOne(row, label, weight);
            cached = undefined;
            return result;
          },
        };
      }),
      'given the numbers of another model',
    ],
    ['whose anomaly is 2', mutant('anomaly', () => ({ predictOne: () => 2 })), 'no anomaly'],
    ['whose distances are none', mutant('distances', () => ({ predictOne: () => 1 })), 'distances are no Float64Array'],
    [
      'whose distance is below 0',
      mutant('distances', () => ({ predictOne: () => Float64Array.of(1, -1) })),
      'distances are 1, -1',
    ],
    [
      'whose scores do not add up to 1',
      mutant('scores', () => ({ predictOne: () => Float64Array.of(0.6, 0.6) })),
      'scores are 0.6, 0.6',
    ],
    [
      'that has no score for a class',
      mutant('scores', () => ({ predictOne: () => Float64Array.of(1) })),
      'there are 1 scores of 2 classes',
    ],
    ['whose scores are a number', mutant('scores', () => ({ predictOne: () => 1 })), 'scores are no Float64Array'],
    [
      'that cannot stand a row without hashed coordinates',
      mutant('number', (logic) => ({
        predictOne: (row) => (row.indices.length === 0 ? Number.NaN : logic.predictOne(row)),
      })),
      'a prediction is not a number',
    ],
    [
      'that predicts NaN for a feature that is NaN',
      mutant('number', (logic) => ({
        predictOne: (row) => (row.dense.some(Number.isNaN) ? Number.NaN : logic.predictOne(row)),
      })),
      'a prediction is not a number for a row with NaN',
    ],
  ];

  it.each(mutants)('catches one %s', (_name, learner, promise) => {
    kept = undefined;
    expect(() => checkLearner(learner, rows, shape, { weightIsCount: true })).toThrow(promise);
  });
});
