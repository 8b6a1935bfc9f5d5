import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Order } from './order.js';

/** How a peer is started: it reads orders from its standard input, and says `started` and `closed`. */
export interface PeerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** A process that does what it is told, run after run: warm after the first. */
export class PeerProcess {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<string, () => void>();
  private readonly failed: Promise<never>;

  constructor({ command, args }: PeerCommand) {
    this.child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.failed = new Promise((_, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code) => reject(new Error(`${command} ended with code ${code}`)));
      createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        if (line === 'failed') reject(new Error(`${command} failed: its cause is above`));
        this.waiting.get(line)?.();
      });
    });
    this.failed.catch(() => undefined); // whoever waits for the process hears of it
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Resolves when the first record is in hand. */
  start(order: Order): Promise<void> {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
    return this.hears('started');
  }

  stop(): Promise<void> {
    this.child.stdin?.write('stop\n');
    return this.hears('closed');
  }

  /** Rejects when the process fails; never resolves. */
  get failure(): Promise<never> {
    return this.failed;
  }

  end(): void {
    this.child.removeAllListeners('exit');
    this.child.stdin?.end();
  }

  private hears(line: string): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.waiting.set(line, resolve);
    });
    return Promise.race([heard, this.failed]);
  }
}
