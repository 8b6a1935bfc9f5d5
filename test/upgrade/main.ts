// npm run drill:upgrade -- [--rate 10000] [--rest 10]
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machineLine } from '../../benchmarks/machine.js';
import { OwnBroker } from '../integration/kafka/own-broker.js';
import { drill } from './drill.js';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '10000' },
    rest: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run drill:upgrade -- [options]

Replaces processes of one version by those of another, one by one, under load, on a broker of its own. Needs Java and Maven.

  --rate N   records per second (10000)
  --rest N   seconds between two replacements (10)
`);
  process.exit(0);
}
const recordsPerSecond = Number(values.rate);
const restSeconds = Number(values.rest);
const startedMs = Date.now();
const log = (line: string) => process.stderr.write(`${((Date.now() - startedMs) / 1_000).toFixed(1)} s: ${line}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const broker = await OwnBroker.start({ listeners: [], settings: () => '' });
try {
  const options = {
    broker: broker.address(),
    name: 'upgrade-drill',
    recordsPerSecond,
    restMs: restSeconds * 1_000,
    log,
  };
  const result = await drill(options);
  const right = Object.values(result.wrong).every((counts) => Object.values(counts).every((count) => count === 0));
  const kept = {
    command: `npm run drill:upgrade -- --rate ${recordsPerSecond} --rest ${restSeconds}`,
    machine: machineLine(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    kafka: '4.4.0, one broker; two processes of each version, four tasks',
    date: new Date(startedMs).toISOString(),
    seconds: Math.round((Date.now() - startedMs) / 1_000),
    recordsPerSecond,
    right,
    ...result,
  };
  writeFileSync(
    new URL('../../benchmarks/results/upgrade.json', import.meta.url),
    `${JSON.stringify(kept, null, 2)}\n`,
  );
  process.stdout.write(`${JSON.stringify(kept, null, 2)}\n`);
  process.exitCode = right ? 0 : 1;
} finally {
  await broker.stop();
}
