import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { MillraceError } from '../../src/core/errors.js';
import type { PeerCommand } from '../peers/peer-process.js';
import type { Judge } from './cases.js';

/** What a side is told, as a line of JSON: passes over the same rows, each with a new model, for so long at least. */
export interface Order {
  /** What the side calls the learner. */
  readonly learner: string;
  readonly file: string;
  readonly data: 'numbers' | 'strings' | 'encoded';
  readonly rows: number;
  readonly columns: number;
  readonly label: 'number' | 'binary' | 'class';
  readonly judge: Judge;
  /** Of the processor. */
  readonly seconds: number;
}

/** What it answers, as a line of JSON. */
export interface Reply {
  /** In all passes. */
  readonly rows: number;
  /** Of the processor, all threads, while rows were predicted and learnt. */
  readonly cpuSeconds: number;
  /** Of the first pass, by the order's judge. */
  readonly score: number;
}

/** A process that learns as it is told, and says how long it took. */
export class Side {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(
    readonly name: string,
    { command, args }: PeerCommand,
  ) {
    this.child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async run(order: Order): Promise<Reply> {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.name} ended: its cause is above`);
    return JSON.parse(value) as Reply;
  }

  end(): void {
    this.child.stdin?.end();
  }
}

/** What a run needs of this machine, each with the command that installs it where it is missing. */
export function requireAll(
  needs: readonly { readonly probe: readonly [string, ...string[]]; readonly install: string }[],
) {
  const missing = needs.filter(({ probe: [program, ...args] }) => {
    try {
      execFileSync(program, args, { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0)
    throw new MillraceError('config', 'not everything is installed that is compared here', {
      hint: missing.map(({ install }) => `  ${install}`).join('\n'),
    });
}
