import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onInterrupt } from '../../util/interrupt.js';
import type { Terminal } from '../../util/terminal.js';
import { watchSources } from './watch-sources.js';

export interface DevelopOptions {
  readonly file: string;
  /** Arguments of `millrace` that check the topology, and that run it. */
  readonly check: readonly string[];
  readonly run: readonly string[];
  readonly terminal: Terminal;
}

/**
 * Runs a topology in a process of its own, and again when a source file changes: a version with problems does not replace one that runs.
 * Resolves after Ctrl-C, when the last run has drained.
 */
export async function develop({ file, check, run, terminal: { out, err } }: DevelopOptions): Promise<void> {
  let running: Run | undefined;
  const start = (...more: string[]) => {
    const started = begin([...run, ...more]);
    running = started;
    void started.ended.then((code) => {
      if (running !== started || started.isStopped) return;
      err(`the run has ended with ${code}. A change starts it again${hint}\n`);
    });
  };
  const replace = async (...more: string[]) => {
    await running?.stop();
    start(...more);
  };
  const isRight = async (): Promise<boolean> => {
    const { code, text } = await outcomeOf(check);
    if (code === 0) return true;
    err(`${text}the run goes on as it was\n`);
    return false;
  };

  const sources = watchSources(file);
  const keys = process.stdin.isTTY ? createInterface({ input: process.stdin }) : undefined;
  const hint = keys ? '; Enter does, too, and `a` accepts the plan' : '';
  // One thing after another, whoever asks for it.
  let work = Promise.resolve();
  const then = (step: () => Promise<void>) => {
    work = work.then(step);
  };
  keys?.on('line', (line) => then(() => replace(...(line.trim() === 'a' ? ['--accept-plan'] : []))));
  const forget = onInterrupt({ err }, () => sources.close());
  start();
  out(`files below ${sources.folder} are watched\n`);
  try {
    for await (const changed of sources) {
      then(async () => {
        err(`${changed} has changed\n`);
        if (await isRight()) await replace();
      });
      await work;
    }
  } finally {
    keys?.close();
    await work;
    await running?.stop();
    forget();
  }
}

interface Run {
  readonly isStopped: boolean;
  readonly ended: Promise<number | string>;
  /** Lets it drain; resolves when it has ended. */
  stop(): Promise<void>;
}

/** A group of its own: Ctrl-C in a terminal goes to this process, which asks the run to end. */
const millrace = (args: readonly string[], output: 'inherit' | 'pipe'): ChildProcess =>
  spawn(process.execPath, [...process.execArgv, process.argv[1] as string, ...args], {
    stdio: ['ignore', output, output],
    detached: true,
  });

function begin(args: readonly string[]): Run {
  const child = millrace(args, 'inherit');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', kill);
    return (code ?? signal) as number | string;
  });
  let isStopped = false;
  return {
    get isStopped() {
      return isStopped;
    },
    ended,
    async stop() {
      isStopped = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function outcomeOf(args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = millrace(args, 'pipe');
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (text += data));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}
