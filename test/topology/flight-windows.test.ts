import { expect, it } from 'vitest';
import { check, deliveryOn, describe } from '../../src/topology/index.js';
import { flightWindows } from '../../topologies/flight-windows.js';

it('the flights with windows have no problems and are the golden text', async () => {
  expect(check(flightWindows)).toEqual([]);
  const text = describe(flightWindows, deliveryOn('embedded'));
  await expect(text).toMatchFileSnapshot('../golden/flight-windows.txt');
});
