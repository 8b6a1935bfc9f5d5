/** A queue as the scheduler sees it. */
export interface Schedulable {
  /** The weighted worker time that it has used, in milliseconds; where it begins or comes back, that of the others. */
  usedMs: number;
  readonly weight: number;
  isWaiting(): boolean;
  /** Whether a batch waits that gets no better by waiting, if it starts in `startsInMs`: it is full, may not grow, or is about to start. */
  hasFull(startsInMs: number): boolean;
  /** Whether a batch waits that is full, or has waited so long that it need not be. */
  hasReady(startsInMs: number): boolean;
  /** Whether a batch of a lost worker waits. */
  hasLost(): boolean;
  /**
   * Sends a batch that will start in `startsInMs`: the next one to an idle worker, one that is ready to a busy one. Returns the time
   * that it will take, or nothing if no row was left to send.
   */
  send(worker: number, isIdle: boolean, startsInMs: number): number | undefined;
  /** Leaves the rows to others that would be late even now. */
  shedLate(): void;
}

export interface QueueContext {
  nowMs(): number;
  /** Something has come that may leave. */
  onWaiting(): void;
  /** The worker of a batch has a free place. `extraMs` is what it took beyond what was expected. */
  onFree(worker: number, extraMs: number): void;
  /** In how many milliseconds a worker that takes a batch now begins with it. */
  startsInMs(): number;
  /** How many workers this model has, by its weight beside the others that have rows. */
  workers(): number;
}
