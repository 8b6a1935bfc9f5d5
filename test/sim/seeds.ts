import { afterAll, describe, expect, it } from 'vitest';
import { type Scenario, type SimReport, simulate } from '../../src/testing/sim/index.js';
import { explain } from './explain.js';

/** Seeds of each scenario; four scenarios make 2,080. */
export const SEEDS = 520;
/** Records of each scenario's seeds together, at least; four scenarios make more than 5 million. */
export const RECORDS_MIN = 1_250_000;

const IN_A_TEST = 26;

/**
 * The tests of a scenario, over as many seeds as there should be, from `from` on. `MILLRACE_SIM_SEED=n` runs that one
 * alone instead.
 */
export function describeSeeds(scenario: Scenario, from: number): void {
  const only = process.env.MILLRACE_SIM_SEED;
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => from + i) : [Number(only)];
  const starts = seeds.filter((_, i) => i % IN_A_TEST === 0);

  describe(`the simulated world: ${scenario.name}`, () => {
    let runs = 0;
    let records = 0;
    afterAll(() => {
      if (only !== undefined) return;
      expect(runs).toBe(SEEDS);
      expect(records).toBeGreaterThan(RECORDS_MIN);
    });

    it.each(starts)('loses, doubles and alters nothing, from seed %i on', { timeout: 240_000 }, async (start) => {
      for (const seed of seeds.slice(seeds.indexOf(start), seeds.indexOf(start) + IN_A_TEST)) {
        const report: SimReport = await simulate(scenario, seed);
        if (report.violation !== undefined) throw new Error(await explain(scenario, report));
        expect(report.struck.crash, `crashes of seed ${seed}`).toBeGreaterThan(0);
        runs += 1;
        records += report.records;
      }
    });
  });
}
