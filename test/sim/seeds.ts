import { afterAll, describe, expect, it } from 'vitest';
import { type Scenario, type SimReport, simulate } from '../../src/testing/sim/index.js';
import { explain } from './explain.js';

/** How much of a scenario is run. */
export interface Extent {
  readonly seeds: number;
  /** In all seeds together, at least. */
  readonly records: number;
}

/** Of each of four scenarios: together they make 2,080 seeds and more than 5 million records. */
const USUAL: Extent = { seeds: 520, records: 1_250_000 };

const IN_A_TEST = 26;

/**
 * The tests of a scenario, over as many seeds as there should be, from `from` on. `MILLRACE_SIM_SEED=n` runs that one
 * alone instead.
 */
export function describeSeeds(scenario: Scenario, from: number, extent = USUAL): void {
  const only = process.env.MILLRACE_SIM_SEED;
  const seeds = only === undefined ? Array.from({ length: extent.seeds }, (_, i) => from + i) : [Number(only)];
  const starts = seeds.filter((_, i) => i % IN_A_TEST === 0);

  describe(`the simulated world: ${scenario.name}`, () => {
    let runs = 0;
    let records = 0;
    afterAll(() => {
      if (only !== undefined) return;
      expect(runs).toBe(extent.seeds);
      expect(records).toBeGreaterThan(extent.records);
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
