import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { installCommands, programs } from '../scripts/programs.mjs';
import { shownCommands } from './docs/shell-commands.js';

const scripts = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }).scripts;
/** Those that take options, and that no other tool answers for. */
const own = [
  'test',
  'setup',
  'stack',
  'bench',
  'chaos',
  'drill:upgrade',
  'drill:scale',
  'sim',
  'fuzz',
  'mutants',
  'oracle',
  'screenshots',
];

/** What is said behind `--` of a script, for each time that a document shows it. */
const shownArgs = (name: string): readonly (readonly string[])[] =>
  shownCommands.flatMap(({ words }) => {
    const said = words.filter((word) => word !== '--silent');
    const isScript = said[0] === 'npm' && (said[1] === 'run' ? said[2] : said[1]) === name;
    return isScript && said.includes('--') ? [said.slice(said.indexOf('--') + 1)] : [];
  });

describe('npm run', () => {
  it.each(own)('%s -- --help says how it is used, with all that documents say', { timeout: 120_000 }, (name) => {
    const command = (scripts[name] as string)
      .split(' && ')
      .at(-1)
      ?.replace(/^tsx /, 'node --import tsx ')
      .replace(/^node dist\/(.*)\.js$/, 'node --import tsx $1.ts');
    const { status, stdout, stderr } = spawnSync(`${command} --help`, { shell: true, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`npm ${name === 'test' ? '' : 'run '}${name}`);
    for (const args of shownArgs(name)) {
      // A benchmark has options of its own, which its file declares.
      const isBenchmark = name === 'bench' && args[0] !== 'NAME';
      const help = isBenchmark ? stdout + readFileSync(`benchmarks/${args[0]}.bench.ts`, 'utf8') : stdout;
      const [first = ''] = args;
      if (!first.startsWith('--')) expect(help).toMatch(new RegExp(`\\b${first}\\b`));
      for (const flag of args.filter((word) => word.startsWith('--')))
        expect(help).toMatch(new RegExp(isBenchmark ? `\\b${flag.slice(2)}:` : `${flag}\\b`));
    }
  });
});

it.each([
  ['test/chaos/main.ts --minutes 10', "Redis, Java, Maven, Python's clients is not installed: npm run setup"],
  ['test/oracle/main.ts --cases 5', 'python3 is not installed: the judge needs Python 3.9 or newer'],
  ['stack/main.ts start', '`java` is not installed\n`redis-server` is not installed\n`npm run setup` installs it'],
  ['benchmarks/main.ts kafka', '`java` is not installed\n`npm run setup` installs it'],
  ['benchmarks/main.ts learners', 'not everything is installed that is compared here\n  pip install river'],
])('%s names the programs that it lacks before it begins', { timeout: 60_000 }, (command, said) => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', ...command.split(' ')], {
    env: { PATH: '' },
    encoding: 'utf8',
  });
  expect([status === 0, stderr.slice(0, said.length)]).toEqual([false, said]);
  expect(stderr).not.toContain('    at ');
});

describe('a build before a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-build-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const built = (...args: string[]) => {
    const script = join(process.cwd(), 'scripts/build.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
    return [status, stderr];
  };
  for (const path of ['connectors', 'schemas', 'models', 'stack', 'examples', 'scripts']) put(`${path}/a.txt`, '');
  for (const path of ['tsconfig.json', 'package-lock.json', 'scripts/build.mjs']) put(path, '{}');
  const compilerOptions = { outDir: 'dist', rootDir: '.', module: 'nodenext', skipLibCheck: true, types: [] };
  put('tsconfig.build.json', JSON.stringify({ compilerOptions, include: ['src', 'topologies'] }));
  put('package.json', JSON.stringify({ type: 'module' }));
  put('src/cli/main.cts', 'console.log(1);');
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));

  it('goes on where a topology has errors, which the command names; a build alone does not', {
    timeout: 60_000,
  }, () => {
    put('topologies/wrong.ts', 'export const wrong: number = "a";');
    const said = "topologies/wrong.ts(1,14): error TS2322: Type 'string' is not assignable to type 'number'.\n";
    expect(built('--changed')).toEqual([0, said]);
    expect(statSync(join(folder, 'dist/src/cli/main.cjs')).mode & 0o111).toBe(0o111);
    expect(readFileSync(join(folder, 'dist/topologies/wrong.js'), 'utf8')).toContain('wrong = "a"');
    expect(built()).toEqual([1, said]);
  });

  it('ends at an error of the engine', { timeout: 60_000 }, () => {
    put('src/engine.ts', 'export const wrong: number = "a";');
    expect(built('--changed')).toEqual([1, expect.stringContaining('src/engine.ts(1,14): error TS2322')]);
  });
});

it('an option that a command does not have is named in a line', { timeout: 60_000 }, () => {
  const { status, stderr } = spawnSync('node --import tsx test/sim/main.ts --sedes 3', {
    shell: true,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([2, "Unknown option '--sedes'; --help lists the options\n"]);
});

it('what documents name as a command of npm is one', () => {
  const below = ['docs', 'src', 'stack', 'connectors'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  );
  const documents = [...readdirSync('.'), ...below].filter((file) => /\.(md|ts|yml)$/.test(file));
  const named = documents.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => [
      file,
      name,
    ]),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(([, name = '']) => !(name in scripts))).toEqual([]);
});

describe('setup', () => {
  it('names one command of each package manager', () => {
    const names = (platform: string) =>
      installCommands(programs, platform).map(([command, verb]) => `${command} ${verb}`);
    expect(names('linux')).toEqual(['apt-get install', 'python3 -m']);
    expect(names('darwin')).toEqual(['brew install', 'python3 -m']);
    expect(installCommands([], 'linux')).toEqual([]);
    expect(installCommands(programs, 'linux', true).map((command) => command.join(' '))).toContain(
      'apt-get install -y -q -t bookworm-backports mesa-vulkan-drivers',
    );
  });

  it('knows where each program comes from, on both systems', () => {
    for (const { apt, brew, pip } of programs)
      expect(pip !== undefined || (apt !== undefined && brew !== undefined)).toBe(true);
  });
});
