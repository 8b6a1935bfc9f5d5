import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOperator, driveOperator } from 'millrace/testing';
import { sinceLast } from './since-last.js';

const records = [0, 2_000, 2_500, 9_000, 9_000].map((eventTimeMs, i) => ({
  value: { symbol: i % 2 === 0 ? 'A' : 'B' },
  eventTimeMs,
}));
const bySymbol = { key: ({ symbol }: { symbol: string }) => symbol, keysMax: 10 };

test('sinceLast keeps the contract of operators', () => checkOperator(sinceLast(bySymbol), records));

test('sinceLast adds the seconds since the record before of the same key', () => {
  const { emitted } = driveOperator(sinceLast(bySymbol), records);
  const pauses = emitted.map(({ value }) => (value as { pauseSeconds: number | null }).pauseSeconds);
  assert.deepEqual(pauses, [null, null, 2.5, 7, 6.5]);
});
