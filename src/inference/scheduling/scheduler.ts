import { type ModelQueue, modelQueue, type QueueOptions, type Schedulable } from './model-queue.js';

export interface SchedulerOptions {
  readonly workers: number;
  nowMs(): number;
  /** Calls `wake` once after `delayMs`; returns a function that cancels it. */
  startTimer(delayMs: number, wake: () => void): () => void;
}

export interface Scheduler {
  /** Adds a model, which shares the workers with the others. */
  queue(options: QueueOptions): ModelQueue;
  /** A worker takes batches (as each does at the beginning), or takes none while it is started again. */
  setUp(worker: number, isUp: boolean): void;
}

/** One batch runs, and one waits in the worker, so that it never idles. */
const perWorkerMax = 2;

/**
 * Micro-batching for all models and workers of a process, as pure logic: packs the rows of many callers into batches, gives them to
 * workers, and distributes the answers.
 *
 * A batch leaves when it has its best size, when it is flushed or has waited `waitMax`, and for an idle worker as soon as waiting
 * does not pay. Until then it grows: also while two batches are with each worker. So the load decides the size of batches up to the
 * best one, and an idle worker waits only for what saves it more (natural batching, as in TF Serving's adaptive scheduler and in
 * Triton with a queue delay of zero; whether to wait is decided as in BentoML, by measured latencies).
 *
 * Models share the workers by time: the next batch is of the model that has used the least, where one that comes back after a pause
 * has no claims from before (start-time fair queueing, Goyal et al. 1996). So none starves, however long the batches of others take.
 *
 * Memory: per model the rows of the callers, rounded up to one batch per length bucket.
 */
export function createScheduler({ workers, nowMs, startTimer }: SchedulerOptions): Scheduler {
  const places = Array.from({ length: workers }, () => ({ isUp: true, inFlight: 0 }));
  /** The queues with waiting batches. */
  const active = new Set<Schedulable>();
  /** The worker time of the model that was served last, when it was. */
  let virtualMs = 0;
  let alarm: { readonly atMs: number; readonly cancel: () => void } | undefined;

  /** The worker with the fewest batches, if it takes one more. */
  function freeWorker(): number | undefined {
    let found: number | undefined;
    let fewest = perWorkerMax;
    for (const [worker, { isUp, inFlight }] of places.entries()) {
      if (!isUp || inFlight >= fewest) continue;
      found = worker;
      fewest = inFlight;
    }
    return found;
  }

  function nextDue(isIdle: boolean, now: number): Schedulable | undefined {
    let next: Schedulable | undefined;
    for (const queue of active) {
      if (queue.dueAtMs(isIdle) > now) continue;
      if (next === undefined || claimOf(queue) < claimOf(next)) next = queue;
    }
    return next;
  }

  const claimOf = ({ usedMs }: Schedulable): number => Math.max(usedMs, virtualMs);

  function pump(): void {
    let worker = freeWorker();
    for (; worker !== undefined; worker = freeWorker()) {
      const place = places[worker] as (typeof places)[number];
      const isIdle = place.inFlight === 0;
      const now = nowMs();
      const queue = nextDue(isIdle, now);
      if (queue === undefined) {
        setAlarm(isIdle);
        return;
      }
      virtualMs = claimOf(queue);
      place.inFlight++;
      queue.usedMs = virtualMs + queue.send(worker, isIdle, now);
      if (!queue.isWaiting()) active.delete(queue);
    }
    // If all places are taken, the next answer checks again; an alarm is only needed for a free place.
    setAlarm(undefined);
  }

  function setAlarm(isIdle: boolean | undefined): void {
    let atMs = Number.POSITIVE_INFINITY;
    if (isIdle !== undefined) for (const queue of active) atMs = Math.min(atMs, queue.dueAtMs(isIdle));
    if (alarm?.atMs === atMs) return;
    alarm?.cancel();
    alarm = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const wake = () => {
      alarm = undefined;
      pump();
    };
    alarm = { atMs, cancel: startTimer(atMs - nowMs(), wake) };
  }

  return {
    queue(options) {
      const queue = modelQueue(options, {
        nowMs,
        onWaiting() {
          if (queue.isWaiting()) active.add(queue);
          pump();
        },
        onFree(worker, extraMs) {
          (places[worker] as (typeof places)[number]).inFlight--;
          queue.usedMs += extraMs;
          if (queue.isWaiting()) active.add(queue);
          pump();
        },
      });
      return queue;
    },

    setUp(worker, isUp) {
      (places[worker] as (typeof places)[number]).isUp = isUp;
      pump();
    },
  };
}
