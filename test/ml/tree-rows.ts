import { readFileSync } from 'node:fs';
import type { FeatureShape, FeatureVector, Learner } from '../../src/core/index.js';
import { phishing, trumpApproval } from './data.js';
import { openLearner, vector } from './support.js';

/** A row of a stream that trees learn from: class 0, 1 or 2, or a number. */
export interface TreeRow {
  readonly features: FeatureVector;
  readonly label: number;
}

const ROWS = 6_000;

/** Numbers from 0 to 1 of 24 bits, by the generator of `benchmarks/peers/trees.py`. */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function rowsOf(seed: number, draw: (next: () => number, i: number) => TreeRow, rows = ROWS): readonly TreeRow[] {
  const next = uniform(seed);
  return Array.from({ length: rows }, (_, i) => draw(next, i));
}

const some = (count: number, next: () => number): number[] => Array.from({ length: count }, next);
const noisy = (truth: number, classes: number, share: number, next: () => number): number => {
  const [noise = 0, other = 0] = some(2, next);
  return noise < share ? Math.floor(other * classes) : truth;
};
/** Of 16 values, exact in 32 bits. */
const levels = (count: number, next: () => number): number[] => some(count, next).map((x) => Math.floor(x * 16) / 16);
const oneHot = (value: number, size: number) => Array.from({ length: size }, (_, i) => (i === value ? 1 : 0));

/** The rows that the script makes, by name. */
export const treeStreams = {
  numbers: rowsOf(1, (next) => {
    const x = some(5, next) as [number, number, number, number, number];
    const truth = x[0] < 0.6 ? (x[1] < 0.5 ? 0 : 1) : x[2] < 0.7 ? 2 : 0;
    return { features: vector(x), label: noisy(truth, 3, 1 / 12, next) };
  }),
  mixed: rowsOf(2, (next) => {
    const [first = 0, second = 0] = some(2, next).map((x) => Math.floor(x * 4));
    const x = some(2, next) as [number, number];
    const truth = first < 2 ? x[0] > 0.3 : second === 1;
    return {
      features: vector([...oneHot(first, 4), ...oneHot(second, 4), ...x]),
      label: noisy(Number(truth), 2, 0.1, next),
    };
  }),
  drifting: rowsOf(
    3,
    (next, i) => {
      const x = some(5, next) as [number, number, number, number, number];
      const truth = i < ROWS / 4 ? x[0] + x[1] > 1 : x[2] > x[1];
      return { features: vector(x), label: noisy(Number(truth), 2, 0.05, next) };
    },
    ROWS / 2,
  ),
  phishing: phishing.map(({ features, label }) => ({ features, label: Number(label) })),
};

/** Rows with a number as label. */
export const numberStreams = {
  levels: rowsOf(6, (next) => {
    const x = levels(4, next) as [number, number, number, number];
    const jump = x[0] > 0.4 ? (x[1] < 0.25 ? 10 : 6) : 0;
    return { features: vector(x), label: jump + 3 * x[2] + 2 * next() };
  }),
  priced: rowsOf(7, (next) => {
    const [first = 0, second = 0] = some(2, next).map((x) => Math.floor(x * 4));
    const x = levels(2, next) as [number, number];
    return {
      features: vector([...oneHot(first, 4), ...oneHot(second, 4), ...x]),
      label: (first === 2 ? 4 * x[0] : second) + next(),
    };
  }),
  bending: rowsOf(
    8,
    (next, i) => {
      const x = some(5, next);
      const [a = 0, b = 0, c = 0, d = 0] = i < ROWS / 4 ? x : x.toReversed();
      return { features: vector(x), label: 20 * a * b + 20 * (c - 0.5) * (c - 0.5) + 10 * d + 2 * next() };
    },
    ROWS / 2,
  ),
  approval: trumpApproval,
};

export type NumberStream = keyof typeof numberStreams;
export type TreeStream = keyof typeof treeStreams;

const kinds = [
  { at: 0, size: 4 },
  { at: 4, size: 4 },
];

export const treeShapes: Readonly<Record<TreeStream | NumberStream, FeatureShape>> = {
  numbers: { denseSize: 5, hashedSize: 0 },
  mixed: { denseSize: 10, hashedSize: 0, categories: kinds },
  drifting: { denseSize: 5, hashedSize: 0 },
  phishing: { denseSize: 9, hashedSize: 0 },
  levels: { denseSize: 4, hashedSize: 0 },
  priced: { denseSize: 10, hashedSize: 0, categories: kinds },
  bending: { denseSize: 5, hashedSize: 0 },
  approval: { denseSize: 6, hashedSize: 0 },
};

interface PeerTree {
  readonly accuracy: number;
  /** Of every 50th row. */
  readonly sampled: readonly (readonly number[])[];
}

/** What River made of the rows. */
export const peerTrees: {
  readonly trees: Readonly<Record<string, PeerTree>>;
  /** The mean accuracy, or mean absolute error, of ensembles and other models with a seed, over 20 of them. */
  readonly ensembles: Readonly<Record<string, number>>;
  readonly numberTrees: Readonly<Record<string, { readonly error: number; readonly sampled: readonly number[] }>>;
  /** The mean absolute error of a tree as River is, without what the script changes. */
  readonly asShipped: Readonly<Record<string, number>>;
} = JSON.parse(readFileSync(new URL('peer-trees.json', import.meta.url), 'utf8'));

/** Predicts each row of a stream, then learns it. `each` gets the scores. */
export function accuracyOf(
  learner: Learner<number, Float64Array>,
  stream: TreeStream,
  each: (scores: Float64Array, row: number) => void = () => {},
): number {
  const model = openLearner(learner, treeShapes[stream]);
  const rows = treeStreams[stream];
  let right = 0;
  rows.forEach(({ features, label }, i) => {
    const scores = model.predictOne(features);
    each(scores, i);
    if (learner.classes?.[scores.indexOf(Math.max(...scores))] === label) right += 1;
    model.learnOne(features, label);
  });
  return right / rows.length;
}

/** The mean absolute error of a learner that predicts each row of a stream, then learns it. `each` gets the predictions. */
export function errorOf(
  learner: Learner<number, number>,
  stream: NumberStream,
  each: (said: number, row: number) => void = () => {},
): number {
  const model = openLearner(learner, treeShapes[stream]);
  const rows = numberStreams[stream];
  let sum = 0;
  rows.forEach(({ features, label }, i) => {
    const said = model.predictOne(features);
    each(said, i);
    sum += Math.abs(said - label);
    model.learnOne(features, label);
  });
  return sum / rows.length;
}

/** The accuracy of a learner over the seeds 0 to 19, on average. */
export function meanAccuracyOf(learnerOf: (seed: number) => Learner<number, Float64Array>, stream: TreeStream): number {
  const seeds = Array.from({ length: 20 }, (_, seed) => seed);
  return seeds.reduce((sum, seed) => sum + accuracyOf(learnerOf(seed), stream), 0) / seeds.length;
}
