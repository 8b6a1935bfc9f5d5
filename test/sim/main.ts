import { type SimReport, simulate } from '../../src/testing/sim/index.js';
import { readArguments } from '../arguments.js';
import { explain } from './explain.js';
import { scenarios } from './scenarios/index.js';

// More seeds than the tests run, or one seed again: `npm run sim -- --seeds 1000 --from 1`, `npm run sim -- --seed 42`.

const { values } = readArguments({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    /** Faults that are left out, by their numbers in the trace. */
    without: { type: 'string', default: '' },
    /** Ends at the first seed that fails. */
    first: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run sim -- [options]

Runs the scenarios of the simulation with many seeds; explains those that fail.

  --seeds N         how many (200)
  --from N          the first (1)
  --seed N          this one alone
  --scenario NAME   one of ${Object.keys(scenarios).join(', ')}
  --without LIST    faults to leave out, by their numbers in the trace
  --first           end at the first seed that fails
  --json            print one object
`);
  process.exit(0);
}

const chosen = Object.values(scenarios).filter(({ name }) => values.scenario === undefined || name === values.scenario);
if (chosen.length === 0) {
  console.error(`there is no scenario ${values.scenario}; there are: ${Object.keys(scenarios).join(', ')}`);
  process.exit(2);
}
const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const leaveOut = new Set(values.without === '' ? [] : values.without.split(',').map(Number));

const started = performance.now();
const total = {
  runs: 0,
  records: 0,
  delivered: 0,
  epochs: 0,
  failed: [] as string[],
  struck: {} as Record<string, number>,
};
for (let seed = from; seed < from + count && !(values.first && total.failed.length > 0); seed++)
  for (const scenario of chosen) {
    const report = await simulate(scenario, seed, { leaveOut });
    add(report);
    // Each explanation runs the seed again and again: the first few say enough.
    if (report.violation !== undefined)
      console.error(values.first || total.failed.length > 3 ? report.violation : await explain(scenario, report));
    else if (!values.json && total.runs % 200 === 0) console.error(`${total.runs} runs, ${total.records} records`);
  }
const seconds = (performance.now() - started) / 1_000;
const summary = { ...total, seconds, recordsPerSecond: Math.round(total.records / seconds) };
console.log(values.json ? JSON.stringify(summary) : summary);
process.exitCode = total.failed.length > 0 ? 1 : 0;

function add({ scenario, seed, records, delivered, epochs, struck, violation }: SimReport): void {
  total.runs += 1;
  total.records += records;
  total.delivered += delivered;
  total.epochs += epochs;
  for (const [fault, times] of Object.entries(struck)) total.struck[fault] = (total.struck[fault] ?? 0) + times;
  if (violation !== undefined) total.failed.push(`${scenario} ${seed}`);
}
