import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { MillraceError } from '../src/core/errors.js';
import type { Benchmark, BenchmarkResult, Goal, Options } from './benchmark.js';
import { machineLine } from './machine.js';

// npm run bench                                       lists what there is
// npm run bench -- NAME [--json] [--option VALUE]     runs one

const folder = import.meta.dirname;
const suffix = '.bench.ts';

function names(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
}

/** The question that a benchmark answers: the first line of the comment at its top. */
function questionOf(name: string): string {
  const text = readFileSync(join(folder, name + suffix), 'utf8');
  return /^\/\*\*[\s*]*(.+?)\s*(?:\*\/)?$/m.exec(text)?.[1] ?? '';
}

function list(): string {
  const width = Math.max(...names().map((name) => name.length));
  const lines = names().map((name) => `  ${name.padEnd(width)}  ${questionOf(name)}`);
  return `npm run bench -- NAME [--json] [--option VALUE]\n\n${lines.join('\n')}\n`;
}

function show({ unit, figures, ratios, goals = {} }: BenchmarkResult): string {
  const number = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3));
  const range = ({ median, low, high }: BenchmarkResult['figures'][string]) =>
    `${number(median).padStart(10)}  (${number(low)} to ${number(high)})`;
  const width = Math.max(...[figures, ratios, goals].flatMap(Object.keys).map((name) => name.length));
  const block = (title: string, of: BenchmarkResult['figures']) =>
    `${title}\n${Object.entries(of)
      .map(([name, value]) => `  ${name.padEnd(width)} ${range(value)}\n`)
      .join('')}`;
  const ends = Object.entries(goals).map(
    ([name, goal]) =>
      `  ${name.padEnd(width)} ${range(goal.is)}  ${boundsOf(goal)}: ${isMet(goal) ? 'met' : 'MISSED'}\n`,
  );
  return [
    block(`${unit}, median (lowest to highest)`, figures),
    block('ratios within a pair, median (range)', ratios),
    ...(ends.length > 0 ? ['goals\n', ...ends] : []),
  ].join('');
}

const isMet = ({ is: { median }, atLeast = -Infinity, atMost = Infinity }: Goal) =>
  median >= atLeast && median <= atMost;

const boundsOf = ({ atLeast, atMost }: Goal) =>
  [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ].join(', ');

interface BenchmarkFile {
  readonly benchmark: Benchmark;
  readonly options?: Options;
}

function usage(name: string, options: Options): string {
  const own = Object.entries(options).map(
    ([option, value]) => `  --${option.padEnd(12)} ${value || 'all'} unless said\n`,
  );
  return `${questionOf(name)}\n\n  npm run bench -- ${name} [options]\n\n${own.join('')}  --${'json'.padEnd(12)} one object\n`;
}

/** What the command line says in the place of a benchmark's own options; throws on what is none of them. */
function given(args: readonly string[], defaults: Options): { readonly json: boolean; readonly said: Options } {
  const names = Object.keys(defaults);
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean' },
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' } as const])),
    },
  });
  const { json = false, ...texts } = values;
  const said = Object.entries(texts).map(([name, text]) => {
    if (typeof defaults[name] === 'string') return [name, String(text)] as const;
    const number = Number(text);
    if (!(number > 0)) throw new Error(`--${name} takes a number above 0, not '${text}'`);
    return [name, number] as const;
  });
  return { json: json === true, said: Object.fromEntries(said) };
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help') {
    process.stdout.write(list());
    return 0;
  }
  if (!existsSync(join(folder, name + suffix))) {
    process.stderr.write(`no benchmark "${name}"\n\n${list()}`);
    return 2;
  }
  // Peers load ONNX Runtime by themselves; it would report runs to its makers, and take time for that.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const file = (await import(pathToFileURL(join(folder, name + suffix)).href)) as BenchmarkFile;
  const { benchmark, options = {} } = file;
  if (args.includes('--help')) {
    process.stdout.write(usage(name, options));
    return 0;
  }
  let asked: ReturnType<typeof given>;
  try {
    asked = given(args, options);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage(name, options)}`);
    return 2;
  }
  const { json, said } = asked;
  const machine = machineLine();
  const command = ['npm run bench --', name, ...Object.entries(said).map(([key, value]) => `--${key} ${value}`)].join(
    ' ',
  );
  const date = new Date().toISOString().slice(0, 16);
  // Of the last minute before the start: others who worked beside it show in the range, and here.
  const load = Number(loadavg()[0]?.toFixed(1));
  if (!json) process.stdout.write(`${questionOf(name)}\n${machine}\n`);
  const result = await benchmark((line) => process.stderr.write(`${line}\n`), { ...options, ...said }).catch(asLine);
  if (result === undefined) return 2;
  process.stdout.write(
    json
      ? `${JSON.stringify({ name, question: questionOf(name), command, date, machine, load, ...result })}\n`
      : show(result),
  );
  return 0;
}

/** What is missing here is said in a line; anything else is a fault of the benchmark. */
function asLine(error: unknown): undefined {
  if (!(error instanceof MillraceError) || error.code !== 'config') throw error;
  process.stderr.write(`${error.message}${error.hint ? `\n${error.hint}` : ''}\n`);
}

/** As the command runs: with room for young objects. From the sources, and with the collector in reach between runs. */
const flags = ['--max-semi-space-size=64', '--expose-gc', '--conditions=millrace-source'];

function withFlags(): number {
  const argv = [...process.execArgv, ...flags, ...process.argv.slice(1)];
  // Read by libuv before the first line runs: the command sets as much.
  const env = { UV_THREADPOOL_SIZE: '16', ...process.env };
  return spawnSync(process.execPath, argv, { stdio: 'inherit', env }).status ?? 1;
}

const isSet = flags.every((flag) => process.execArgv.includes(flag));
process.exitCode = isSet ? await main(process.argv.slice(2)) : withFlags();
