import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Learner } from '../../src/core/index.js';
import {
  classShares,
  factorizationMachine,
  ftrl,
  hoeffdingTree,
  logisticRegression,
  pipe,
  sgd,
  standardScaler,
} from '../../src/ml/index.js';
import { modelByKeyCells, modelWidth, openModelByKey } from '../../src/ml/model-by-key.js';
import { originAt } from '../../src/testing/contract.js';
import { PlainModels } from './plain-models.js';
import { openCells, vector } from './support.js';

type AnyLearner = Learner<boolean, number>;
type Key = string | number;
const shape = { denseSize: 2, hashedSize: 4 };

describe('models by key', () => {
  const step = fc.record({
    key: fc.constantFrom<Key>('a', 'b', 'c', 'd', 7),
    dense: fc.array(fc.constantFrom(-1, 0, 0.5, 2, Number.NaN), { minLength: 2, maxLength: 2 }),
    index: fc.nat(3),
    label: fc.boolean(),
    cut: fc.boolean(),
    isLast: fc.boolean(),
  });

  it.each<[string, AnyLearner]>([
    ['logistic regression', logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) })],
    ['a pipe', pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.1 }) }))],
    ['a factorization machine', factorizationMachine({ optimizer: sgd({ rate: 0.1 }), factors: 2 })],
  ])('are as many learners, to the bit and after any restore: %s', (_name, learner) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (steps, modelsMax) => {
        const specs = modelByKeyCells(learner, shape, modelsMax, {});
        const stored = new Map<string, { cell: string; bucket: number; bytes: Uint8Array }>();
        const open = () => {
          const cells = openCells(specs);
          for (const { cell, bucket, bytes } of stored.values())
            cells[cell]?.restore(bucket, bytes.slice(), specs[cell]?.version ?? 0);
          return { cells, models: openModelByKey(learner, shape, cells, { evicted() {} }) };
        };
        const plain = new PlainModels(learner, shape, modelsMax);
        let { cells, models } = open();
        steps.forEach(({ key, dense, index, label, cut, isLast }, i) => {
          const features = vector(dense, [index]);
          expect(models.predictOne(features, key)).toBe(plain.predict(features, key));
          models.learnOne(features, label, 1, originAt(i), key);
          plain.learn(features, label, key);
          if (!cut) return;
          for (const [cell, opened] of Object.entries(cells))
            for (const { bucket, bytes } of opened.takeChanges({ busyMs: 0, isLast }))
              if (bytes) stored.set(`${cell}/${bucket}`, { cell, bucket, bytes: bytes.slice() });
              else stored.delete(`${cell}/${bucket}`);
          ({ cells, models } = open());
        });
      }),
      { numRuns: 60 },
    );
  });

  it('write the updates instead of the blocks of all models that they changed', () => {
    const learner = logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) });
    const cells = openCells(modelByKeyCells(learner, shape, 1_000, {}));
    const models = openModelByKey(learner, shape, cells, { evicted() {} });
    const written = () => Object.values(cells).flatMap((cell) => cell.takeChanges({ busyMs: 0, isLast: false }));
    for (let i = 0; i < 1_000; i++) models.learnOne(vector([i, 1], [i % 4]), i % 2 === 0, 1, originAt(i), `key-${i}`);
    written();
    for (let i = 0; i < 50; i++) models.learnOne(vector([i, 1], [i % 4]), i % 2 === 0, 1, originAt(i), `key-${20 * i}`);
    const bytes = written().reduce((sum, change) => sum + (change.bytes?.length ?? 0), 0);
    expect(bytes).toBeGreaterThan(50 * 30);
    expect(bytes).toBeLessThan(50 * 80);
  });

  it('count evictions, once each', () => {
    let evicted = 0;
    const learner = classShares({ classes: ['x', 'y'] });
    const cells = openCells(modelByKeyCells(learner, shape, 2, {}));
    const models = openModelByKey(learner, shape, cells, { evicted: () => evicted++ });
    for (const key of ['a', 'b', 'a', 'c', 'b']) models.learnOne(vector([0, 0]), 'x', 1, originAt(0), key);
    expect(evicted).toBe(2);
  });

  it('need a learner of fixed size', () => {
    expect(modelWidth(logisticRegression({ optimizer: ftrl({ alpha: 0.3 }) }), shape)).toBe(2 * 7 + 1);
    expect(modelWidth(hoeffdingTree({ classes: ['x', 'y'] }), { denseSize: 2, hashedSize: 0 })).toBeUndefined();
  });
});
