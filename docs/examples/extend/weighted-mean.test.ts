import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAggregate, TopologyTest } from 'millrace/testing';
import { trades } from './trades.js';
import { weightedMean } from './weighted-mean.js';

interface Sale {
  readonly price: number;
  readonly size: number;
}
const priceBySize = weightedMean(
  ({ price }: Sale) => price,
  ({ size }: Sale) => size,
);

test('weightedMean keeps the contract of aggregates', () => {
  const sales = [3, 1, 4, 1, 5].map((price, i) => ({ value: { price, size: i + 1 }, timeMs: i }));
  checkAggregate(priceBySize, sales);
});

test('weightedMean is computed of each window', async () => {
  const flow = new TopologyTest(trades, { lookups: { company: () => ({ name: 'Acme', sector: 'tools' }) } });
  await flow.pipe('trades', [
    { id: 1, symbol: 'A', price: 10, size: 1, at: 0 },
    { id: 2, symbol: 'A', price: 20, size: 3, at: 30_000 },
  ]);
  await flow.finish();
  const prices = flow.output('prices').map((row) => (row as { price: number }).price);
  assert.deepEqual(prices, [17.5]);
  await flow.close();
});
