import type { RawRecord, StateChange } from '../../core/index.js';
import { COUNTERS_STEP } from '../../runtime/task-state.js';
import type { Topology } from '../../topology/index.js';
import type { Random } from './random.js';
import type { SimBetween } from './sim-between.js';
import type { SimOutput, SimOutputs } from './sim-sinks.js';

/** The topics of a simulation before its start, by topic and partition. Offsets may have gaps. */
export type SimLog = Readonly<Record<string, readonly (readonly RawRecord[])[]>>;

/** The index at which reading from an offset begins; an offset in a gap stands for the next record. */
export function placeOf(records: readonly RawRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle] as RawRecord).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A topology, its input, and the check of its results. All of it is drawn from the seed. */
export interface Scenario {
  readonly name: string;
  /** Draws an input of about this many records for so many partitions, with its expected results. */
  draw(random: Random, partitions: number, records: number): Trial;
}

export interface Trial {
  readonly log: SimLog;
  /** `wait` takes a random time: for steps that answer late. */
  topology(wait: () => Promise<void>): Topology;
  /**
   * Compares the results of one task with a plain loop over its log; throws on a difference. For a topology with repartitions it is
   * called for the tasks of each sub-topology.
   */
  check(task: number, outcome: Outcome, subtopology: string): void;
  /** Runs are bounded, and time ends with their inputs: open windows close. */
  readonly drains?: boolean;
  /** Runs are bounded, and each finds more records than the one before. */
  readonly grows?: boolean;
  /** Processes run different versions of the topology; `topology` is the last one, which completes the logs. */
  readonly versions?: Versions;
  /** A sink that gets each record of a topic, so the records that are read and not written are limited by the credits. */
  readonly follows?: { readonly topic: string; readonly sink: string };
}

/** Versions of a topology that take over from each other, with and without an accepted plan. */
export interface Versions {
  /** Those besides the last one. */
  readonly others: readonly Version[];
  /**
   * What a run of version `own` must say instead of going on: the lines of its error that begin with a sign, or the place of the
   * error. Nothing if it may go on. Versions are numbered from 0, the last one.
   */
  refusal(stored: StoredVersion, own: number, isAccepted: boolean): readonly string[];
}

export interface Version {
  readonly topology: Trial['topology'];
  /** Deployed only after each task has stored this state (`step/cell`): what it would store itself could not be left again. */
  readonly after?: string;
}

export interface StoredVersion {
  /** Which version stored the checkpoint. */
  readonly version: number;
  /** The versions of its state, by `step/cell`. */
  readonly cells: ReadonlyMap<string, number>;
}

/** The results of a task. */
export interface Outcome {
  /** The records of a repartition topic, in the partition of the task or in another one. */
  between(topic: string, partition?: number): readonly RawRecord[];
  output(sink: string): SimOutput;
  /** The counters of the checkpoint: `step/name` to value; zeros are left out. */
  readonly counters: ReadonlyMap<string, number>;
  /** The buckets of a cell in the checkpoint. */
  state(step: string, cell: string): readonly StateChange[];
}

const utf8 = new TextEncoder();

/** Creates a log of JSON values, with gaps in the offsets as in a compacted or transactional log. */
export function logOf(
  values: readonly { readonly value: unknown; readonly timestampMs: number }[],
  random: Random,
): RawRecord[] {
  let offset = random.int(3) === 0 ? random.int(100) : 0;
  const gaps = random.pick([0, 0, 0.05, 0.5]);
  return values.map(({ value, timestampMs }) => {
    const record: RawRecord = {
      offset,
      timestampMs,
      key: null,
      value: value === undefined ? null : value instanceof Uint8Array ? value : utf8.encode(JSON.stringify(value)),
    };
    offset += 1 + (gaps > 0 && random.chance(gaps) ? random.int(4) : 0);
    return record;
  });
}

/** The results of a task with this state. */
export function outcomeOf(
  task: number,
  state: readonly StateChange[],
  outputs: SimOutputs,
  between: SimBetween,
): Outcome {
  const saved = state.find(({ step }) => step === COUNTERS_STEP)?.bytes;
  const counters: [step: string, name: string, value: number][] = saved
    ? JSON.parse(new TextDecoder().decode(saved))
    : [];
  return {
    output: (sink) => outputs.of(sink, task),
    between: (topic, partition = task) => between.records(topic, partition),
    counters: new Map(counters.map(([step, name, value]) => [`${step}/${name}`, value])),
    state: (step, cell) => state.filter((change) => change.step === step && change.cell === cell),
  };
}
