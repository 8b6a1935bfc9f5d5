import { type ErrorCode, MillraceError } from '../core/index.js';
import type { Clock } from './clock.js';
import type { PendingOperations, Reason, Wait } from './pending-operations.js';

/** An operation of a task made no progress and did not fail. */
export class Stall extends MillraceError {
  constructor(
    readonly reason: Reason,
    stallMaxMs: number,
  ) {
    super(codes[reason.kind], `${inWords(reason)} has not answered for ${stallMaxMs / 1_000} s`, {
      where: reason.id,
      hint: hints[reason.kind],
    });
  }
}

export interface WatchdogOptions {
  readonly clock: Clock;
  readonly waits: PendingOperations;
  /** How long an operation may take if no other of its kind ends meanwhile. */
  readonly stallMaxMs: number;
  /** Called with an input without records while others wait for it, and with `undefined` when that is over. */
  onQuiet(input: string | undefined): void;
}

/** The number of checks within the stall limit. */
const LOOKS = 4;

/**
 * Finds operations that neither complete nor fail. It counts the checks without progress instead of the time, because a process
 * that was suspended (a laptop, for example) must not count the time that it slept.
 */
export class Watchdog {
  private readonly seen = new Map<Wait, { ended: number; looks: number }>();
  private quiet: string | undefined;
  private reject: (stall: Stall) => void = () => undefined;
  private readonly stalled = new Promise<never>((_, reject) => {
    this.reject = reject;
  });
  /** Stops the watchdog. */
  readonly stop: () => void;

  constructor(private readonly options: WatchdogOptions) {
    this.stalled.catch(() => undefined); // callers get the error
    this.stop = options.clock.every(options.stallMaxMs / LOOKS, () => this.look());
  }

  /** The result of `work`, or a `Stall` if it makes no progress; `work` itself then goes on unobserved. */
  over<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.stalled]);
  }

  private look(): void {
    const { waits, stallMaxMs } = this.options;
    let quiet: string | undefined;
    for (const wait of waits) {
      const before = this.seen.get(wait);
      const looks = before?.ended === wait.ended ? before.looks + 1 : 0;
      this.seen.set(wait, { ended: wait.ended, looks });
      if (looks < LOOKS) continue;
      if (wait.reason.kind === 'quiet') quiet ??= wait.reason.id;
      else this.reject(new Stall(wait.reason, stallMaxMs));
    }
    if (quiet === this.quiet) return;
    this.quiet = quiet;
    this.options.onQuiet(quiet);
  }
}

const inWords = ({ kind, id }: Reason): string => (kind === 'close' ? 'closing the task' : `${kind} '${id}'`);

const codes: Readonly<Record<Reason['kind'], ErrorCode>> = {
  source: 'source',
  quiet: 'source',
  step: 'step',
  sink: 'sink',
  ledger: 'state',
  close: 'internal',
};

const slow = 'if it only needs more time, raise MILLRACE_STALL_SECONDS';
const hints: Readonly<Record<Reason['kind'], string>> = {
  source: `check that the service it reads from answers; ${slow}`,
  quiet: 'the input has no records',
  step: `check that its model or service answers; ${slow}`,
  sink: `check that the service it writes to answers; ${slow}`,
  ledger: `check that the store of the checkpoints answers; ${slow}`,
  close: slow,
};
