import type { FeatureShape, FeatureVector, Learner, LearnerLogic } from '../../../core/learner.js';
import type { OpenCells } from '../../../core/state.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { requirePositive } from '../../check-options.js';
import type { Optimizer } from '../../optimizers/optimizer.js';
import { type StandardScaler, scalerSize, standardScaler } from '../../preprocessing/standard-scaler.js';

/** How weights are found, and how features are scaled. */
export interface LogisticRegressionOptions {
  readonly optimizer: Optimizer;
  /** `standard` learns mean and variance of each dense feature and feeds the model standard deviations. */
  readonly scale?: 'none' | 'standard';
  /** Largest size of a feature: predictions clamp what is beyond, updates with it are refused; 1e6 by default. */
  readonly featureMax?: number;
}

/** Numbers in a block of state, the unit that is written when one of them changed; a multiple of every optimizer's width. */
const BLOCK = 256;

type Cells = ReturnType<typeof cellsOf>;

/**
 * Online logistic regression over dense and hashed features: the probability that the label is true.
 *
 * Guarantees: `predictOne` changes nothing; `learnOne` refuses (returns false, changes nothing) a row with a feature
 * that is not finite or beyond `featureMax`, so one absurd row can neither poison a weight nor end its learning; after a
 * restore every weight has the bits it had.
 * Memory: state of `optimizer.width` numbers (8 bytes each) for the intercept, each dense and each hashed coordinate,
 * and as many cached weights.
 *
 * @example
 * learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), { as: 'late', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function logisticRegression(options: LogisticRegressionOptions): Learner<boolean, number, Cells> {
  const { optimizer, scale = 'none', featureMax = 1e6 } = options;
  requirePositive('logisticRegression', { featureMax });
  return Object.freeze({
    kind: 'logistic-regression',
    settings: Object.freeze({ optimizer: optimizer.name, ...optimizer.settings, scale, featureMax }),
    cells: (shape: FeatureShape) => cellsOf(optimizer, scale, shape),
    open: (cells: OpenCells<Cells>, shape: FeatureShape) => openModel(cells, shape, optimizer, scale, featureMax),
  });
}

const coordinates = ({ denseSize, hashedSize }: FeatureShape) => 1 + denseSize + hashedSize;

function cellsOf(optimizer: Optimizer, scale: 'none' | 'standard', shape: FeatureShape) {
  const { denseSize, layout: version = 1 } = shape;
  return {
    model: float64Cell({ size: coordinates(shape) * optimizer.width, block: BLOCK, version }),
    scaler: float64Cell({ size: scalerSize(scale === 'standard' ? denseSize : 0), block: BLOCK, version }),
  };
}

type Numbers = Float32Array | Float64Array;

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

function openModel(
  cells: { readonly model: Float64Cell; readonly scaler: Float64Cell },
  { denseSize, hashedSize }: FeatureShape,
  { width, weights: rule, intercept: interceptRule }: Optimizer,
  scaling: 'none' | 'standard',
  featureMax: number,
): LearnerLogic<boolean, number> {
  const { model, scaler } = cells;
  const state = model.values;
  const firstHashed = 1 + denseSize;
  const scaled = scaling === 'standard' ? standardScaler(scaler.values, denseSize) : undefined;

  // Weights are a pure function of the state; computing them once a change instead of once a prediction saves a square
  // root and a division a coordinate. They are made at the first use, when the state has surely been restored.
  let cached: Float64Array | undefined;
  const weightsNow = (): Float64Array => {
    if (cached) return cached;
    cached = new Float64Array(firstHashed + hashedSize);
    cached[0] = interceptRule.weight(state, 0);
    for (let i = 1; i < cached.length; i++) cached[i] = rule.weight(state, i * width);
    return cached;
  };

  const clamp = (x: number): number => {
    if (x <= featureMax && x >= -featureMax) return x;
    return Number.isNaN(x) ? 0 : Math.sign(x) * featureMax;
  };

  const areUsable = (numbers: Float32Array, length: number) => {
    for (let i = 0; i < length; i++) if (!(Math.abs(numbers[i] as number) <= featureMax)) return false;
    return true;
  };
  const isUsable = ({ dense, indices, values }: FeatureVector) =>
    areUsable(dense, denseSize) && areUsable(values, indices.length);

  // Clamping and scaling are done before, since neither is needed of most rows: a call in a loop costs as much as the rest.
  const scaledDense = new Float64Array(scaled ? denseSize : 0);
  const scale = (scaler: StandardScaler, dense: Numbers): Float64Array => {
    for (let i = 0; i < denseSize; i++) scaledDense[i] = scaler.scaled(i, dense[i] as number);
    return scaledDense;
  };
  const logit = (w: Float64Array, dense: Numbers, indices: Uint32Array, values: Numbers): number => {
    let sum = w[0] as number;
    for (let i = 0; i < denseSize; i++) sum += (w[1 + i] as number) * (dense[i] as number);
    for (let i = 0; i < indices.length; i++) {
      sum += (w[firstHashed + (indices[i] as number)] as number) * (values[i] as number);
    }
    return sum;
  };

  return {
    predictOne(features) {
      const { indices } = features;
      let { dense, values }: { dense: Numbers; values: Numbers } = features;
      if (!isUsable(features)) {
        dense = Float64Array.from(dense, clamp);
        values = Float64Array.from(values, clamp);
      }
      if (scaled) dense = scale(scaled, dense);
      return sigmoid(logit(weightsNow(), dense, indices, values));
    },

    learnOne(features, label) {
      if (!isUsable(features)) return false;
      const { indices, values } = features;
      let { dense }: { dense: Numbers } = features;
      const w = weightsNow();
      if (scaled) {
        scaled.learn(dense);
        for (let at = 0; at < scaler.values.length; at += BLOCK) scaler.touch(at);
        dense = scale(scaled, dense);
      }
      const slope = sigmoid(logit(w, dense, indices, values)) - (label ? 1 : 0);
      w[0] = interceptRule.update(state, 0, slope, w[0] as number);
      for (let i = 0; i < denseSize; i++) {
        w[1 + i] = rule.update(state, (1 + i) * width, slope * (dense[i] as number), w[1 + i] as number);
      }
      for (let at = 0; at < firstHashed * width; at += BLOCK) model.touch(at);
      for (let i = 0; i < indices.length; i++) {
        const coordinate = firstHashed + (indices[i] as number);
        const at = coordinate * width;
        w[coordinate] = rule.update(state, at, slope * (values[i] as number), w[coordinate] as number);
        model.touch(at);
      }
      return true;
    },
  };
}
