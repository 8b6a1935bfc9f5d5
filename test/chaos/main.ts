// npm run chaos -- --minutes 10 --seed 1 [--records 200000] [--faults all] [--standbys 1]
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machineLine } from '../../benchmarks/machine.js';
import { chaos } from './chaos.js';
import { allFaults, type FaultGroup, usualFaults } from './faults.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    records: { type: 'string', default: '200000' },
    faults: { type: 'string', default: usualFaults.join() },
    standbys: { type: 'string', default: '0' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const records = Number(values.records);
const standbys = Number(values.standbys);
const faults = values.faults === 'all' ? allFaults : (values.faults.split(',') as FaultGroup[]);
const unknown = faults.find((group) => !allFaults.includes(group));
if (unknown !== undefined) throw new Error(`no faults of '${unknown}': there are ${allFaults.join(', ')}, and all`);
const startedMs = Date.now();
const log = (line: string) => process.stderr.write(`${((Date.now() - startedMs) / 1_000).toFixed(1)} s: ${line}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const result = await chaos({ minutes, seed, records, faults, standbys, log });
const right = result.failed.length === 0 && Object.values(result.verdict.wrong).every((count) => count === 0);
const kept = {
  command: `npm run chaos -- --minutes ${minutes} --seed ${seed} --records ${records} --faults ${values.faults} --standbys ${standbys}`,
  machine: machineLine(),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  kafka: '4.4.0, three brokers, replication 3, min.insync.replicas 2',
  stores: 'Redis with appendfsync always; the ClickHouse engine of chdb over HTTP',
  date: new Date(startedMs).toISOString(),
  right,
  ...result,
};
const file = new URL(
  `../../benchmarks/results/chaos-${values.faults === 'all' ? 'all-' : ''}${minutes}m-seed${seed}.json`,
  import.meta.url,
);
mkdirSync(new URL('.', file), { recursive: true });
writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(kept, null, 2)}\n`);
process.exitCode = right ? 0 : 1;
