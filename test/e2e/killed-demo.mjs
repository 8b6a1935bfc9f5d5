// Runs the demo of the built package and kills its own process at the n-th passing of a named point of an epoch.
// node killed-demo.mjs DATA LIMIT [POINT N]

import { runDemo } from '../../dist/examples/flights/demo.js';
import { resolveConfig } from '../../dist/src/profiles/config.js';
import { openProfile } from '../../dist/src/profiles/profiles.js';

const [data, limit, point, n] = process.argv.slice(2);
let left = Number(n ?? 0);

await runDemo({
  limit: Number(limit),
  clean: false,
  seed: 7,
  fresh: false,
  json: true,
  data,
  openProfile: (folder) => openProfile(resolveConfig({ flags: { profile: 'embedded', data: folder } })),
  epochInterval: 60,
  onPoint: (passed) => {
    if (passed === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
  terminal: { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
});
