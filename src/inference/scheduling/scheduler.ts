import { type ModelQueue, modelQueue, type QueueOptions } from './model-queue.js';
import type { Schedulable } from './schedulable.js';

export interface SchedulerOptions {
  readonly workers: number;
  nowMs(): number;
}

export interface Scheduler {
  /** Adds a model, which shares the workers with the others. */
  queue(options: QueueOptions): ModelQueue;
  /** A worker takes batches (as each does at the beginning), or takes none while it is started again. */
  setUp(worker: number, isUp: boolean): void;
  /**
   * Leaves the rows to others that would be late even now. It happens whenever a batch leaves; a timer calls it too, for the time when
   * none does.
   */
  shedLate(): void;
}

/** One batch runs, and one waits in the worker, so that it never idles. */
const BATCHES = 2;
/** More that are full wait while all together take less than this: the event loop may be busy for longer before it hears of them. */
const AHEAD_MS = 1;

interface Place {
  isUp: boolean;
  /** What its batches are expected to take, in their order. */
  readonly inFlightMs: number[];
  /** When it began with the first of them. */
  sinceMs: number;
}

/**
 * Micro-batching for all models and workers of a process, as pure logic: packs the rows of many callers into batches, gives them to
 * workers, and distributes the answers.
 *
 * A worker that has nothing to do gets at once what is there. Behind a running batch one leaves when it has its best size, is
 * flushed, or when the running one is about to end, so that it is there when the worker is free. Until then
 * it grows, since no worker could take it. Of fast models more full ones leave, a millisecond of work: the event loop that should send the
 * next one may be busy with records. So the load decides the size of batches up to the best one (natural
 * batching, as in TF Serving's adaptive scheduler and in Triton with a queue delay of zero). A batch that is not full is not passed
 * over for ever by full ones of other models: after `waitMax` it counts as full beside them.
 *
 * Models share the workers by time and weight: the next batch is of the model that has used the least for its weight, where one that
 * comes back after a pause has no claims from before (start-time fair queueing, Goyal et al. 1996). So none starves, however long the
 * batches of others take.
 *
 * Memory: see `modelQueue`, for each model.
 */
export function createScheduler({ workers, nowMs }: SchedulerOptions): Scheduler {
  const places = Array.from({ length: workers }, (): Place => ({ isUp: true, inFlightMs: [], sinceMs: 0 }));
  const queues: Schedulable[] = [];
  /** The queues with waiting batches: no set, as in a model's queue. */
  const active: Schedulable[] = [];
  /** The weighted worker time of the model that was served last, when it was. */
  let virtualMs = 0;

  /** The worker with the fewest batches, if it takes one more. */
  function freeWorker(): number | undefined {
    let found: number | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (let worker = 0; worker < workers; worker++) {
      const { isUp, inFlightMs } = places[worker] as Place;
      if (!isUp || inFlightMs.length >= fewest) continue;
      if (inFlightMs.length >= BATCHES && total(inFlightMs) >= AHEAD_MS) continue;
      found = worker;
      fewest = inFlightMs.length;
    }
    return found;
  }

  /** The model whose turn it is. Behind a running batch, only one that gains nothing by waiting makes others leave too. */
  function nextQueue(batches: number, startsMs: number): Schedulable | undefined {
    const [isIdle, isAhead] = [batches === 0, batches >= BATCHES];
    // Batches that may end the next worker too are not sent ahead, and none behind them.
    if (isAhead && active.some((queue) => queue.hasLost())) return undefined;
    if (!isIdle && !someIsFull(isAhead ? Number.POSITIVE_INFINITY : startsMs)) return undefined;
    let next: Schedulable | undefined;
    for (const queue of active)
      if ((isIdle || queue.hasReady(startsMs)) && (next === undefined || claimOf(queue) < claimOf(next))) next = queue;
    return next;
  }

  const someIsFull = (startsMs: number): boolean => active.some((queue) => queue.hasFull(startsMs));
  const claimOf = ({ usedMs }: Schedulable): number => Math.max(usedMs, virtualMs);
  function startsInMs({ inFlightMs, sinceMs }: Place): number {
    return inFlightMs.length === 0 ? 0 : Math.max(0, sinceMs + total(inFlightMs) - nowMs());
  }

  function pump(): void {
    for (let worker = freeWorker(); worker !== undefined; worker = freeWorker()) {
      const place = places[worker] as Place;
      const batches = place.inFlightMs.length;
      const isIdle = batches === 0;
      const startsMs = startsInMs(place);
      const queue = nextQueue(batches, startsMs);
      if (queue === undefined) return;
      // The place is taken while the rows are written: callers may ask for more meanwhile.
      const at = place.inFlightMs.push(0) - 1;
      const ms = queue.send(worker, isIdle, startsMs);
      if (ms === undefined) place.inFlightMs.splice(at, 1);
      else {
        virtualMs = claimOf(queue);
        queue.usedMs = virtualMs + ms / queue.weight;
        place.inFlightMs[at] = ms;
        if (isIdle) place.sinceMs = nowMs();
      }
      if (!queue.isWaiting()) remove(active, queue);
    }
  }

  function activate(queue: Schedulable): void {
    if (queue.isWaiting() && !active.includes(queue)) active.push(queue);
    pump();
  }

  return {
    queue(options) {
      const queue = modelQueue(options, {
        nowMs,
        onWaiting: () => activate(queue),
        onFree(worker, extraMs) {
          const place = places[worker] as Place;
          place.inFlightMs.shift();
          place.sinceMs = nowMs();
          queue.usedMs += extraMs / queue.weight;
          activate(queue);
        },
        startsInMs() {
          let soonest = Number.POSITIVE_INFINITY;
          for (const place of places) if (place.isUp) soonest = Math.min(soonest, startsInMs(place));
          // A worker that is started again is soon there.
          return Number.isFinite(soonest) ? soonest : 0;
        },
        workers() {
          let weights = queue.weight;
          for (const other of active) if (other !== queue) weights += other.weight;
          return (places.length * queue.weight) / weights;
        },
      });
      queues.push(queue);
      return queue;
    },

    setUp(worker, isUp) {
      (places[worker] as Place).isUp = isUp;
      pump();
    },

    shedLate() {
      for (const queue of queues) queue.shedLate();
    },
  };
}

const total = (ms: readonly number[]): number => ms.reduce((sum, each) => sum + each, 0);

function remove<T>(from: T[], value: T): void {
  const at = from.indexOf(value);
  if (at >= 0) from.splice(at, 1);
}
