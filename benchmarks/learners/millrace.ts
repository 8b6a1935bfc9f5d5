import { createInterface } from 'node:readline';
import type { FeatureNumbers, LearnerLogic } from '../../src/core/learner.js';
import { featureView, hashed } from '../../src/ml/features/index.js';
import { openLearner } from '../../src/testing.js';
import { type Case, cases, HASH_BITS, type Judge } from './cases.js';
import { readNumbers, readStrings, type StringRow } from './rows.js';
import type { Order, Reply } from './side.js';

// Millrace as a side: answers orders from the standard input, one a line.

const none = new Uint32Array(0);
const noValues = new Float32Array(0);

function viewOf(columns: number) {
  const names = Array.from({ length: columns }, (_, i) => `f${i}`);
  return featureView({
    name: 'strings',
    version: 1,
    hashBits: HASH_BITS,
    columns: Object.fromEntries(names.map((name) => [name, (row: StringRow) => row[name]])),
    features: Object.fromEntries(names.map((name) => [name, hashed(name)])),
  });
}

/** A prediction as a number that can be judged. */
function numberOf({ output, classes }: Case['learner'], judge: Judge): (prediction: never) => number {
  if (output === 'probability' && judge === 'accuracy') return (probability: number) => (probability > 0.5 ? 1 : 0);
  if (output === 'scores')
    return (scores: Float64Array) => {
      let best = 0;
      for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
      return classes?.[best] as number;
    };
  if (output === 'distances') return (distances: Float64Array) => distances[0] as number;
  return (prediction: number) => prediction;
}

const judges: Readonly<Record<Judge, (said: number, label: number) => number>> = {
  'log loss': (said, label) => -Math.log(Math.max(1e-15, label ? said : 1 - said)),
  accuracy: (said, label) => (said === label ? 1 : 0),
  'mean error': (said, label) => Math.abs(said - label),
  'mean score': (said) => said,
  nothing: () => 0,
};

interface Work {
  readonly shape: Parameters<typeof openLearner>[1];
  /** Predicts and learns all rows. */
  pass(logic: LearnerLogic<unknown, never>, said: Float64Array): void;
  readonly labels: readonly number[];
}

function workOf({ data, file, rows, columns, label, judge }: Order, { learner }: Case): Work {
  const numberIn = numberOf(learner, judge);
  const given = (value: number) => (learner.output === 'probability' ? value > 0 : value);
  const over = (inputs: readonly FeatureNumbers[], labels: readonly number[]): Work['pass'] => {
    const targets = labels.map(given);
    return (logic, said) => {
      for (let i = 0; i < inputs.length; i++) {
        const features = inputs[i] as FeatureNumbers;
        said[i] = numberIn(logic.predictOne(features));
        logic.learnOne(features, targets[i]);
      }
    };
  };
  if (data === 'numbers') {
    const read = readNumbers(file, rows, columns, label);
    const labels = read.map((row) => row.label);
    const inputs = read.map(({ features }) => ({ dense: features, indices: none, values: noValues }));
    return { shape: { denseSize: columns, hashedSize: 0 }, labels, pass: over(inputs, labels) };
  }
  const read = readStrings(file, rows, columns);
  const labels = read.map((row) => row.label);
  const view = viewOf(columns);
  const maker = view.open();
  if (data === 'encoded') {
    const inputs = read.map(({ row }) => maker.vector(row));
    return { shape: view.shape, labels, pass: over(inputs, labels) };
  }
  const targets = labels.map(given);
  const pass: Work['pass'] = (logic, said) => {
    for (let i = 0; i < read.length; i++) {
      const features = maker.vector((read[i] as (typeof read)[number]).row);
      said[i] = numberIn(logic.predictOne(features));
      logic.learnOne(features, targets[i]);
    }
  };
  return { shape: view.shape, labels, pass };
}

function run(order: Order): Reply {
  const found = cases[order.learner] as Case;
  const { shape, pass, labels } = workOf(order, found);
  const said = new Float64Array(labels.length);
  let [rows, micros, score] = [0, 0, Number.NaN];
  while (micros < order.seconds * 1e6) {
    const logic = openLearner(found.learner, shape);
    const before = process.cpuUsage();
    pass(logic as LearnerLogic<unknown, never>, said);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
    if (rows === 0) {
      const judge = judges[order.judge];
      score = said.reduce((sum, each, i) => sum + judge(each, labels[i] as number), 0) / said.length;
    }
    rows += said.length;
  }
  return { rows, cpuSeconds: micros / 1e6, score };
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(run(JSON.parse(line) as Order))}\n`);
