import { expect, it } from 'vitest';
import { check, deliveryOn, describe } from '../../src/topology/index.js';
import { flightFeatureStore } from '../../topologies/flight-feature-store.js';

it('the feature store of the flights has no problems and is the golden text', async () => {
  expect(check(flightFeatureStore)).toEqual([]);
  const text = describe(flightFeatureStore, deliveryOn('embedded'));
  await expect(text).toMatchFileSnapshot('../golden/flight-feature-store.txt');
});
