import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkerOptions, WorkerStatus } from './worker.js';

const GIVE_UP_MS = 180_000;

/** A worker process. */
export class Worker {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  private readonly started: Promise<unknown>;

  constructor(options: WorkerOptions) {
    const file = fileURLToPath(new URL('./worker.ts', import.meta.url));
    this.child = fork(file, [JSON.stringify(options)], { execArgv: process.execArgv });
    this.ended = once(this.child, 'close');
    this.started = once(this.child, 'message');
  }

  async status(): Promise<WorkerStatus> {
    const isOver = this.ended.then(() => Promise.reject(new Error('a worker ended before the benchmark did')));
    await Promise.race([this.started, isOver]);
    const answer = once(this.child, 'message');
    this.child.send('status');
    const [status] = (await Promise.race([answer, isOver])) as [WorkerStatus];
    return status;
  }

  /** The first status of which something is so. Asks seldom, since an answer costs the worker CPU. */
  async until(what: string, isSo: (status: WorkerStatus) => boolean, everyMs = 50): Promise<WorkerStatus> {
    for (const giveUpMs = performance.now() + GIVE_UP_MS; performance.now() < giveUpMs; await sleep(everyMs)) {
      const status = await this.status();
      if (isSo(status)) return status;
    }
    throw new Error(`waited too long until ${what}`);
  }

  /** Drains and commits; resolves with how long that took, in milliseconds. */
  async stop(): Promise<number> {
    const startedMs = performance.now();
    this.child.kill('SIGTERM');
    await this.ended;
    return performance.now() - startedMs;
  }
}
