// npm run drill:scale -- [--rate 20000] [--rest 10] [--json]
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machineLine } from '../../benchmarks/machine.js';
import { OwnBroker } from '../integration/kafka/own-broker.js';
import { drill } from './drill.js';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20000' },
    rest: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run drill:scale -- [options]

Lets a small autoscaler run a topology in one process, six and two, under load, on a broker of its own; one process is ended and one is
killed. Needs Java and Maven.

  --rate N   records per second at the peak (20000)
  --rest N   seconds between two steps (10)
  --json     print the result as an object
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
    name: 'scale-drill',
    recordsPerSecond,
    restMs: restSeconds * 1_000,
    log,
  };
  const result = await drill(options);
  const right = Object.values(result.wrong).every((count) => count === 0);
  const kept = {
    command: `npm run drill:scale -- --rate ${recordsPerSecond} --rest ${restSeconds}`,
    machine: machineLine(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    kafka: '4.4.0, one broker; 12 tasks',
    date: new Date(startedMs).toISOString(),
    seconds: Math.round((Date.now() - startedMs) / 1_000),
    recordsPerSecond,
    right,
    ...result,
  };
  writeFileSync(new URL('../../benchmarks/results/scale.json', import.meta.url), `${JSON.stringify(kept, null, 2)}\n`);
  const { lost, doubled } = result.wrong;
  const counted = `${result.compared.records} records, lost ${lost}, doubled ${doubled}${right ? '' : ', and more is wrong'}`;
  process.stdout.write(values.json ? `${JSON.stringify(kept, null, 2)}\n` : `${counted}\n`);
  process.exitCode = right ? 0 : 1;
} finally {
  await broker.stop();
}
