import type { EpochPhase, TaskTracer } from '../tracing/task-tracer.js';

/** What the epochs of a task took since it was opened, in sum, and its last one. */
export interface EpochTimes {
  readonly phaseMs: Readonly<Record<EpochPhase, number>>;
  /** State that they stored: changed parts, encoded. */
  readonly bytes: number;
  readonly last:
    | { readonly endedMs: number; readonly phaseMs: Readonly<Record<EpochPhase, number>>; readonly bytes: number }
    | undefined;
}

const NONE = { drain: 0, prepare: 0, store: 0, commit: 0 };

/** Measures the phases of the epochs of a task, and tells them to its traces. */
export class EpochMeter {
  private sums = { ...NONE };
  private current = { ...NONE };
  private phaseNow: EpochPhase | undefined;
  private sinceMs = 0;
  private bytes = 0;
  private last: EpochTimes['last'];

  constructor(
    private readonly now: () => number,
    private readonly fine: () => number,
    private readonly tracer: Pick<TaskTracer, 'phase' | 'committed'> | undefined,
  ) {}

  /** A phase begins, and the one before it ends. */
  phase(name: EpochPhase): void {
    this.endPhase();
    this.phaseNow = name;
    this.tracer?.phase(name);
  }

  /** The epoch is committed; it has stored so many bytes. */
  committed(epoch: number, bytes: number): void {
    this.endPhase();
    this.phaseNow = undefined;
    const { sums, current } = this;
    this.sums = {
      drain: sums.drain + current.drain,
      prepare: sums.prepare + current.prepare,
      store: sums.store + current.store,
      commit: sums.commit + current.commit,
    };
    this.bytes += bytes;
    this.last = { endedMs: this.now(), phaseMs: current, bytes };
    this.current = { ...NONE };
    this.tracer?.committed(epoch);
  }

  times(): EpochTimes {
    return { phaseMs: this.sums, bytes: this.bytes, last: this.last };
  }

  private endPhase(): void {
    const nowMs = this.fine();
    if (this.phaseNow) this.current[this.phaseNow] += nowMs - this.sinceMs;
    this.sinceMs = nowMs;
  }
}
