import { spawnSync } from 'node:child_process';
import { readArguments } from '../arguments.js';
import { families } from './families/index.js';
import { judgeFamily, python } from './judge-family.js';

// More cases than the tests judge: `npm run oracle -- --cases 20000 --seed 1 --family joins`.

const { values } = readArguments({
  options: {
    cases: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    family: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run oracle -- [options]

Judges random cases of the operators by an independent program in Python.

  --cases N       of each family (1000)
  --seed N        decides which (1)
  --family NAME   one of ${families.map(({ name }) => name).join(', ')}
`);
  process.exit(0);
}

const chosen = families.filter(({ name }) => values.family === undefined || name === values.family);
if (chosen.length === 0) {
  console.error(`there is no family ${values.family}; there are: ${families.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (spawnSync(python, ['--version'], { stdio: 'ignore' }).status !== 0) {
  console.error(`${python} is not installed: the judge needs Python 3.9 or newer, MILLRACE_PYTHON names one`);
  process.exit(2);
}
let wrong = 0;
for (const family of chosen) {
  const { failures, ...figures } = await judgeFamily(family, Number(values.cases), Number(values.seed));
  for (const failure of failures) console.error(failure);
  console.log(JSON.stringify({ family: family.name, ...figures, wrong: failures.length }));
  wrong += failures.length;
}
process.exitCode = wrong > 0 ? 1 : 0;
