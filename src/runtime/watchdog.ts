import { type ErrorCode, MillraceError } from '../core/index.js';
import type { Clock } from './clock.js';
import type { PendingOperations, Reason, Wait } from './pending-operations.js';

/** A task got nothing from what it asks, and heard no error either. */
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
  /** How long an operation may take during which no other of its kind ends. */
  readonly stallMaxMs: number;
  /** Told of an input that brings nothing while others wait for it, and once more (`undefined`) when that is over. */
  onQuiet(input: string | undefined): void;
}

/** Looks so often within the time that a wait may take. */
const LOOKS = 4;

/**
 * Finds silent stalls: something that was asked and neither answers nor fails. It counts the looks at which nothing had
 * moved, not the time: of a process that slept (a laptop, a suspended machine) nothing can be said on waking.
 */
export class Watchdog {
  private readonly seen = new Map<Wait, { ended: number; looks: number }>();
  private quiet: string | undefined;
  private reject: (stall: Stall) => void = () => undefined;
  private readonly stalled = new Promise<never>((_, reject) => {
    this.reject = reject;
  });
  /** Ends the watch. */
  readonly stop: () => void;

  constructor(private readonly options: WatchdogOptions) {
    this.stalled.catch(() => undefined); // whoever waits is told
    this.stop = options.clock.every(options.stallMaxMs / LOOKS, () => this.look());
  }

  /** What `work` comes to, or a `Stall` where it gets nowhere: then it is left to itself. */
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
