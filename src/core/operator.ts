import type { Duration } from './duration.js';
import type { Lookup } from './lookup.js';
import type { Problem, Settings } from './options.js';
import type { Origin } from './record.js';
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

/** Asks of an input that it has no field of this name yet: an operator that adds one must not hide another's. */
export type Free<Name extends string> = { readonly [P in Name]?: never };

/** An operator as inert data. The phantom types carry what it takes and gives; `shape` is how the runtime runs it. */
export interface Operator<in In, out Out> {
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: Shape;
  readonly problems?: readonly Problem[];
  readonly [IN]?: ((value: In) => void) | undefined;
  readonly [OUT]?: (() => Out) | undefined;
}

/** An operator with further inputs, each a named stream. */
export interface MultiInputOperator<in In, in Sides, out Out> {
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: StatefulShape;
  readonly problems?: readonly Problem[];
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

/** The four shapes; there is no fifth. */
export type Shape = TransformShape | SplitShape | StatefulShape | BatchedShape;

/** The names of an operator's outputs, where it has several. */
export const outputNames = (shape: Shape): readonly string[] | undefined =>
  shape.shape === 'split' || shape.shape === 'stateful' ? shape.outputs : undefined;

// The runtime sees values as `unknown`: the types were checked where the topology was written.
/**
 * What is emitted comes from the record in hand. A result about another time than that record's, a window's for example,
 * says its own event time; it then has no key and no bytes of the log either. `output` is for operators that have several.
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

/** Synchronous, with state in declared cells only; input 0 is the main one, further inputs follow in order. */
export interface StatefulShape {
  readonly shape: 'stateful';
  /** Names of the further inputs. */
  readonly inputs: readonly string[];
  /** Names of the outputs, where there are several; what is emitted without a number goes to the first. */
  readonly outputs?: readonly string[];
  /**
   * How often it is told the processing time; never where it is missing. What it then does depends on the clock: sinks
   * outside the ledger's transaction are written after the checkpoint that settles it.
   */
  readonly processingTimeInterval?: Duration;
  readonly cells: CellSpecs;
  // biome-ignore lint/suspicious/noExplicitAny: each operator knows its own cells; `stateful()` checks them
  open(cells: any, context: StepContext): StatefulLogic;
}
export interface StatefulLogic {
  onRecord(input: number, value: unknown, emit: Emit, origin: Origin): void;
  /**
   * Event time has moved on: no record with an earlier event time is expected. Called right after the record of the task
   * that moved it, whichever stream that record went to, so in the same place of the merged order in every replay.
   * At the end of inputs that are known to end it is called with `AFTER_ALL_MS`.
   */
  onWatermark?(watermarkMs: number, emit: Emit): void;
  /**
   * Processing time has come so far: called about every `processingTimeInterval`, perhaps more often, between two records. The time only
   * rises, over restarts as well; it may jump, by as long as the task was not running. What is emitted without an event time
   * has the watermark's.
   */
  onProcessingTime?(clockMs: number, emit: Emit): void;
  /**
   * What it holds of a key, as plain data for people and programs outside; `undefined` for nothing. Only reads. Called
   * between epochs, so that the answer is a committed one.
   */
  query?(key: string): unknown;
}

/** Asynchronous, stateless, ordered and bounded: rows are answered in the order given. */
export interface BatchedShape {
  readonly shape: 'batched';
  /**
   * What it answers may depend on more than the row: which of several answered, or when it was asked. Sinks outside the
   * ledger's transaction are then written after the checkpoint that settles it.
   */
  readonly nondeterministic?: boolean;
  /** What its keys are looked up in, for commands that ask which connectors a topology has. */
  readonly lookup?: Lookup<unknown> | undefined;
  /** A task with this step has no more records on their way, since each is large; by default only the run's own limit holds. */
  readonly inFlightMax?: number;
  open(context: StepContext, services: Services): Promise<BatchedLogic>;
}
export interface BatchedLogic {
  /** One answer a row: the new value, or a `RowFailure` that sends the row to the dead letters. */
  onBatch(values: readonly unknown[], origins: readonly Origin[]): Promise<readonly unknown[]>;
  /** The task drains: dispatch its waiting rows now. */
  flush?(): void;
  close?(): Promise<void>;
}

/** One row of a batch that could not be answered. */
export class RowFailure {
  constructor(
    readonly reason: string,
    readonly detail: string,
  ) {}
}

/** All that a step may know of the world. */
export interface StepContext {
  readonly topology: string;
  readonly step: string;
  /** The task's partition number. */
  readonly task: number;
  /** What `onWatermark` was last told, in this run or an earlier one: a record before it is late. */
  readonly watermarkMs: number;
  /** A cumulative counter of this step; part of the checkpoint, so a replay does not count twice. */
  counter(name: string): Counter;
  /** A measurement at a point of event time, written to the topology's metrics sink. */
  measure(name: string, value: number, eventTimeMs: number): void;
  /** Sends the record in hand to the dead letters; the step then emits nothing for it. */
  deadLetter(reason: string, detail: string): void;
  /** Stops the task with this cause. */
  fail(message: string, hint?: string): never;
}

/** A number that only rises. */
export interface Counter {
  add(by?: number): void;
}

/** What a batched step may ask of the process that runs it. */
export interface Services extends ServiceRegistry {
  /** Says that a batch gets on which takes long: who does not, and does not answer either, is taken for hung. */
  progress(): void;
}
