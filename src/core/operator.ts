import type { Duration } from './duration.js';
import { MillraceError, messageOf } from './errors.js';
import type { Lookup } from './lookup.js';
import type { Problem, Settings } from './options.js';
import { atPlace, type Measured, type Origin, type RecordPlace } from './record.js';
import type { ServiceRegistry } from './service.js';
import type { CellSpecs } from './state.js';

export type { Problem, Settings } from './options.js';

declare const IN: unique symbol;
declare const OUT: unique symbol;
declare const ADDS: unique symbol;

/** The output of an operator that keeps every field of its input and adds those of `A`. */
export interface Adds<out A> {
  readonly [ADDS]: A;
}

/** Requires that an input has no field of this name: an operator must not hide a field with one that it adds. */
export type Free<Name extends string> = { readonly [P in Name]?: never };

/** Functions that give the key of a value of an input. */
export type StepKeys = readonly (((value: never) => unknown) | undefined)[];

/** What a step judges records or windows by, as pages show it. */
export interface StepRule {
  /** Stable: the reason of dead letters, or the name in verdicts. */
  readonly name: string;
  /** What breaking it means. */
  readonly severity: string;
  /** The rule with its limits. */
  readonly text: string;
}

/** An operator as inert data. The phantom types are its input and output; `shape` is how the runtime runs it. */
export interface Operator<in In, out Out> {
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: Shape;
  readonly problems?: readonly Problem[];
  /**
   * The key of each input, by its number: records with equal keys must be in one partition. `undefined` if it is the key of the record
   * itself. `check` compares keys with the records of topics.
   */
  readonly keys?: StepKeys;
  /** What it judges by; it counts what breaks a rule as `dead:NAME`, `warned:NAME` or `broken:NAME`. */
  readonly rules?: readonly StepRule[];
  readonly [IN]?: ((value: In) => void) | undefined;
  readonly [OUT]?: (() => Out) | undefined;
}

/** An operator with further inputs, each a named stream. */
export interface MultiInputOperator<in In, in Sides, out Out> {
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: StatefulShape;
  readonly problems?: readonly Problem[];
  readonly keys?: StepKeys;
  readonly rules?: readonly StepRule[];
  readonly [IN]?: ((value: In, sides: Sides) => void) | undefined;
  readonly [OUT]?: (() => Out) | undefined;
}

/** An operator with several named outputs. */
export interface Splitter<in In, out Outs> {
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: SplitShape | StatefulShape;
  readonly problems?: readonly Problem[];
  readonly [IN]?: ((value: In) => void) | undefined;
  readonly [OUT]?: (() => Outs) | undefined;
}

/** An operator with further inputs and several named outputs. */
export interface MultiInputSplitter<in In, in Sides, out Outs> {
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: StatefulShape;
  readonly problems?: readonly Problem[];
  readonly [IN]?: ((value: In, sides: Sides) => void) | undefined;
  readonly [OUT]?: (() => Outs) | undefined;
}

/** The four shapes of operators. */
export type Shape = TransformShape | SplitShape | StatefulShape | BatchedShape;

/** The names of an operator's outputs, where it has several. */
export const outputNames = (shape: Shape): readonly string[] | undefined =>
  shape.shape === 'split' || shape.shape === 'stateful' ? shape.outputs : undefined;

// The runtime sees values as `unknown`: the types were checked where the topology was written.
/**
 * Emits a value that comes from the current record. A result about another time, such as that of a window, gives its own event
 * time; it then has no key and no raw bytes. `output` is for operators with several outputs.
 */
export type Emit = (value: unknown, eventTimeMs?: number, output?: number) => void;
export type EmitTo = (output: number, value: unknown) => void;

/** Synchronous and stateless: one record in, any number out, in order. */
export interface TransformShape {
  readonly shape: 'transform';
  open(context: StepContext): TransformLogic;
}
export type TransformLogic = (value: unknown, emit: Emit, origin: Origin) => void;

/** Synchronous and stateless, with named outputs. */
export interface SplitShape {
  readonly shape: 'split';
  readonly outputs: readonly string[];
  open(context: StepContext): SplitLogic;
}
export type SplitLogic = (value: unknown, emit: EmitTo, origin: Origin) => void;

/** Synchronous, with state in declared cells only. Input 0 is the main one; further inputs follow in order. */
export interface StatefulShape {
  readonly shape: 'stateful';
  /** Names of the further inputs. */
  readonly inputs: readonly string[];
  /** Names of the outputs, if there are several. A value emitted without a number goes to the first. */
  readonly outputs?: readonly string[];
  /**
   * The interval of `onProcessingTime`; never called if missing. Its results depend on the clock, so sinks outside the ledger's
   * transaction are written after the checkpoint that settles it.
   */
  readonly processingTimeInterval?: Duration;
  readonly cells: CellSpecs;
  /** Takes the opened `cells` of the same shape; `stateful()` checks their types. */
  open(cells: unknown, context: StepContext): StatefulLogic;
}
export interface StatefulLogic {
  onRecord(input: number, value: unknown, emit: Emit, origin: Origin): void;
  /**
   * No record with an earlier event time is expected. Called directly after the record of the task that raised the watermark,
   * whichever stream that record went to, so at the same point of the merged order in every replay. When all inputs of a bounded
   * run have ended, it is called with `AFTER_ALL_MS`.
   */
  onWatermark?(watermarkMs: number, emit: Emit): void;
  /**
   * Called with the processing time between two records, every `processingTimeInterval` or more often. The time never decreases,
   * also over restarts; it may jump by as long as the task was not running. A value emitted without an event time gets the
   * watermark.
   */
  onProcessingTime?(clockMs: number, emit: Emit): void;
  /** Called before a checkpoint takes the changes of the cells: what the step still holds back belongs in them now. It emits nothing. */
  onCheckpoint?(): void;
  /**
   * The state of a key, as plain data for readers outside; `undefined` for none. It must not change state. Called between epochs,
   * so the answer is a committed one.
   */
  query?(key: string): unknown;
}

/** Asynchronous, stateless, ordered and bounded: answers come in the order of the rows. */
export interface BatchedShape {
  readonly shape: 'batched';
  /**
   * The answer may depend on more than the row, such as which of several models answered, or when. Sinks outside the ledger's
   * transaction are then written after the checkpoint that settles it.
   */
  readonly nondeterministic?: boolean;
  /** The lookup that it uses, for commands that list the connectors of a topology. */
  readonly lookup?: Lookup<unknown> | undefined;
  /** The most records that a task with this step has in flight, because each is large; by default the limit of the run. */
  readonly inFlightMax?: number;
  open(context: StepContext, services: Services): Promise<BatchedLogic>;
}
export interface BatchedLogic {
  /** Resolves with one answer per row: the new value, or a `RowFailure` that sends the row to the dead letters. */
  onBatch(values: readonly unknown[], origins: readonly Origin[]): Promise<readonly unknown[]>;
  /** The task drains: dispatch the waiting rows now. */
  flush?(): void;
  close?(): Promise<void>;
}

/** The answer for a row of a batch that failed. */
export class RowFailure {
  constructor(
    readonly reason: string,
    readonly detail: string,
  ) {}
}

/** The error of a step, one of whose functions threw an `error` at a record. */
export function thrownBy(step: string, error: unknown, record: RecordPlace | undefined): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError('step', `the step threw: ${messageOf(error)}${atPlace(record)}`, {
    where: step,
    hint: 'a function of this step failed on that record: let it take such a record too, or send it to the dead letters with `validate` before this step',
    cause: error,
  });
}

/** What a function of a step makes of each record of a batch, in their order. What it throws is thrown with the place of the record. */
export function makeOfEach<T, Made>(
  step: string,
  values: readonly T[],
  origins: readonly RecordPlace[],
  make: (value: T, at: number) => Made,
): Made[] {
  const made: Made[] = [];
  try {
    for (const value of values) made.push(make(value, made.length));
  } catch (error) {
    throw thrownBy(step, error, origins[made.length]);
  }
  return made;
}

/** What a step may use besides its state and its input. */
export interface StepContext {
  readonly topology: string;
  readonly step: string;
  /** The task's partition number. */
  readonly task: number;
  /** The newest watermark passed to `onWatermark`, in this run or an earlier one. A record before it is late. */
  readonly watermarkMs: number;
  /** A cumulative counter of this step. It is part of the checkpoint, so a replay does not count twice. */
  counter(name: string): Counter;
  /** Writes a measurement at a point of event time to the topology's metrics sinks; `of`: of which slice and model version. */
  measure(name: string, value: number, eventTimeMs: number, of?: Measured): void;
  /** Sends the current record to the dead letters; the step then emits nothing for it. */
  deadLetter(reason: string, detail: string): void;
  /** Stops the task with this cause. */
  fail(message: string, hint?: string): never;
}

/** A number that only increases. */
export interface Counter {
  add(by?: number): void;
}

/** What a batched step may use of the process that runs it. */
export interface Services extends ServiceRegistry {
  /** Reports progress of a long batch. A batch that reports none and does not answer within the stall limit is treated as hung. */
  progress(): void;
}
