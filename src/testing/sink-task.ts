import { ok } from 'node:assert';
import type { Checkpoint, TaskId, TaskLedger } from '../core/checkpoint.js';
import type { Sink, SinkDriver, SinkWriter } from '../core/sink.js';
import { DeferredSink, SequencedSink } from '../runtime/sinks.js';
import { TaskState } from '../runtime/task-state.js';
import { originAt } from './contract.js';

/** A sink under test, with an empty target at first. */
export interface SinkWorld {
  readonly driver: SinkDriver;
  readonly sink: Sink<unknown>;
  /** It is written after the checkpoint, as in a nondeterministic topology. A sink that is deferred by itself always is. */
  readonly deferred?: boolean;
  /** The ledger that a transactional sink writes with; any ledger for the others. */
  openLedger(task: TaskId): Promise<TaskLedger>;
  /** The n-th value, which an independent reader can distinguish from all others. */
  value(n: number): unknown;
  /** The numbers of the values that an independent reader finds, with repetitions, in any order. */
  visible(): Promise<readonly number[]>;
  close(): Promise<void>;
}

export interface OpenTask {
  readonly writer: SinkWriter;
  /** The number of the next value, from the last checkpoint. */
  readonly next: number;
  /** Ends an epoch as the runtime does, with the number of the next value. */
  commit(next?: number): Promise<void>;
  /** The same up to the checkpoint, without the sink's commit. */
  store(next: number): Promise<void>;
  close(): Promise<void>;
}

const STEP = 'output';
const INPUT = 'input';
const ROWS_MAX = 100_000;

/** Whether rows are kept in the checkpoint and written after it. */
export const isDeferred = ({ driver, sink, deferred = false }: OpenWorld): boolean =>
  outsideOfLedger(driver) && (deferred || sink.deferred !== undefined);

const outsideOfLedger = ({ mode }: SinkDriver): boolean => mode === 'idempotent' || mode === 'append';

/** What a task needs of a world. */
type OpenWorld = Pick<SinkWorld, 'driver' | 'sink' | 'deferred' | 'openLedger'>;

/** Opens a task as the runtime does: ledger, restore, sinks. */
export async function openTask(world: OpenWorld, partition: number): Promise<OpenTask> {
  const task = { topology: 'contract', partition };
  const ledger = await world.openLedger(task);
  try {
    return await openWith(world, task, ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function openWith(world: OpenWorld, task: TaskId, ledger: TaskLedger): Promise<OpenTask> {
  const { driver, sink } = world;
  const restored = await ledger.restore();
  const state = new TaskState(restored.state);
  let checkpoint: Checkpoint = restored.checkpoint ?? {
    epoch: 0,
    incarnation: 0,
    topologyHash: 'contract',
    positions: {},
    settledDecisions: {},
  };
  const { incarnation, committables, positions } = checkpoint;
  // The checkpoint stores committables as JSON.
  const committable = committables?.[STEP] === undefined ? undefined : JSON.parse(JSON.stringify(committables[STEP]));
  const opened = await driver.open(sink, { step: STEP, task, incarnation, committable });
  let writer: SinkWriter;
  try {
    writer = await asInRuns(world, opened, state);
  } catch (error) {
    await opened.close();
    throw error;
  }
  const store = async (next: number) => {
    const prepared = await writer.prepare?.();
    checkpoint = {
      ...checkpoint,
      epoch: checkpoint.epoch + 1,
      committables: prepared === undefined ? {} : { [STEP]: prepared },
      positions: { [INPUT]: { offset: next, mergeTimeMs: 0 } },
    };
    await ledger.commit(checkpoint, state.takeChanges());
  };
  return {
    writer,
    next: positions[INPUT]?.offset ?? 0,
    store,
    async commit(next = 0) {
      await store(next);
      await writer.commit?.();
    },
    async close() {
      await writer.close();
      await ledger.close();
    },
  };
}

/** With the wrappers of the runtime: deferred rows, sequence numbers of changes. */
async function asInRuns(world: OpenWorld, opened: SinkWriter, state: TaskState): Promise<SinkWriter> {
  let writer = opened;
  if (isDeferred(world)) {
    const later = new DeferredSink(opened, ROWS_MAX);
    state.adopt(STEP, 'rows', later);
    await later.recover();
    writer = later;
  }
  if (!world.sink.changes || !outsideOfLedger(world.driver)) return writer;
  const numbered = new SequencedSink(writer);
  state.adopt(STEP, 'number', numbered);
  return numbered;
}

export async function setUp({ driver, sink }: OpenWorld): Promise<void> {
  await driver.setUp?.(sink, { topology: 'contract', step: STEP, partitions: 2 });
}

/** Writes values with their number as origin offset, so that a replay has the same identities. */
export async function write(world: SinkWorld, writer: SinkWriter, numbers: readonly number[], partition: number) {
  await writer.write(
    numbers.map((n) => world.value(n)),
    numbers.map((n) => originAt(n, partition)),
  );
}

export const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

export async function sortedVisible(world: SinkWorld): Promise<number[]> {
  const visible = await world.visible();
  ok(visible.every(Number.isInteger), 'an independent reader finds numbers');
  return [...visible].sort((a, b) => a - b);
}
