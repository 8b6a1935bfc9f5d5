import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StandbyStatus } from '../../src/core/index.js';
import type { WorkerNews, WorkerOptions } from './worker.js';

export interface RestoredTask {
  readonly records: number;
  readonly durationMs: number;
}

/** A worker process, and what it told last. */
export class Member {
  memberId = '';
  tasks: readonly number[] = [];
  standbys: readonly StandbyStatus[] = [];
  rssBytes = 0;
  cpuSeconds = 0;
  assignedAtMs = 0;
  readonly restored = new Map<number, RestoredTask>();
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcess;

  constructor(options: WorkerOptions) {
    const file = fileURLToPath(new URL('./worker.ts', import.meta.url));
    this.child = fork(file, [JSON.stringify(options)], { execArgv: process.execArgv });
    this.ended = once(this.child, 'close');
    this.child.on('message', (news) => this.hear(news as WorkerNews));
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }

  /** @throws where the process ends, or `patienceMs` pass, before it is so. */
  async until(what: string, isSo: () => boolean, patienceMs = 600_000): Promise<void> {
    for (const giveUpMs = Date.now() + patienceMs; !isSo(); await sleep(5)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`a worker ended before ${what}`);
      if (Date.now() > giveUpMs) throw new Error(`waited too long until ${what}: it has tasks ${this.tasks}`);
    }
  }

  private hear(news: WorkerNews): void {
    if (news.kind === 'joined') this.memberId = news.memberId;
    else if (news.kind === 'assigned') {
      this.tasks = news.tasks;
      this.assignedAtMs = Date.now();
    } else if (news.kind === 'restored') this.restored.set(news.task, news);
    else {
      this.standbys = news.standbys;
      this.rssBytes = news.rssBytes;
      this.cpuSeconds = news.cpuSeconds;
    }
  }
}
