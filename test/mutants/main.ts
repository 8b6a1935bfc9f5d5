import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments } from '../arguments.js';
import { loadedWith, readSources, repository } from '../import-graph.js';
import { diffOf, draw, faultsIn, type Mutant } from './draw.js';
import { explanationOf } from './explained.js';
import { relatedTests } from './related.js';
import { type TestsOfFile, Trials, type Verdict } from './trial.js';

// Do the tests bite? Draws small faults by a seed and runs the unit tests related to each, in a copy:
// `npm run mutants -- --seed 1 --count 100`. A run that was ended goes on where it was: results are kept in `.millrace`. With the
// services' addresses in the environment integration tests are run as well.

const { values } = readArguments({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    /** Seconds after which no further tests of a mutant are begun. */
    limit: { type: 'string', default: '400' },
    /** Only files whose path contains this. */
    only: { type: 'string', default: '' },
    /** Lists the mutants and tries none. */
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run mutants -- [options]

Draws small faults of the sources by a seed, and runs the unit tests related to each. Where the services of \`npm run stack\` run
and their addresses are set (eval "$(npm run -s stack -- env)"), integration tests are run too.

  --seed N      decides which (1)
  --count N     how many (100)
  --limit N     seconds after which no further tests of a mutant begin (400)
  --only TEXT   only files whose path contains this
  --list        list the mutants, and try none
`);
  process.exit(0);
}

interface Tried extends Mutant, Verdict {
  readonly id: string;
  readonly diff: string;
}

const FOLDERS = ['src/runtime', 'src/state', 'src/operators', 'src/schema', 'connectors'];
/** They run the built command, which the copy does not have; tests of the command line alone where they load it. */
const NEEDS_BUILD = /^test\/(e2e|sim|mutants)\/|starter/;
const COMMAND = 'test/cli/millrace.ts';
const INTEGRATION = 'test/integration/';
/** They take longer than a group may, and leave their brokers behind when they are ended. */
const LONG = /^test\/integration\/(chaos|faults|kafka\/group|cli\/verify)/;
/** The nearest of a file: each takes half a minute. */
const INTEGRATION_MAX = 6;
const hasServices = ['KAFKA', 'REGISTRY', 'REDIS', 'CLICKHOUSE'].every((name) => process.env[`MILLRACE_${name}`]);

const sources = await readSources([
  'src',
  'connectors',
  'schemas',
  'topologies',
  'models',
  'stack',
  'examples',
  'test',
]);
const simulated = loadedWith(sources, 'test/sim/main.ts');
const built = new Set(
  [...sources.keys()].filter((path) => path.startsWith('test/cli/') && loadedWith(sources, path).has(COMMAND)),
);
const testsOf = (file: string): TestsOfFile => {
  const all = relatedTests(sources, file).filter((path) => !NEEDS_BUILD.test(path) && !built.has(path));
  const isIntegration = (path: string) => path.startsWith(INTEGRATION);
  return {
    unit: all.filter((path) => !isIntegration(path)),
    isSimulated: simulated.has(file),
    integration: hasServices
      ? all.filter((path) => isIntegration(path) && !LONG.test(path)).slice(0, INTEGRATION_MAX)
      : [],
  };
};
const textOf = (file: string) => sources.get(file)?.text ?? '';
const faults = [...sources.keys()]
  .filter((file) => FOLDERS.some((folder) => file.startsWith(`${folder}/`)) && file.includes(values.only))
  .filter((file) => {
    const { unit, integration } = testsOf(file);
    return unit.length + integration.length > 0;
  })
  .flatMap((file) => faultsIn(file, textOf(file)));
const drawn = draw(faults, Number(values.seed), Number(values.count));

const kept = join(repository, '.millrace', `mutants-${values.seed}.ndjson`);
mkdirSync(join(repository, '.millrace'), { recursive: true });
const before = existsSync(kept) ? readFileSync(kept, 'utf8').split('\n') : [];
const known = new Map(
  before
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Tried)
    .filter(({ outcome }) => outcome !== 'unfinished') // a longer `--limit` may end it
    .map((tried) => [tried.id, tried]),
);
/** A file that has changed since makes another mutant of it. */
const idOf = ({ file, start, end, to }: Mutant) =>
  `${file}:${start}-${end}:${to}:${createHash('sha256').update(textOf(file)).digest('hex').slice(0, 8)}`;

console.log(`${faults.length} faults, ${drawn.length} drawn`);
if (values.list)
  for (const mutant of drawn) console.log(`${mutant.file}:${mutant.line}\n${diffOf(textOf(mutant.file), mutant)}`);
else process.exitCode = await tryAll();

async function tryAll(): Promise<number> {
  const trials = new Trials();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      trials.close();
      process.exit(130);
    });
  const all: (Tried & { readonly explained: string | undefined })[] = [];
  try {
    for (const mutant of drawn) {
      const id = idOf(mutant);
      const line = textOf(mutant.file).split('\n')[mutant.line - 1] ?? '';
      const why = explanationOf(mutant, line);
      // What no test need find is not tried: all of them would have to pass.
      const tried = known.get(id) ?? (why ? passedOver(mutant, id) : await attempt(trials, mutant, id));
      const { outcome, by, seconds, diff, testFiles } = tried;
      const explained = outcome === 'killed' ? undefined : why;
      all.push({ ...tried, explained });
      const what = by ? `by ${by}` : `${testFiles} test files passed`;
      console.log(`${all.length} ${outcome}, ${seconds} s, ${mutant.file}:${mutant.line} (${mutant.kind}), ${what}`);
      if (outcome !== 'killed') console.log(`${diff}${explained ? `\n  ${explained}` : ''}`);
    }
  } finally {
    trials.close();
  }
  return report(all);
}

function passedOver(mutant: Mutant, id: string): Tried {
  return { id, ...mutant, diff: diffOf(textOf(mutant.file), mutant), outcome: 'survived', seconds: 0, testFiles: 0 };
}

async function attempt(trials: Trials, mutant: Mutant, id: string): Promise<Tried> {
  const text = textOf(mutant.file);
  const verdict = await trials.run(mutant, testsOf(mutant.file), Number(values.limit));
  const tried = { id, ...mutant, ...verdict, diff: diffOf(text, mutant) };
  appendFileSync(kept, `${JSON.stringify(tried)}\n`);
  return tried;
}

/** The share of those that were to be killed; what is explained was not. */
function report(all: readonly (Verdict & { readonly explained: string | undefined })[]): number {
  const killed = all.filter(({ outcome }) => outcome === 'killed').length;
  const why = all.filter((tried) => tried.explained !== undefined).length;
  const share = (100 * killed) / Math.max(1, all.length - why);
  console.log(`${killed} of ${all.length} killed, ${why} explained: ${share.toFixed(1)} %`);
  return share >= 90 ? 0 : 1;
}
