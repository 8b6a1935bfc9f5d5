import type { Cell, Origin, Shape, StatefulLogic, StepContext } from '../../src/core/index.js';

/** One record on one input: 0 is the main one. */
export interface Arrival {
  readonly input: number;
  readonly value: unknown;
  readonly timeMs: number;
}

export interface Driven {
  readonly emitted: unknown[];
  readonly counters: Record<string, number>;
  readonly measures: [name: string, value: number, timeMs: number][];
}

type StepLike = { readonly shape: Shape };
type Opened = { readonly cells: Record<string, Cell>; readonly logic: StatefulLogic };

/**
 * Runs a stateful step over arrivals without a runtime. `restoreEvery` stores and reopens it after so many records, as a
 * crash after each epoch would.
 */
export function drive(
  operator: StepLike,
  arrivals: readonly Arrival[],
  restoreEvery = Number.POSITIVE_INFINITY,
): Driven {
  const driven: Driven = { emitted: [], counters: {}, measures: [] };
  const stored = new Map<string, { cell: string; bucket: number; bytes: Uint8Array }>();
  let opened = open(operator, driven, stored);
  arrivals.forEach(({ input, value, timeMs }, i) => {
    opened.logic.onRecord(input, value, (out) => driven.emitted.push(out), originAt(timeMs, i));
    if ((i + 1) % restoreEvery !== 0) return;
    for (const [cell, each] of Object.entries(opened.cells)) {
      for (const { bucket, bytes } of each.takeChanges()) {
        if (bytes) stored.set(`${cell}/${bucket}`, { cell, bucket, bytes });
        else stored.delete(`${cell}/${bucket}`);
      }
    }
    opened = open(operator, driven, stored);
  });
  return driven;
}

function open(
  { shape }: StepLike,
  driven: Driven,
  stored: ReadonlyMap<string, { cell: string; bucket: number; bytes: Uint8Array }>,
): Opened {
  if (shape.shape !== 'stateful') throw new Error(`a ${shape.shape} has no state to drive`);
  const cells = Object.fromEntries(Object.entries(shape.cells).map(([name, spec]) => [name, spec.open()]));
  for (const { cell, bucket, bytes } of stored.values()) {
    cells[cell]?.restore(bucket, bytes, shape.cells[cell]?.version ?? 0);
  }
  return { cells, logic: shape.open(cells, contextOf(driven)) };
}

export function contextOf({ counters, measures }: Driven): StepContext {
  return {
    topology: 'test',
    step: 'model',
    task: 2,
    counter: (name) => ({
      add(by = 1) {
        counters[name] = (counters[name] ?? 0) + by;
      },
    }),
    measure: (name, value, timeMs) => measures.push([name, value, timeMs]),
    deadLetter: (reason) => {
      throw new Error(`dead letter ${reason}`);
    },
    fail: (message) => {
      throw new Error(message);
    },
  };
}

export const originAt = (eventTimeMs: number, offset = 0): Origin => ({
  topic: 'test',
  partition: 2,
  offset,
  eventTimeMs,
  receivedAtMs: 0,
  key: null,
  raw: null,
  headers: undefined,
  order: offset,
});
