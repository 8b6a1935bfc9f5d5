/** How a task and its parts have spent the time since the task was opened, in milliseconds. */
export interface TaskTime {
  readonly totalMs: number;
  /** It could take no further record before a step, a sink or the checkpoint was done. */
  readonly blockedMs: number;
  /** It had no record, or not of every input. */
  readonly idleMs: number;
  /** By step: on the thread, in its logic. */
  readonly workMs: ReadonlyMap<string, number>;
  /** By step, sink and `CHECKPOINT`: at least one of its operations was in flight. */
  readonly pendingMs: ReadonlyMap<string, number>;
  /** The part of that in which the task was blocked. */
  readonly waitedMs: ReadonlyMap<string, number>;
  /** By input: records were held back that an input without records must come before. */
  readonly heldMs: ReadonlyMap<string, number>;
}

/** In the place of a step: the checkpoint. Ids of users cannot begin with `$`. */
export const CHECKPOINT = '$checkpoint';

type Phase = 'running' | 'blocked' | 'idle';

interface Part {
  readonly id: string;
  readonly isInput: boolean;
  pendingMs: number;
  waitedMs: number;
}

/**
 * Measures what a task waits for. At each moment the task is in one phase (running, blocked or idle), and some of its parts have
 * operations in flight. Both change a few times a round, and a change costs one look at the clock.
 *
 * Guarantee: the phases add up to the time since the start. Memory: one entry for each step, sink and input.
 *
 * @example
 * await meter.during('blocked', pipeline.credit(20_000, bytesMax));
 * meter.time(pipeline.busyMs).blockedMs;
 */
export class TaskMeter {
  private readonly parts = new Map<string, Part>();
  private readonly inFlight = new Set<Part>();
  private readonly phases = { running: 0, blocked: 0, idle: 0 };
  private phase: Phase = 'running';
  private atMs: number;

  constructor(readonly now: () => number) {
    this.atMs = now();
  }

  /** The phase lasts until the next call. */
  enter(phase: Phase): void {
    this.advance();
    this.phase = phase;
  }

  /** The phase lasts until `work` settles; then the task runs. */
  async during(phase: Phase, work: Promise<unknown>): Promise<void> {
    this.enter(phase);
    try {
      await work;
    } finally {
      this.enter('running');
    }
  }

  /** A part has operations in flight from now on, or has none left. */
  note({ kind, id }: { readonly kind: string; readonly id: string }, isInFlight: boolean): void {
    // A poll is in flight nearly always, and closing is no work.
    if (kind === 'source' || kind === 'close') return;
    this.advance();
    const part = this.part(kind === 'ledger' ? CHECKPOINT : id, kind === 'quiet');
    if (isInFlight) this.inFlight.add(part);
    else this.inFlight.delete(part);
  }

  time(workMs: ReadonlyMap<string, number>): TaskTime {
    this.advance();
    const { running, blocked, idle } = this.phases;
    const parts = [...this.parts.values()];
    const of = (isInput: boolean, ms: (part: Part) => number) =>
      new Map(parts.filter((part) => part.isInput === isInput).map((part) => [part.id, ms(part)]));
    return {
      totalMs: running + blocked + idle,
      blockedMs: blocked,
      idleMs: idle,
      workMs: new Map(workMs),
      pendingMs: of(false, ({ pendingMs }) => pendingMs),
      waitedMs: of(false, ({ waitedMs }) => waitedMs),
      heldMs: of(true, ({ pendingMs }) => pendingMs),
    };
  }

  private advance(): void {
    const now = this.now();
    const ms = Math.max(0, now - this.atMs);
    this.atMs = now;
    this.phases[this.phase] += ms;
    for (const part of this.inFlight) {
      part.pendingMs += ms;
      if (this.phase === 'blocked') part.waitedMs += ms;
    }
  }

  private part(id: string, isInput: boolean): Part {
    const key = isInput ? `input ${id}` : id;
    let part = this.parts.get(key);
    if (!part) {
      part = { id, isInput, pendingMs: 0, waitedMs: 0 };
      this.parts.set(key, part);
    }
    return part;
  }
}
