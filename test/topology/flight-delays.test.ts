import { expect, it, describe as suite } from 'vitest';
import { check, deliveryOn, describe, mermaid } from '../../src/topology/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';

suite('the flight topology', () => {
  it('has no problems', () => {
    expect(check(flightDelays)).toEqual([]);
  });

  it('is the golden text on both profiles', async () => {
    await expect(describe(flightDelays, deliveryOn('embedded'))).toMatchFileSnapshot('../golden/flight-delays.txt');
    await expect(describe(flightDelays, deliveryOn('cluster'))).toMatchFileSnapshot(
      '../golden/flight-delays.cluster.txt',
    );
  });

  it('is the golden drawing, which the README shows', async () => {
    await expect(mermaid(flightDelays)).toMatchFileSnapshot('../golden/flight-delays.mmd');
  });
});
