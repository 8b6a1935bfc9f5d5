import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

const { bin } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { bin: { millrace: string } };

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the process has written this to its standard error; rejects where it ends before. */
  said(text: string): Promise<void>;
}

/** Starts the command of the built package as a process of its own, in the folder of the repository. */
export function startBuilt(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const clean = Object.entries(process.env).filter(([name]) => !/^(MILLRACE_|VITEST|NODE_OPTIONS)/.test(name));
  const child = spawn(process.execPath, [join(repository, bin.millrace), ...args], {
    cwd: repository,
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const waiting: (() => void)[] = [];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
    for (const look of waiting.splice(0)) look();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const look of waiting.splice(0)) look();
      resolve({ code, signal, out, err });
    });
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (err.includes(text)) resolve();
        else if (child.exitCode !== null || child.signalCode !== null)
          reject(new Error(`it ended without saying '${text}': ${err}`));
        else waiting.push(look);
      };
      look();
    });
  return { child, ended, said };
}

/** Runs the command to its end, which must be a good one; its standard output. */
export async function runBuilt(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, signal, out, err } = await startBuilt(args, env).ended;
  if (code !== 0) throw new Error(`millrace ${args.join(' ')} ended with ${code ?? signal}: ${err}${out}`);
  return out;
}
