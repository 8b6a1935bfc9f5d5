import { readArguments } from '../arguments.js';
import { fuzzFiles } from './files.js';
import { fuzzIngest } from './ingest.js';
import { fuzzLarge } from './large-inputs.js';
import { formats } from './payloads/formats.js';
import { fuzzFormat } from './payloads/fuzz-format.js';
import { fuzzBatches } from './record-batches.js';
import { fuzzRegistry } from './registry.js';

// More than the tests send: `npm run fuzz -- --payloads 1000000 --seed 1 --only protobuf`.

type Fuzz = (count: number, seed: number) => Promise<object>;

const subjects: Readonly<Record<string, Fuzz>> = {
  ...Object.fromEntries(
    Object.entries(formats).map(([name, format]) => [name, (count, seed) => fuzzFormat(format, count, seed)]),
  ),
  'record-batches': fuzzBatches,
  // Through sockets and files: a hundredth as many.
  ingest: (count, seed) => fuzzIngest(Math.ceil(count / 100), seed),
  registry: (count, seed) => fuzzRegistry(Math.ceil(count / 100), seed),
  files: (count, seed) => fuzzFiles(Math.ceil(count / 100), seed),
  // Up to a megabyte each, measured one by one.
  large: (count, seed) => fuzzLarge(Math.ceil(count / 2_000), seed),
};

const { values } = readArguments({
  options: {
    payloads: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run fuzz -- [options]

Sends hostile payloads, batches, bodies, responses and files, and looks at what becomes of them.

  --payloads N   how many of each subject (1000000); a hundredth through sockets and files
  --seed N       decides what they are (1)
  --only NAME    one of ${Object.keys(subjects).join(', ')}
`);
  process.exit(0);
}

const chosen = Object.entries(subjects).filter(([name]) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  console.error(`there is no ${values.only}; there are: ${Object.keys(subjects).join(', ')}`);
  process.exit(2);
}
for (const [subject, fuzz] of chosen) {
  const started = performance.now();
  const { user } = process.cpuUsage();
  const outcome = await fuzz(Number(values.payloads), Number(values.seed));
  const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
  const cpuSeconds = Number(((process.cpuUsage().user - user) / 1e6).toFixed(1));
  // The highest so far: with `--only` it is the subject's own.
  const residentMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(JSON.stringify({ subject, seconds, cpuSeconds, residentMiB, ...outcome }));
}
