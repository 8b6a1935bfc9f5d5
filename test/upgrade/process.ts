import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PATIENCE_MS = 90_000;
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The arguments of Node for `millrace`, as `npm run build` made it. */
export const millrace = (...args: readonly string[]): readonly string[] => [
  `${repository}/dist/src/cli/main.cjs`,
  ...args,
];

/** A process of Node in the folder of the repository, and what it has said. */
export class DrillProcess {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  out = '';
  err = '';

  constructor(
    private readonly name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    this.child = spawn(process.execPath, args, { cwd: repository, env: { ...process.env, ...env } });
    this.child.stdout?.on('data', (data) => {
      this.out += data;
    });
    this.child.stderr?.on('data', (data) => {
      this.err += data;
    });
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  get failure(): string | undefined {
    const { exitCode } = this.child;
    return exitCode !== null && exitCode !== 0 ? `${this.name} ended with ${exitCode}: ${this.err}` : undefined;
  }

  async said(words: string): Promise<void> {
    await until(`'${words}'`, [this], async () => this.err.includes(words));
  }

  async endsWith(code: number): Promise<{ out: string; err: string }> {
    const tooLate = setTimeout(() => this.child.kill('SIGKILL'), 2 * PATIENCE_MS);
    const actual = await this.ended;
    clearTimeout(tooLate);
    if (actual !== code) throw new Error(`${this.name} ended with ${actual}, not ${code}: ${this.out}${this.err}`);
    return this;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.endsWith(0);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Waits for it, unless a process fails meanwhile or it takes too long. */
export async function until(
  what: string,
  processes: readonly DrillProcess[],
  is: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const failed = new Set(processes.filter(({ failure }) => failure));
  const giveUpMs = Date.now() + patienceMs;
  while (!(await is())) {
    const dead = processes.find((process) => process.failure && !failed.has(process));
    if (dead) throw new Error(dead.failure);
    if (Date.now() > giveUpMs) throw new Error(`${what} did not come`);
    await sleep(100);
  }
}

export const inSeconds = (ms: number): number => Math.round(ms / 100) / 10;
