import { ok } from 'node:assert';
import type { Checkpoint, Sink, SinkDriver, SinkWriter, TaskId, TaskLedger } from '../core/io.js';
import { originAt } from './contract.js';

/** A sink under test, writing to a place that is empty at first. */
export interface SinkWorld {
  readonly driver: SinkDriver;
  readonly sink: Sink<unknown>;
  /** The ledger that a transactional sink writes together with; any ledger of tasks for the others. */
  openLedger(task: TaskId): Promise<TaskLedger>;
  /** The n-th value, told from every other one by an independent reader. */
  value(n: number): unknown;
  /** The numbers of the values that an independent reader finds, as often as it finds them, in any order. */
  visible(): Promise<readonly number[]>;
  close(): Promise<void>;
}

export interface OpenTask {
  readonly writer: SinkWriter;
  /** The number of the value to write next, as the last checkpoint has it. */
  readonly next: number;
  /** Ends an epoch as the runtime does, with the number of the value to write next. */
  commit(next?: number): Promise<void>;
  /** Likewise up to the checkpoint: the sink is not told of it. */
  store(next: number): Promise<void>;
  close(): Promise<void>;
}

const STEP = 'output';
const INPUT = 'input';

/** A task as the runtime opens it: ledger, restore, sinks. */
export async function openTask({ driver, sink, openLedger }: SinkWorld, partition: number): Promise<OpenTask> {
  const task = { topology: 'contract', partition };
  const ledger = await openLedger(task);
  let checkpoint: Checkpoint = (await ledger.restore()).checkpoint ?? {
    epoch: 0,
    incarnation: 0,
    topologyHash: 'contract',
    positions: {},
    choices: {},
  };
  const { incarnation, receipts, positions } = checkpoint;
  // Receipts lie in the checkpoint as JSON.
  const receipt = receipts?.[STEP] === undefined ? undefined : JSON.parse(JSON.stringify(receipts[STEP]));
  const writer = await driver.open(sink, { step: STEP, task, incarnation, receipt });
  const store = async (next: number) => {
    const prepared = await writer.prepare?.();
    checkpoint = {
      ...checkpoint,
      epoch: checkpoint.epoch + 1,
      receipts: prepared === undefined ? {} : { [STEP]: prepared },
      positions: { [INPUT]: { offset: next, mergeTimeMs: 0, suspectMs: null } },
    };
    await ledger.commit(checkpoint, []);
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

export async function setUp({ driver, sink }: SinkWorld): Promise<void> {
  await driver.setUp?.(sink, { topology: 'contract', step: STEP, partitions: 2 });
}

/** Values whose origin offset is their number, so that a replay has the same identities. */
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
