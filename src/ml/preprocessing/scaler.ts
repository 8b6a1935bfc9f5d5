import type { FeatureArray, FeatureNumbers, FeatureShape, Refusal, Transformer } from '../../core/learner.js';
import { float64Cell } from '../../state/index.js';
import { FEATURE_MAX, rowLimits } from '../learners/rows.js';

/** Numbers in a block of a scaler's state. */
const BLOCK = 256;

/**
 * How features are scaled, each by itself: pure functions over numbers that lie at `state[1 + i * width...]` for feature `i`. They
 * take whole rows: a call a feature would cost more than the scaling.
 */
export interface ScaleRule {
  /** Numbers kept a feature. */
  readonly width: number;
  /** Takes in a row: `rows` is the weight of all rows with this one, `weight` that of this one, `state[0]` that of those before it. */
  learn(state: Float64Array, row: FeatureArray, size: number, rows: number, weight: number): void;
  /** Writes where each value of a row stands. */
  scale(state: Float64Array, row: FeatureArray, size: number, into: Float64Array): void;
}

const scalerCells = (rule: ScaleRule, { denseSize }: FeatureShape) => ({
  scales: float64Cell({ size: 1 + rule.width * denseSize, block: BLOCK }),
});

export type ScalerCells = ReturnType<typeof scalerCells>;

/**
 * A transformer that scales each dense feature by itself; hashed features pass. State: `[rows, then a record a feature]`.
 * A staged row is learnt on a copy, which `commit` takes over.
 */
export function scaler(kind: string, rule: ScaleRule): Transformer<ScalerCells> {
  return Object.freeze({
    kind,
    settings: Object.freeze({}),
    cells: (shape: FeatureShape) => scalerCells(rule, shape),
    open({ scales }, { denseSize }) {
      const { values: state } = scales;
      const staged = new Float64Array(state.length);
      const limits = rowLimits(denseSize, FEATURE_MAX);
      const dense = new Float64Array(denseSize);
      // One object for all rows: allocating one a row would cost as much as scaling a few features.
      const out: { dense: FeatureArray; indices: Uint32Array; values: FeatureArray } = {
        dense,
        indices: new Uint32Array(0),
        values: dense,
      };
      const scale = (by: Float64Array, { dense: given, indices, values }: FeatureNumbers): FeatureNumbers => {
        rule.scale(by, given, denseSize, dense);
        out.indices = indices;
        out.values = values;
        return out;
      };
      return {
        transformOne: (features) => scale(state, limits.usable(features)),
        stageOne(features, weight): FeatureNumbers | Refusal {
          const refusal = limits.refusalOf(features, weight);
          if (refusal) return refusal;
          staged.set(state);
          const rows = (staged[0] as number) + weight;
          rule.learn(staged, features.dense, denseSize, rows, weight);
          staged[0] = rows;
          return scale(staged, features);
        },
        commit() {
          state.set(staged);
          for (let at = 0; at < state.length; at += BLOCK) scales.touch(at);
        },
      };
    },
  } satisfies Transformer<ScalerCells>);
}
