import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { machineLine } from '../../benchmarks/machine.js';
import { missing } from '../../scripts/programs.mjs';
import { readArguments } from '../arguments.js';
import { type ChaosOptions, type ChaosResult, chaos } from './chaos.js';
import { allFaults, type FaultGroup, usualFaults } from './faults.js';
import { type Mutant, mutants } from './mutants.js';

const help = `npm run chaos -- [options]

Starts three Kafka brokers, Redis and ClickHouse, lets workers process records, disturbs all of them, and compares what
was written with the inputs and with a run that nobody disturbed. Exits with 0 if nothing is lost, doubled or different.

  --minutes N      how long records are written (10)
  --seed N         decides what is done and when (1)
  --records N      how many records are written (200000)
  --faults LIST    what may be disturbed, or all (${usualFaults.join()})
                   there are ${allFaults.join()}
  --standbys N     processes that follow each task (0)
  --keep FOLDER    where the logs of brokers and stores are copied to if something is wrong
  --mutant NAME    takes a promise from the connectors, or from each in turn (all); exits with 0 if chaos finds it
                   ${Object.keys(mutants).join(', ')}

The result goes to benchmarks/results. network and disk need root, clock needs libfaketime. npm run setup installs what is missing.`;

const { values } = readArguments({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    records: { type: 'string', default: '200000' },
    faults: { type: 'string', default: usualFaults.join() },
    standbys: { type: 'string', default: '0' },
    mutant: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(`${help}\n`);
  process.exit(0);
}

/** Options as they were given, or what is wrong with them or missing on this machine. */
function given(): Omit<ChaosOptions, 'log'> | string {
  const [minutes, seed, records, standbys] = [values.minutes, values.seed, values.records, values.standbys].map(Number);
  if (![minutes, seed, records, standbys].every((each) => Number.isFinite(each))) return 'a number is none';
  const faults = values.faults === 'all' ? allFaults : (values.faults.split(',') as FaultGroup[]);
  const unknown = faults.find((group) => !allFaults.includes(group));
  if (unknown !== undefined) return `there are no faults of '${unknown}', but of ${allFaults.join(', ')}`;
  const { mutant } = values;
  if (mutant !== undefined && mutant !== 'all' && !(mutant in mutants)) return `there is no mutant '${mutant}'`;
  const needsRoot = faults.find((group) => group === 'network' || group === 'disk');
  if (needsRoot && process.getuid?.() !== 0) return `faults of '${needsRoot}' need root`;
  const needed = ['Redis', 'Java', 'Maven', "Python's clients"];
  if (faults.includes('clock')) needed.push('libfaketime');
  if (faults.includes('sinks')) needed.push('Postgres');
  const absent = missing(needed).map(({ name }) => name);
  if (absent.length > 0) return `${absent.join(', ')} is not installed: npm run setup`;
  return { minutes, seed, records, standbys, faults, keep: values.keep } as Omit<ChaosOptions, 'log'>;
}

const options = given();
if (typeof options === 'string') {
  process.stderr.write(`${options}\n`);
  process.exit(2);
}

const startedMs = Date.now();
const log = (line: string) => process.stderr.write(`${((Date.now() - startedMs) / 1_000).toFixed(1)} s: ${line}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const isRight = ({ failed, verdict }: ChaosResult) =>
  failed.length === 0 && Object.values(verdict.wrong).every((count) => count === 0);
const commandLine = ['npm run chaos --', ...process.argv.slice(2)].join(' ');

/** Keeps a result and prints it. */
function keep(name: string, result: object): void {
  const kept = {
    command: commandLine,
    machine: machineLine(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    kafka: '4.4.0, three brokers, replication 3, min.insync.replicas 2',
    stores: 'Redis with appendfsync always; the ClickHouse engine of chdb over HTTP',
    date: new Date(startedMs).toISOString(),
    ...result,
  };
  const file = new URL(`../../benchmarks/results/${name}.json`, import.meta.url);
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(kept, null, 2)}\n`);
}

/** What chaos says of a mutant. It finds one by what is wrong, or by processes that end. */
async function find(mutant: Mutant): Promise<object> {
  log(`mutant ${mutant}`);
  const sinceMs = Date.now();
  const seconds = () => Math.round((Date.now() - sinceMs) / 1_000);
  try {
    const result = await chaos({ ...(options as Omit<ChaosOptions, 'log'>), mutant, log });
    const wrong = Object.entries(result.verdict.wrong).filter(([, count]) => count > 0);
    return {
      found: !isRight(result),
      seconds: seconds(),
      wrong: Object.fromEntries(wrong),
      failed: result.failed.slice(0, 3),
    };
  } catch (error) {
    return { found: true, seconds: seconds(), ended: String(error).slice(0, 500) };
  }
}

if (values.mutant === undefined) {
  const result = await chaos({ ...options, log });
  keep(`chaos${values.faults === 'all' ? '-all' : ''}-${options.minutes}m-seed${options.seed}`, {
    right: isRight(result),
    ...result,
  });
  process.exitCode = isRight(result) ? 0 : 1;
} else {
  const names = values.mutant === 'all' ? (Object.keys(mutants) as Mutant[]) : [values.mutant as Mutant];
  const found: Record<string, object> = {};
  for (const name of names) found[name] = await find(name);
  keep('chaos-mutants', { found });
  process.exitCode = Object.values(found).every((each) => 'found' in each && each.found) ? 0 : 1;
}
