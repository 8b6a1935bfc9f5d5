import { parseArgs } from 'node:util';
import { formats, fuzzFormat } from './fuzzing.js';

// More spoilt payloads than the tests send: `npx tsx test/schema/main.ts --payloads 1000000 --seed 1 --format protobuf`.

const { values } = parseArgs({
  options: {
    payloads: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string' },
  },
});

const chosen = Object.entries(formats).filter(([name]) => values.format === undefined || name === values.format);
if (chosen.length === 0) {
  console.error(`there is no format ${values.format}; there are: ${Object.keys(formats).join(', ')}`);
  process.exit(2);
}
for (const [name, format] of chosen) {
  const started = performance.now();
  const outcome = await fuzzFormat(format, Number(values.payloads), Number(values.seed));
  const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
  console.log(JSON.stringify({ format: name, payloads: Number(values.payloads), seconds, ...outcome }));
}
