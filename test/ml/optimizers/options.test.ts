import { expect, it } from 'vitest';
import { adam, rmsProp } from '../../../src/ml/index.js';

it('says which share is out of range', () => {
  expect(() => adam({ beta1: 1 })).toThrow('adam: beta1 is 1');
  expect(() => adam({ beta2: 1.5 })).toThrow('adam: beta2 is 1.5');
  expect(() => adam({ beta1: -0.1 })).toThrow('adam: beta1 is -0.1');
  expect(() => rmsProp({ decay: 1 })).toThrow('rmsProp: decay is 1');
  expect(() => rmsProp({ decay: Number.NaN })).toThrow('rmsProp: decay is NaN');
  expect([adam({ beta1: 0, beta2: 0 }).name, rmsProp({ decay: 0 }).name]).toEqual(['adam', 'rms-prop']);
});
