import { expect, it } from 'vitest';
import { exponentialDecay, inverseScaling, sgd } from '../../../src/ml/index.js';

it('falls with a power of the number of updates', () => {
  const { rateAt } = inverseScaling({ rate: 0.5, power: 0.5 });
  expect([1, 4, 25].map(rateAt)).toEqual([0.5, 0.25, 0.1]);
});

it('halves, down to a floor', () => {
  const { rateAt } = exponentialDecay({ rate: 0.8, halfLife: 2, floor: 0.15 });
  expect([1, 3, 5, 7, 99].map(rateAt)).toEqual([0.8, 0.4, 0.2, 0.15, 0.15]);
});

it('says which option is out of range', () => {
  expect(() => inverseScaling({ rate: 0 })).toThrow('inverseScaling: rate is 0');
  expect(() => exponentialDecay({ rate: 1, halfLife: -1 })).toThrow('exponentialDecay: halfLife is -1');
  expect(() => sgd({ rate: -1 })).toThrow('sgd: rate is -1');
  expect(() => sgd({ learningRate: 1 } as never)).toThrow('sgd: rate is undefined');
});

it('is shown by the optimizer that uses it', () => {
  expect(sgd({ rate: inverseScaling({ rate: 0.5 }) }).settings).toMatchObject({
    schedule: 'inverse-scaling',
    power: 0.5,
  });
});
