import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/cli/program.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in this process. */
export async function callMain(...args: string[]): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

export interface Invocation {
  readonly folder: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs the command as a process of its own. From the sources, the condition `millrace-source` makes `millrace` mean src/index.ts, for
 * the command and for the topology file that it loads.
 */
export function millrace(args: readonly string[], { folder, input = '', env = {} }: Invocation): Promise<Outcome> {
  const { process: child, ended } = startMillrace(args, { folder, env });
  child.stdin.end(input);
  return ended;
}

/** Runs several commands in one process of their own, one after the other, in a folder that first gets some files. */
export async function millraceInOne(
  commands: readonly (readonly string[])[],
  { folder, files }: { readonly folder: string; readonly files: ReadonlyMap<string, string> },
): Promise<Outcome[]> {
  for (const [name, text] of files) writeFileSync(join(folder, `${name}.ts`), text);
  const program = 'test/cli/one-process.ts';
  const { out, err, code } = await startMillrace([JSON.stringify(commands)], { folder, program }).ended;
  if (code !== 0) throw new Error(err);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

interface Start extends Omit<Invocation, 'input'> {
  /** Instead of the command. */
  readonly program?: string;
}

const fromSource = (program: string) => {
  const tsx = join(repository, 'node_modules/tsx/dist/esm/index.mjs');
  return ['-C', 'millrace-source', '--import', tsx, join(repository, program)];
};
/** As it is installed where `npm test` has built it, which starts in a third of the time; from the sources where a test runs alone. */
const command = process.env.MILLRACE_TEST_BUILT
  ? [join(repository, 'dist/src/cli/main.cjs')]
  : fromSource('src/cli/main.ts');

export function startMillrace(args: readonly string[], { folder, env = {}, program }: Start) {
  const clean = Object.entries(process.env).filter(([name]) => !/^(MILLRACE_|VITEST|NODE_OPTIONS)/.test(name));
  const start = program === undefined ? command : fromSource(program);
  const child = spawn(process.execPath, [...start, ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(clean), ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { process: child, ended, output: () => out + err };
}

/** A folder outside the repository in which `millrace` is installed, with files in it. */
export function userFolder(files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(repository, join(folder, 'node_modules', 'millrace'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
