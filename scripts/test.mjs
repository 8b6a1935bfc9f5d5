// All tests: `npm test`. Unit tests first; then the integration tests against real services, which this starts on free ports and
// ends, and the simulation beside them. `--unit` stops after the unit tests; paths behind it are the ones to run. The last line says
// how many passed and failed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { install } from './programs.mjs';

/** More files than these that fail are no accident: they do not run again. */
const AGAIN_MAX = 3;

if (process.argv.includes('--help')) {
  console.log(`npm test [-- [--unit] [FILES]]

Unit tests, then the simulation and the integration tests, on real services that this starts on free ports and ends.
Up to ${AGAIN_MAX} files of each that failed run once more, alone; those that pass then are named as flaky at the end.

  --unit   stop after the unit tests
  FILES    the unit tests to run

The integration tests need programs: npm run setup installs them.`);
  process.exit(0);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const progress = join(root, 'scripts/progress.mjs');
/** Unit tests that need a process of their own, and the others; once more, each has one. */
const partsOf = { unit: ['own', 'shared'] };
const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
let passed = 0;
/** What failed, a line each. */
const failures = [];
/** What failed at first and passed when its file ran again alone, a line each. */
const flaky = [];

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', encoding: 'utf8', ...options });

/**
 * Runs projects of vitest: how many tests passed, and what failed by file. A run without a report has failed. One with a `log` writes
 * there, and takes the part of a core that others leave.
 */
async function vitestRun(projects, { env, paths = [], log }) {
  const report = join(folder, `${projects[0]}.json`);
  rmSync(report, { force: true });
  const reporters = ['default', progress, 'json'].map((each) => `--reporter=${each}`);
  const args = [...projects.flatMap((each) => ['--project', each]), ...reporters, `--outputFile.json=${report}`];
  const output = log === undefined ? 'inherit' : openSync(log, 'a');
  const child = spawn(process.execPath, [vitest, 'run', ...args, ...(log ? ['--maxWorkers=1'] : []), ...paths], {
    cwd: root,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  if (log) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const status = await new Promise((resolve) => child.on('close', resolve));
  const { testResults = [] } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const failed = new Map();
  let passed = 0;
  for (const { name, status, message, assertionResults } of testResults) {
    const file = relative(root, name);
    passed += assertionResults.filter((each) => each.status === 'passed').length;
    if (status !== 'failed') continue;
    const tests = assertionResults.filter((each) => each.status === 'failed');
    const lines = tests.map((each) => `${file} > ${each.fullName}: ${firstLine(each.failureMessages[0])}`);
    // None of them: the file could not be loaded, or what is around its tests failed.
    failed.set(file, { lines: lines.length > 0 ? lines : [`${file}: ${firstLine(message)}`], tests: assertionResults });
  }
  return { status, passed, failed };
}

/**
 * Runs the tests of a project. A few files that failed run once more, alone: a slow machine breaks a limit of time now and
 * then. Those that pass then are named as flaky, in the last lines; each is a bug of the test or of the code.
 */
async function test(project, options = {}) {
  const first = await vitestRun(partsOf[project] ?? [project], options);
  passed += first.passed;
  if (first.status === 0) return;
  if (first.failed.size === 0) {
    failures.push(`the run of the ${project} tests, with ${first.status}`);
    return;
  }
  const names = [...first.failed.keys()];
  const again = names.length <= AGAIN_MAX ? await vitestRun([project], { ...options, paths: names }) : first;
  for (const [file, { lines, tests }] of first.failed) {
    if (again.status !== 0 && (again.failed.size === 0 || again.failed.has(file))) {
      failures.push(...lines);
    } else {
      passed += tests.filter((each) => each.status === 'failed').length;
      flaky.push(...lines);
    }
  }
}

const firstLine = (message = '') => message.split('\n')[0].slice(0, 300);

// The stack from the sources, so that what is tested is what is there.
const stackArgs = ['--import', pathToFileURL(require.resolve('tsx')).href, join(root, 'stack/main.ts')];
const stack = (...args) =>
  run(process.execPath, [...stackArgs, ...args, '--data', join(folder, 'stack')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** Starts every service on a free port; answers with the variables that say where. */
function startStack() {
  const free = ['kafka', 'registry', 'redis', 'clickhouse', 's3'].flatMap((name) => [`--${name}-port`, '0']);
  const { status, stdout } = stack(...free);
  process.stdout.write(stdout);
  return status === 0
    ? Object.fromEntries([...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, n, v]) => [n, v]))
    : undefined;
}

function cleanUp() {
  stack('stop');
  rmSync(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    cleanUp();
    process.exit(130);
  });
}

const isUnit = process.argv.includes('--unit');
const paths = process.argv.slice(2).filter((each) => each !== '--unit');
try {
  // Tests of the command start it as it is installed; where only some files run, from the sources, as it starts when a file runs alone.
  const isBuilt = paths.length === 0 && run(process.execPath, ['scripts/build.mjs', '--changed']).status === 0;
  if (paths.length === 0 && !isBuilt) failures.push('the build');
  const env = isBuilt ? { MILLRACE_TEST_BUILT: '1' } : {};
  await test('unit', { env, paths });
  if (!isUnit) {
    // It has a clock of its own, and the integration tests wait most of the time.
    const log = join(folder, 'sim.log');
    const simulation = test('sim', { log });
    const services = install() ? startStack() : undefined;
    if (services) await test('integration', { env: { ...env, ...services } });
    else failures.push('the start of the services that the integration tests need');
    await simulation;
    process.stdout.write(readFileSync(log, 'utf8'));
  }
} finally {
  cleanUp();
}
for (const each of flaky) console.log(`flaky, passed when run again: ${each}`);
for (const each of failures) console.log(`failed: ${each}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
