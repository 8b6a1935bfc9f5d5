import { expect, it } from 'vitest';
import { logisticRegression, pipe, robustScaler, sgd } from '../../../src/ml/index.js';
import { agreesWithPeer, onlyDense } from '../peers.js';
import { vector } from '../support.js';

it('gives a model the quartiles that River gives it', () => {
  const model = logisticRegression({ optimizer: sgd({ rate: 0.1 }), interceptRate: 0.01 });
  agreesWithPeer('robust scaler', pipe(robustScaler(), model), ({ binary }) => binary, onlyDense);
});

it('is not squeezed by a few extreme values', () => {
  const shape = { denseSize: 1, hashedSize: 0 };
  const scaler = robustScaler().open({ scales: robustScaler().cells(shape).scales.open() }, shape);
  for (let i = 0; i < 1_000; i++) {
    scaler.stageOne(vector([i % 50 === 0 ? 1e5 : (i * 7) % 101]), 1);
    scaler.commit();
  }
  // Of 0 to 100 the median is 50, and the quartiles lie 50 apart.
  const [top, middle] = [100, 50].map((x) => scaler.transformOne(vector([x])).dense[0] as number);
  expect(Math.abs((top as number) - 1)).toBeLessThan(0.3);
  expect(Math.abs(middle as number)).toBeLessThan(0.3);
});
