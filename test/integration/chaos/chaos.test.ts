import { expect, it } from 'vitest';
import { chaos } from '../../chaos/chaos.js';

// A cluster of its own; longer runs: npm run chaos -- --minutes 10 --seed N
it('90 seconds of chaos: nothing lost, doubled or out of order in any sink, every prediction and weight the same', async () => {
  const lines: string[] = [];
  const result = await chaos({ minutes: 1.5, seed: 20_261_125, records: 50_000, log: (line) => lines.push(line) });
  process.stdout.write(`${JSON.stringify({ ...result, verdict: result.verdict.compared })}\n`);
  expect(result.failed).toEqual([]);
  expect(result.verdict.wrong).toEqual(Object.fromEntries(Object.keys(result.verdict.wrong).map((name) => [name, 0])));
  const right = 50_000 - result.poisoned;
  expect(result.poisoned).toBe(100);
  expect(result.verdict.compared).toMatchObject({
    records: 50_000,
    predictions: right,
    deadLetters: 100,
    hashes: right,
    newest: 120,
    rows: right,
    onceRows: right,
    onceStored: right,
  });
  expect(result.verdict.compared.windows).toBeGreaterThan(4_300); // 13 a second of 350 seconds, the last ten maybe not
  expect(Object.values(result.done).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(5);
}, 900_000);
