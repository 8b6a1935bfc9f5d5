import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellSpecs, FeatureVector } from '../../../../src/core/index.js';
import {
  adaGrad,
  adam,
  ftrl,
  inverseScaling,
  type LinearOptions,
  logisticRegression,
  momentum,
  pipe,
  rmsProp,
  sgd,
  standardScaler,
} from '../../../../src/ml/index.js';
import { logLossOf } from '../../../../src/ml/metrics/probabilities/log-loss.js';
import { checkLearner } from '../../../../src/testing/learner-contract.js';
import { phishing, progressive } from '../../data.js';
import { agreesWithPeer } from '../../peers.js';
import { openCells, openLearner, vector } from '../../support.js';

const shape9 = { denseSize: 9, hashedSize: 0 };

/** Accuracy, F1 and log loss by progressive validation, behind the scaler or not. */
function figuresOf(options: LinearOptions, scale: 'none' | 'standard') {
  const learner = logisticRegression(options);
  const open = () => openLearner(scale === 'none' ? learner : pipe(standardScaler(), learner), shape9);
  let loss = 0;
  const model = open();
  for (const { features, label } of phishing) {
    loss += logLossOf(model.predictOne(features), label);
    model.learnOne(features, label);
  }
  return { ...progressive(open()), logLoss: loss / phishing.length };
}

describe('logistic regression: published figures', () => {
  it('gives the figures of River’s documentation with SGD and its scaler', () => {
    expect(phishing).toHaveLength(1_250);
    const figures = figuresOf({ optimizer: sgd({ rate: 0.1 }), interceptRate: 0.01 }, 'standard');
    expect(figures.accuracy).toBe(0.8896);
    expect(figures.f1).toBeCloseTo(0.8785211267605635, 12);
    expect(figures.logLoss).toBeCloseTo(0.2705944229105603, 10);
  });

  it('gives the figures of River’s benchmark table at rate 0.005', () => {
    const figures = figuresOf({ optimizer: sgd({ rate: 0.005 }), interceptRate: 0.01 }, 'standard');
    expect(figures.accuracy).toBe(0.8872);
    expect(figures.f1).toBeCloseTo(0.8712328767123287, 12);
    expect(figures.logLoss).toBeCloseTo(0.3829302908826168, 10);
  });

  it('gives River’s figures without a scaler', () => {
    expect(figuresOf({ optimizer: sgd({ rate: 0.1 }), interceptRate: 0.01 }, 'none').logLoss).toBeCloseTo(
      0.3844025245891237,
      10,
    );
  });

  it('gives the figures of Vowpal Wabbit’s --ftrl, whose numbers have 24 bits', () => {
    const figures = figuresOf({ optimizer: ftrl({ alpha: 0.05 }) }, 'none');
    expect(figures.logLoss).toBeCloseTo(0.5350531, 5);
    expect(figures.accuracy).toBe(0.72);
  });
});

describe('logistic regression: peers', () => {
  it.each([
    ['AdaGrad', adaGrad(), '88.01%'],
    ['Adam', adam(), '86.52%'],
    ['RMSProp', rmsProp(), '87.24%'],
    ['Momentum', momentum({ rate: 0.1 }), '84.09%'],
    ['SGD', sgd({ rate: 0.1 }), '87.85%'],
  ] as const)('gives the F1 of River’s documentation with %s', (_name, optimizer, printed) => {
    const { f1 } = figuresOf({ optimizer, interceptRate: 0.01 }, 'standard');
    expect(`${(100 * f1).toFixed(2)}%`).toBe(printed);
  });

  it.each<[string, LinearOptions, boolean?]>([
    ['sgd', { optimizer: sgd({ rate: 0.1 }) }],
    ['sgd l2', { optimizer: sgd({ rate: 0.1, l2: 0.05 }) }],
    ['sgd slopeMax', { optimizer: sgd({ rate: 0.1 }), slopeMax: 0.3 }],
    ['sgd weighted', { optimizer: sgd({ rate: 0.1 }) }, true],
    ['sgd inverse scaling', { optimizer: sgd({ rate: inverseScaling({ rate: 0.5, power: 0.3 }) }) }],
    ['momentum', { optimizer: momentum({ rate: 0.05, momentum: 0.8 }) }],
    ['adaGrad', { optimizer: adaGrad({ rate: 0.2 }) }],
    ['rmsProp', { optimizer: rmsProp({ rate: 0.05, decay: 0.8 }) }],
    ['adam', { optimizer: adam({ rate: 0.05 }) }],
  ])('predicts what River predicts with %s', (name, options, isWeighted = false) => {
    const learner = logisticRegression({ ...options, interceptRate: 0.01 });
    agreesWithPeer(`logistic ${name}`, learner, ({ binary }) => binary, undefined, isWeighted);
  });

  it('cuts weights by l1 to exactly zero', () => {
    const learner = logisticRegression({ optimizer: sgd({ rate: 0.1, l1: 0.3 }) });
    const model = openLearner(learner, { denseSize: 2, hashedSize: 0 });
    for (let i = 0; i < 200; i++) model.learnOne(vector([i % 2 ? 1 : -1, i % 3 === 0 ? 0.1 : -0.1]), i % 2 === 1);
    expect(model.predictOne(vector([1, 0]))).toBeGreaterThan(0.6); // a half of the slope at 0 outdoes the pull
    expect(model.predictOne(vector([0, 100]))).toBe(model.predictOne(vector([0, 0])));
  });
});

/** The same mathematics with maps and without any of the tricks: what the fast one is held against. */
function naiveFtrl(alpha: number, beta: number, l1: number, l2: number) {
  const z = new Map<string, number>();
  const n = new Map<string, number>();
  const entriesOf = ({ dense, indices, values }: FeatureVector): [string, number][] => [
    ['intercept', 1],
    ...Array.from(dense, (x, i): [string, number] => [`d${i}`, x]),
    ...Array.from(indices, (index, i): [string, number] => [`h${index}`, values[i] as number]),
  ];
  const weight = (name: string) => {
    const [one, two] = name === 'intercept' ? [0, 0] : [l1, l2];
    const at = z.get(name) ?? 0;
    if (Math.abs(at) <= one) return 0;
    return -(at - Math.sign(at) * one) / ((beta + Math.sqrt(n.get(name) ?? 0)) / alpha + two);
  };
  const predict = (features: FeatureVector) =>
    1 / (1 + Math.exp(-entriesOf(features).reduce((sum, [name, x]) => sum + weight(name) * x, 0)));
  const learn = (features: FeatureVector, label: boolean) => {
    const slope = predict(features) - (label ? 1 : 0);
    for (const [name, x] of entriesOf(features)) {
      const g = slope * x;
      const before = n.get(name) ?? 0;
      const sigma = (Math.sqrt(before + g * g) - Math.sqrt(before)) / alpha;
      z.set(name, (z.get(name) ?? 0) + g - sigma * weight(name));
      n.set(name, before + g * g);
    }
  };
  return { predict, learn };
}

const shape = { denseSize: 3, hashedSize: 32 };
const row = fc.record({
  features: fc
    .tuple(
      fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 3, maxLength: 3 }),
      fc.uniqueArray(fc.nat(31), { maxLength: 6 }),
    )
    .map(([dense, indices]) => vector(dense, indices)),
  label: fc.boolean(),
});

describe('logistic regression with FTRL', () => {
  it('agrees with the naive algorithm to 1e-12', () => {
    const options = fc.record({
      alpha: fc.constantFrom(0.01, 0.1, 1),
      beta: fc.constantFrom(0.1, 1),
      l1: fc.constantFrom(0, 0.5),
      l2: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(options, fc.array(row, { maxLength: 40 }), (hyper, rows) => {
        const fast = openLearner(logisticRegression({ optimizer: ftrl(hyper) }), shape);
        const naive = naiveFtrl(hyper.alpha, hyper.beta, hyper.l1, hyper.l2);
        for (const { features, label } of rows) {
          expect(Math.abs(fast.predictOne(features) - naive.predict(features))).toBeLessThan(1e-12);
          fast.learnOne(features, label);
          naive.learn(features, label);
        }
      }),
    );
  });

  it('keeps weights with little evidence at exactly zero', () => {
    const learner = logisticRegression({ optimizer: ftrl({ alpha: 1, l1: 3 }) });
    const model = openLearner(learner, { denseSize: 0, hashedSize: 4 });
    const base = model.predictOne(vector([]));
    model.learnOne(vector([], [2]), true);
    const intercept = model.predictOne(vector([]));
    expect(intercept).toBeGreaterThan(base);
    expect(model.predictOne(vector([], [2]))).toBe(intercept);
  });
});

describe('logistic regression: promises of a learner', () => {
  const learners = {
    ftrl: logisticRegression({ optimizer: ftrl({ alpha: 0.3, l1: 0.01, l2: 0.1 }) }),
    sgd: logisticRegression({ optimizer: sgd({ rate: 0.05, l2: 0.001 }) }),
    adam: logisticRegression({ optimizer: adam() }),
    momentum: logisticRegression({ optimizer: momentum({ rate: inverseScaling({ rate: 0.1 }) }) }),
    'ftrl, scaled': pipe(standardScaler(), logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) })),
    'sgd, scaled': pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.05 }) })),
  };
  it.each(Object.entries(learners))('%s keeps them', (_name, learner) => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (rows) => checkLearner(learner, rows, shape)),
      { numRuns: 30 },
    );
  });

  it('refuses rows with absurd numbers and goes on learning', () => {
    const model = openLearner(logisticRegression({ optimizer: ftrl({ alpha: 0.5 }), featureMax: 100 }), shape);
    const sane = vector([1, 2, 3], [4]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 101, -101]) {
      expect(model.learnOne(vector([1, bad, 3], [4]), true)).toBe(Number.isFinite(bad) ? 'too-large' : 'not-finite');
    }
    expect(model.predictOne(sane)).toBe(0.5);
    for (let i = 0; i < 50; i++) expect(model.learnOne(sane, true)).toBe('learnt');
    expect(model.predictOne(sane)).toBeGreaterThan(0.95);
    expect(model.predictOne(vector([1, 1e9, 3], [4]))).toBe(model.predictOne(vector([1, 100, 3], [4])));
  });

  it('says which option is out of range', () => {
    expect(() => ftrl({ alpha: 0 })).toThrow('ftrl: alpha is 0');
    expect(() => ftrl({ alpha: 1, l1: -1 })).toThrow('ftrl: l1 is -1');
    expect(() => sgd({ rate: Number.NaN })).toThrow('sgd: rate is NaN');
  });
});

describe('a model of many blocks', () => {
  it('says the same after a restore, wherever its hashed weights lie', () => {
    for (const optimizer of [ftrl({ alpha: 0.1 }), sgd({ rate: 0.1 }), adam()]) {
      const shape = { denseSize: 2, hashedSize: 1 << 14 };
      const learner = logisticRegression({ optimizer });
      const specs: CellSpecs = learner.cells(shape);
      const open = () => openCells(specs);
      const cells = open();
      const model = learner.open(cells as never, shape);
      const rows = Array.from({ length: 64 }, (_, i) => vector([1, i / 64], [i * 256, (i * 8_191) % (1 << 14)]));
      for (const cell of Object.values(cells)) cell.takeChanges();
      for (const [i, row] of rows.entries()) model.learnOne(row, i % 3 === 0);
      const restored = open();
      for (const [name, cell] of Object.entries(cells))
        for (const { bucket, bytes } of cell.takeChanges())
          if (bytes) restored[name]?.restore(bucket, bytes, specs[name]?.version ?? 0);
      const again = learner.open(restored as never, shape);
      expect(rows.map((row) => again.predictOne(row))).toEqual(rows.map((row) => model.predictOne(row)));
    }
  });
});
