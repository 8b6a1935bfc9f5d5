// All tests: `npm test`. Unit tests and the simulation first; then the integration tests against real services, which this
// starts on free ports and ends. `--unit` stops after the unit tests; paths behind it are the ones to run. The last line says how
// many passed and failed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { install } from './programs.mjs';

if (process.argv.includes('--help')) {
  console.log(`npm test [-- [--unit] [FILES]]

Unit tests and the simulation, then the integration tests, on real services that this starts on free ports and ends.

  --unit   stop after the unit tests
  FILES    the unit tests to run

The integration tests need programs: npm run setup installs them.`);
  process.exit(0);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
let passed = 0;
/** What failed, a line each. */
const failures = [];

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', encoding: 'utf8', ...options });

/** Runs one project of vitest, and adds up what it says in its report; a run without one has failed. */
async function test(project, env = {}, paths = []) {
  const report = join(folder, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', '--project', project, ...reporters, ...paths], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  const { numPassedTests = 0, testResults = [] } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const named = testResults
    .filter((file) => file.status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const tests = assertionResults.filter((each) => each.status === 'failed');
      const file = relative(root, name);
      // None of them: the file could not be loaded, or what is around its tests failed.
      if (tests.length === 0) return [`${file}: ${firstLine(message)}`];
      return tests.map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${firstLine(failureMessages[0])}`);
    });
  if (named.length === 0 && status !== 0) named.push(`the run of the ${project} tests, with ${status}`);
  passed += numPassedTests;
  failures.push(...named);
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

try {
  await test(
    'unit',
    {},
    process.argv.slice(2).filter((each) => each !== '--unit'),
  );
  if (!process.argv.includes('--unit')) {
    await test('sim');
    // End-to-end tests run the command as it is installed.
    if (run(process.execPath, [join(root, 'scripts/build.mjs')]).status !== 0) failures.push('the build');
    const env = install() ? startStack() : undefined;
    if (env) await test('integration', env);
    else failures.push('the start of the services that the integration tests need');
  }
} finally {
  cleanUp();
}
for (const each of failures) console.log(`failed: ${each}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
