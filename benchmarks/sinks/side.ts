import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prediction } from '../../schemas/prediction.v1.js';
import type { TaskId, TaskLedger } from '../../src/core/checkpoint.js';
import type { Origin } from '../../src/core/index.js';
import type { Sink, SinkDriver } from '../../src/core/sink.js';

/** Who takes values and puts them somewhere: a sink, or a client by hand. */
export interface Side<T = Prediction> {
  /** Takes a chunk; a promise where it is full. */
  write(values: readonly T[], origins: readonly Origin[]): void | Promise<void>;
  /** An epoch: what was written before survives a crash once this resolves. */
  settle(): Promise<void>;
  /** Nothing follows the next epoch. */
  finish?(): void;
  close(): Promise<void>;
}

/** What the sinks of a run write: values, and the records that they come from. */
export interface Load {
  readonly values: readonly Prediction[];
  readonly origins: readonly Origin[];
}

/** Of a round of the runtime, and between two of its epochs. */
const CHUNK = 1_000;
const EPOCH_MS = 500;

/** Drives a side as a task drives its sinks: chunk by chunk, an epoch every half second and one at the end. */
export async function drive(side: Side, { values, origins }: Load): Promise<void> {
  let dueMs = performance.now() + EPOCH_MS;
  for (let from = 0; from < values.length; from += CHUNK) {
    const full = side.write(values.slice(from, from + CHUNK), origins.slice(from, from + CHUNK));
    if (full) await full;
    if (performance.now() >= dueMs) {
      await side.settle();
      dueMs = performance.now() + EPOCH_MS;
    }
    await nextTurn();
  }
  side.finish?.();
  await side.settle();
}

/** A sink of one task, with the ledger that it writes together with, if it does. */
export async function sinkSide<T>(
  driver: SinkDriver,
  sink: Sink<T>,
  run: string,
  openLedger?: (task: TaskId) => Promise<TaskLedger>,
): Promise<Side<T>> {
  const task: TaskId = { topology: `bench-${run}`, partition: 0 };
  const any = sink as Sink<never> as Sink<unknown>;
  await driver.setUp?.(any, { topology: task.topology, step: 'out', partitions: 1 });
  const ledger = await openLedger?.(task);
  await ledger?.restore();
  const writer = await driver.open(any, { step: 'out', task, incarnation: 0 });
  let epoch = 0;
  return {
    write(values, origins) {
      if (
        writer.unrepresentable &&
        values.some((value, i) => writer.unrepresentable?.(value, origins[i] as Origin) !== undefined)
      )
        throw new Error('a unrepresentable');
      return writer.write(values, origins);
    },
    async settle() {
      await writer.prepare?.();
      epoch += 1;
      await ledger?.commit({ epoch, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} }, []);
      await writer.commit?.();
    },
    finish: () => writer.finish?.(),
    async close() {
      await writer.close();
      await ledger?.close();
    },
  };
}

/**
 * Puts values by hand as sinks do: in batches, one after another, the next filling while one is under way. `put` is what
 * the client does with a batch.
 */
export function inBatches(
  size: number,
  put: (values: readonly Prediction[]) => Promise<unknown>,
  {
    settled = async () => undefined,
    close = async () => undefined,
  }: {
    readonly settled?: () => Promise<unknown>;
    readonly close?: () => Promise<unknown>;
  } = {},
): Side {
  let waiting: Prediction[] = [];
  let underWay: Promise<unknown> = Promise.resolve();
  let queued = 0;
  const seal = () => {
    const batch = waiting;
    waiting = [];
    queued += 1;
    underWay = underWay
      .then(() => put(batch))
      .then(() => {
        queued -= 1;
      });
    underWay.catch(() => undefined); // whoever awaits it is told
  };
  return {
    async write(values) {
      for (const value of values) waiting.push(value);
      if (waiting.length >= size) seal();
      if (queued > 1) await underWay;
    },
    async settle() {
      if (waiting.length > 0) seal();
      await underWay;
      await settled();
    },
    async close() {
      await close();
    },
  };
}
