import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.js';
import type { Network } from './network.js';
import type { Relay, WorkerNews, WorkerOptions } from './worker.js';

/** A checkpoint as the worker that stored it saw it. */
export interface Stored {
  readonly worker: number;
  readonly task: number;
  readonly atMs: number;
}

/** A task's state as it came into a worker. */
export interface Restored {
  readonly worker: number;
  readonly task: number;
  readonly records: number;
  readonly fromStandby: boolean;
  readonly atMs: number;
}

export interface Assigned {
  readonly worker: number;
  readonly tasks: readonly number[];
  readonly atMs: number;
}

export class Worker {
  /** What it is called in the group of each sub-topology. */
  readonly memberIds = new Map<string, string>();
  tasks: readonly number[] = [];
  errors = '';
  readonly ended: Promise<number | null>;

  constructor(
    readonly id: number,
    readonly process: ChildProcess,
    /** Its name in the network, where there is one. */
    readonly host: string | undefined,
    private readonly clock: string | undefined,
  ) {
    this.ended = once(process, 'close').then(([code]) => code as number | null);
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Sets its wall clock so many seconds ahead of the machine's. */
  setClock(seconds: number): void {
    if (this.clock) writeFileSync(this.clock, offset(seconds));
  }

  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.process.kill(signal);
  }
}

const offset = (seconds: number) => `${seconds < 0 ? '' : '+'}${seconds}`;

/** Hosts of workers in a network; there are never more of them alive. */
export const workerHosts = ['worker-0', 'worker-1', 'worker-2', 'worker-3'];

/** Where workers run. */
export interface Place {
  /** Each is a host of its own. */
  readonly network?: Network | undefined;
  /** Stores of loopback, by port, and the socket files by which other namespaces reach them. */
  readonly relays?: readonly Relay[];
  /** A folder for the clocks of the workers: they have their own, by libfaketime. */
  readonly clocks?: string | undefined;
  /** What is wrong with their connectors. */
  readonly mutant?: Mutant | undefined;
}

/** Where Debian has it; the loader fills in the folder of this machine's libraries. */
const FAKETIME = '/usr/$LIB/faketime/libfaketime.so.1';

/** Starts worker processes and writes down what they tell; ends all of them at the end. */
export class Workers {
  readonly all: Worker[] = [];
  readonly stored: Stored[] = [];
  readonly assigned: Assigned[] = [];
  readonly restored: Restored[] = [];
  readonly warnings: string[] = [];

  constructor(
    private readonly options: WorkerOptions,
    private readonly place: Place = {},
  ) {}

  get living(): Worker[] {
    return this.all.filter((worker) => worker.alive);
  }

  start(options: Partial<WorkerOptions> = {}): Worker {
    const { network, relays = [], clocks, mutant } = this.place;
    const id = this.all.length;
    const used = this.living.map((worker) => worker.host);
    const host = workerHosts.find((each) => !used.includes(each));
    if (network && host === undefined) throw new Error('there are as many workers as hosts');
    const clock = clocks && join(clocks, `clock-${id}`);
    if (clock) writeFileSync(clock, offset(0));
    const [command = '', ...args] = [
      ...(network && host ? network.runAs(host) : []),
      process.execPath,
      '--import',
      'tsx',
      fileURLToPath(new URL('worker.ts', import.meta.url)),
      JSON.stringify({ ...this.options, relays, mutant, ...options }),
    ];
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, ...(clock ? fakeTime(clock) : {}) },
    });
    const worker = new Worker(id, child, network && host, clock);
    this.all.push(worker);
    child.stderr?.on('data', (data: Buffer) => {
      worker.errors += data.toString();
    });
    child.on('message', (news) => this.hear(worker, news as WorkerNews));
    return worker;
  }

  /** Resolves when these workers, and no others, have all tasks among them. */
  async settled(workers: readonly Worker[], tasks: number, patienceMs = 60_000): Promise<void> {
    const giveUpMs = Date.now() + patienceMs;
    for (;;) {
      const own = workers.map((worker) => worker.tasks.length);
      const all = new Set(workers.flatMap((worker) => worker.tasks));
      if (all.size === tasks && Math.max(...own) - Math.min(...own) <= 1 && own.reduce((a, b) => a + b) === tasks)
        return;
      const dead = workers.find((worker) => !worker.alive);
      if (dead) throw new Error(`worker ${dead.id} ended: ${dead.errors}`);
      if (Date.now() > giveUpMs) throw new Error(`tasks are spread as ${JSON.stringify(own)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async end(): Promise<void> {
    for (const worker of this.living) worker.signal('SIGCONT');
    // One by one: where a rebalance takes a task away, its last commit is refused, and updates of a model stay where the undisturbed
    // run has blocks.
    for (const worker of this.living) {
      worker.signal('SIGTERM');
      await worker.ended;
    }
    await Promise.all(this.all.map((worker) => worker.ended));
  }

  /** The longest time between two checkpoints of a task, from one moment to another. */
  longestGapMs(task: number, fromMs: number, toMs: number): number {
    const times = this.stored
      .filter((each) => each.task === task && each.atMs >= fromMs && each.atMs <= toMs)
      .map(({ atMs }) => atMs);
    const all = [fromMs, ...times, toMs];
    return Math.max(...all.slice(1).map((atMs, index) => atMs - (all[index] as number)));
  }

  /** How long after a moment each of some tasks' next checkpoint came, by one of these workers; waits for them. */
  async nextStoredMs(
    tasks: readonly number[],
    afterMs: number,
    by: readonly Worker[],
    patienceMs = 60_000,
  ): Promise<number[]> {
    const giveUpMs = Date.now() + patienceMs;
    for (;;) {
      const next = tasks.map((task) =>
        this.stored.find(
          (each) => each.task === task && each.atMs > afterMs && by.some(({ id }) => id === each.worker),
        ),
      );
      const late = tasks.filter((_, i) => next[i] === undefined);
      if (late.length === 0) return next.map((each) => (each as Stored).atMs - afterMs);
      if (Date.now() > giveUpMs) throw new Error(`tasks ${late} stored no checkpoint again`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private hear(worker: Worker, news: WorkerNews): void {
    if (news.kind === 'joined') worker.memberIds.set(news.group, news.memberId);
    else if (news.kind === 'stored') this.stored.push({ worker: worker.id, task: news.task, atMs: news.atMs });
    else if (news.kind === 'restored') {
      const { task, records, fromStandby, atMs } = news;
      this.restored.push({ worker: worker.id, task, records, fromStandby, atMs });
    } else if (news.kind === 'warning') this.warnings.push(`worker ${worker.id}: ${news.message}`);
    else {
      worker.tasks = news.tasks;
      this.assigned.push({ worker: worker.id, tasks: news.tasks, atMs: news.atMs });
    }
  }
}

/** A wall clock that a file sets; the monotonic one stays right. */
const fakeTime = (clock: string) => ({
  LD_PRELOAD: FAKETIME,
  FAKETIME_TIMESTAMP_FILE: clock,
  FAKETIME_NO_CACHE: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
});
