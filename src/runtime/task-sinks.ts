import {
  driverOf,
  INTERNAL,
  MillraceError,
  type Profile,
  type Sink,
  type SinkWriter,
  type TaskId,
} from '../core/index.js';
import { deferralIn, type Topology } from '../topology/index.js';
import { DeferredSink } from './deferred-sink.js';
import { instrumentedWriter } from './instrumented.js';
import type { PendingOperations } from './pending-operations.js';
import { SequencedSink } from './sequenced-sink.js';
import type { TaskState } from './state.js';

/** Ids of the two sinks that belong to the topology itself; users' ids cannot start with `$`. */
export const DEAD_LETTERS = '$dead-letters';
export const METRICS = '$metrics';

/** All sinks of a topology with their steps' ids, its own two included. */
export const sinksOf = ({ sinks, deadLetters, metrics }: Topology): readonly { id: string; sink: Sink<unknown> }[] =>
  [
    ...sinks,
    { id: DEAD_LETTERS, sink: deadLetters as Sink<never> },
    ...(metrics ? [{ id: METRICS, sink: metrics as Sink<never> }] : []),
  ].map(({ id, sink }) => ({ id, sink: sink as Sink<unknown> }));

export interface TaskSinksOptions {
  readonly topology: Topology;
  readonly profile: Profile;
  readonly task: TaskId;
  readonly incarnation: number;
  /** By step: what prepared sinks said at the last checkpoint. */
  readonly committables: Readonly<Record<string, unknown>>;
  readonly state: TaskState;
  readonly waits: PendingOperations;
  /** Told of a sink's failure, before the task fails because of it. */
  onSinkFailure(sink: string, error: unknown): void;
  /** Takes in what must be closed if the task cannot be opened. */
  keep<T extends { close(): Promise<void> }>(opened: T): T;
}

export interface TaskSinks {
  /** By step. */
  readonly writers: ReadonlyMap<string, SinkWriter>;
  /** Those of them that are written after the checkpoint. */
  readonly deferred: readonly DeferredSink[];
}

/** Opens the sinks of a task, and gives those that are written after the checkpoint what the last one kept for them. */
export async function openSinks(options: TaskSinksOptions): Promise<TaskSinks> {
  const { topology, profile, task, incarnation, committables, state, waits, onSinkFailure, keep } = options;
  const deferralOf = deferralIn(topology);
  const writers = new Map<string, SinkWriter>();
  const deferred: DeferredSink[] = [];
  for (const { id: step, sink } of sinksOf(topology)) {
    const driver = driverOf(profile.sinks, sink);
    if (!driver) throw noDriver(profile, sink.connector, step);
    if (sink.connector === INTERNAL && driver.mode !== 'transactional') throw notTransactional(profile, step);
    const told = (error: unknown): never => {
      onSinkFailure(step, error);
      throw error;
    };
    const opened = keep(
      await driver.open(sink, { step, task, incarnation, committable: committables[step] }).catch(told),
    );
    const writer = instrumentedWriter(opened, step, waits, onSinkFailure);
    const { rowsMax } = deferralOf(sink) ?? {};
    const numbered = (to: SinkWriter) => (sink.changes ? numberedSink(to, step, state) : to);
    if (driver.mode === 'transactional' || driver.mode === 'prepared' || step === METRICS) {
      writers.set(step, writer);
      continue;
    }
    if (rowsMax === undefined) {
      writers.set(step, numbered(writer));
      continue;
    }
    const later = new DeferredSink(writer, rowsMax);
    state.adopt(step, 'rows', later);
    await later.recover();
    writers.set(step, numbered(later));
    deferred.push(later);
  }
  return { writers, deferred };
}

function numberedSink(writer: SinkWriter, step: string, state: TaskState): SequencedSink {
  const numbered = new SequencedSink(writer);
  state.adopt(step, 'number', numbered);
  return numbered;
}

const notTransactional = (profile: Profile, where: string): MillraceError =>
  new MillraceError('config', `the ${profile.name} profile cannot repartition`, {
    where,
    hint: 'what goes to the next subtopology must be in the transaction of the checkpoint: keep both in one store',
  });

export const noDriver = (profile: Profile, connector: string, where: string): MillraceError =>
  new MillraceError('config', `the ${profile.name} profile has no connector '${connector}'`, {
    where,
    hint: `it has: ${[...new Set([...Object.keys(profile.sources), ...Object.keys(profile.sinks)])].join(', ')}`,
  });
