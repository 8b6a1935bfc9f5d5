import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chance, halfSpaceTrees, minMaxScaler, pipe } from '../../../../src/ml/index.js';
import { openTrees } from '../../../../src/ml/learners/anomalies/half-space-trees.js';
import { checkLearner } from '../../../../src/testing.js';
import { openLearner, vector } from '../../support.js';

// The splits of River's trees with seed 42, drawn by Python's Mersenne Twister, from the root down, level by level.
const thresholds = [
  [
    0.16750752865586685, 0.05129876468011281, 0.30974557195191466, 0.03199450813713954, 0.0758022172734275,
    0.23915975829466696, 0.5093577343535237,
  ],
  [
    0.5314590364222517, 0.2989382562479105, 0.6527341412197929, 0.046200647957340225, 0.4474487150292352,
    0.578224679254853, 0.7283344269982521,
  ],
  [
    0.5726082219568237, 0.3783865279124098, 0.8217621683657463, 0.3145077058191517, 0.48257256863013553,
    0.710676009739028, 0.8542151902560173,
  ],
  [
    0.35257157452147503, 0.11033855071521198, 0.5446344032845993, 0.03802062576025897, 0.20853558561177732,
    0.5073085696189573, 0.8071033555032896,
  ],
  [
    0.6603887585652444, 0.27446998946399825, 0.8958072500998943, 0.16413300756047972, 0.5173016471650139,
    0.7009914259938899, 0.9309638232749102,
  ],
];

describe('halfSpaceTrees', () => {
  it('gives the scores of River’s documentation, with its splits', () => {
    const options = { trees: 5, height: 3, window: 3 };
    const splits = { features: new Uint32Array(35), thresholds: Float64Array.from(thresholds.flat()) };
    const learner = halfSpaceTrees(options);
    const model = openLearner(
      { ...learner, open: ({ masses }, shape) => openTrees(masses, splits, shape, options) } as typeof learner,
      { denseSize: 1, hashedSize: 0 },
    );
    const xs = [0.5, 0.45, 0.43, 0.44, 0.445, 0.45, 0];
    for (const x of xs.slice(0, 3)) model.learnOne(vector([x]), undefined);
    const scores = xs.map((x) => {
      model.learnOne(vector([x]), undefined);
      return model.predictOne(vector([x])).toFixed(3);
    });
    expect(scores).toEqual(['0.107', '0.071', '0.107', '0.107', '0.107', '0.071', '0.853']);
  });

  it('scores what lies far from all others higher', () => {
    const model = openLearner(pipe(minMaxScaler(), halfSpaceTrees({ trees: 25, height: 6, window: 200 })), {
      denseSize: 2,
      hashedSize: 0,
    });
    const usual = (i: number) => vector([0.3 + chance(1, 0, i) / 10, 0.7 + chance(1, 1, i) / 10]);
    for (const corner of [
      [0, 0],
      [1, 1],
    ])
      model.learnOne(vector(corner), undefined);
    for (let i = 0; i < 1_000; i++) model.learnOne(usual(i), undefined);
    const scores = Array.from({ length: 100 }, (_, i) => model.predictOne(usual(2_000 + i)));
    expect(model.predictOne(vector([0.95, 0.05]))).toBeGreaterThan(Math.max(...scores) + 0.1);
  });

  it('keeps the promises of a learner', () => {
    const row = fc
      .array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 2 })
      .map((dense) => ({ features: vector(dense), label: undefined }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (rows) =>
        checkLearner(halfSpaceTrees({ trees: 3, height: 3, window: 4 }), rows, { denseSize: 2, hashedSize: 0 }),
      ),
      { numRuns: 10 },
    );
  });

  it('says what it cannot be', () => {
    expect(() => halfSpaceTrees({ height: 16 })).toThrow('halfSpaceTrees: trees, height and window are 10, 16 and 250');
    expect(() => halfSpaceTrees().cells({ denseSize: 1, hashedSize: 4 })).toThrow('the view has hashed features');
  });
});
