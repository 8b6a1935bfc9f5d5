import { type Scenario, type SimReport, simulate } from '../../src/testing/sim/index.js';

const RERUNS_MAX = 40;
const LINES = 60;

/** A broken promise as a person wants it: how to see it again, with as few faults as will do, and the story of that run. */
export async function explain(scenario: Scenario, report: SimReport): Promise<string> {
  const leaveOut = new Set<number>();
  let smallest = report;
  for (let fault = report.faults - 1, reruns = 0; fault >= 0 && reruns < RERUNS_MAX; fault--, reruns++) {
    leaveOut.add(fault);
    const again = await simulate(scenario, report.seed, { leaveOut });
    if (again.violation === undefined) leaveOut.delete(fault);
    else smallest = again;
  }
  const without = leaveOut.size > 0 ? ` --without ${[...leaveOut].sort((a, b) => a - b).join(',')}` : '';
  return [
    `${scenario.name}, seed ${report.seed}: ${report.violation}`,
    `again:   npm run sim -- --scenario ${scenario.name} --seed ${report.seed}`,
    `smaller: npm run sim -- --scenario ${scenario.name} --seed ${report.seed}${without}`,
    ...smallest.trace.slice(-LINES),
  ].join('\n');
}
