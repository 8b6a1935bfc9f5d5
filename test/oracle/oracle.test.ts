import { describe, expect, it } from 'vitest';
import { type Got, runCase } from './case.js';
import { families } from './families/index.js';
import { judgeFamily } from './judge-family.js';

// More cases: `npm run oracle -- --cases 20000`; one again: `npm run oracle -- --family joins --seed 42 --cases 1`.

const CASES = 500;

describe('the operators give what an independent program computes', () => {
  it.each(families)('$name', { timeout: 240_000 }, async (family) => {
    const { failures, emitted, restarts, unjudged } = await judgeFamily(family, CASES, 1);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    expect(emitted).toBeGreaterThan(CASES);
    expect(restarts).toBeGreaterThan(CASES);
    expect(unjudged).toBeLessThan(CASES / 10);
  });

  const withoutLast = (got: Got): Got => ({ ...got, emitted: got.emitted.slice(0, -1) });
  it.each(families)('$name: a result that is missing is found', { timeout: 120_000 }, async (family) => {
    const { failures } = await judgeFamily(family, 40, 1, async (of, drawn) => withoutLast(await runCase(of, drawn)));
    expect(failures).not.toEqual([]);
  });
});
