import type { Duration } from './duration.js';
import type {
  Adds,
  BatchedLogic,
  BatchedShape,
  Emit,
  EmitTo,
  MultiInputOperator,
  Operator,
  Problem,
  RowFailure,
  Services,
  Settings,
  Splitter,
  StatefulShape,
  StepContext,
  StepKeys,
  StepRule,
} from './operator.js';
import type { Origin } from './record.js';
import type { CellSpecs, OpenCells } from './state.js';

// The casts in this file are the one place where an operator's types meet the untyped contract of the runtime.

type Next<In, Out> = [Out] extends [Adds<infer A>] ? In & A : Out;

interface Common {
  readonly kind: string;
  readonly settings?: Settings;
  readonly problems?: readonly Problem[];
  /**
   * The key of each input, by its number: records with equal keys must be in one partition. `undefined` if it is the key of the record
   * itself. `check` compares keys with the records of topics.
   */
  readonly keys?: StepKeys;
  /** What it judges by; it counts what breaks a rule as `dead:NAME`, `warned:NAME` or `broken:NAME`. */
  readonly rules?: readonly StepRule[];
}

const common = ({ kind, settings = {}, problems = [], keys, rules }: Common) => ({
  ...{ kind, settings, problems },
  ...(keys && { keys }),
  ...(rules && { rules }),
});

/** The argument of `transform`. */
export interface TransformDefinition<In, Out> extends Common {
  open(context: StepContext): (value: In, emit: (value: Next<In, Out>) => void, origin: Origin) => void;
}

/**
 * Defines a synchronous operator without state: each record gives any number of records, in order.
 *
 * @example
 * const twice = <T>() => transform<T, T>({ kind: 'twice', open: () => (value, emit) => { emit(value); emit(value); } });
 */
export function transform<In, Out>(definition: TransformDefinition<In, Out>): Operator<In, Out> {
  const open = definition.open as (context: StepContext) => (value: unknown, emit: Emit, origin: Origin) => void;
  return { ...common(definition), shape: { shape: 'transform', open } };
}

/** The argument of `split`. */
export interface SplitDefinition<In, Outs> extends Common {
  readonly outputs: readonly (keyof Outs & string)[];
  open(
    context: StepContext,
  ): (value: In, emit: (output: number, value: Outs[keyof Outs]) => void, origin: Origin) => void;
}

/**
 * Defines a synchronous operator without state and with several named outputs. `emit` takes the index of an output in `outputs`.
 *
 * @example
 * const bySign = split<number, { negative: number; positive: number }>({
 *   kind: 'by-sign',
 *   outputs: ['negative', 'positive'],
 *   open: () => (value, emit) => emit(value < 0 ? 0 : 1, value),
 * });
 */
export function split<In, Outs>(definition: SplitDefinition<In, Outs>): Splitter<In, Outs> {
  const open = definition.open as (context: StepContext) => (value: unknown, emit: EmitTo, origin: Origin) => void;
  return { ...common(definition), shape: { shape: 'split', outputs: definition.outputs, open } };
}

/** The argument of `stateful` for an operator with one input. */
export interface StatefulDefinition<In, Out, S extends CellSpecs> extends Common, Clocked {
  readonly cells: S;
  open(cells: OpenCells<S>, context: StepContext): TypedLogic<In, In, Out>;
}

interface Clocked {
  /** The interval of `onProcessingTime`; leave it out if event time is enough. */
  readonly processingTimeInterval?: Duration;
}

/** Emits a value. It gets the event time of the current record unless another is given. */
export type TypedEmit<In, Out> = (value: Next<In, Out>, eventTimeMs?: number) => void;

/** The result of `open`; `Any` is the union of the record types of all inputs. */
export interface TypedLogic<In, Any, Out> {
  onRecord(input: number, value: Any, emit: TypedEmit<In, Out>, origin: Origin): void;
  onWatermark?(watermarkMs: number, emit: TypedEmit<In, Out>): void;
  onProcessingTime?(clockMs: number, emit: TypedEmit<In, Out>): void;
  onCheckpoint?(): void;
  query?(key: string): unknown;
}

/** The argument of `stateful` for an operator with several inputs. */
export interface MultiInputDefinition<In, Inputs, Out, S extends CellSpecs> extends Common, Clocked {
  /** The further inputs. `onRecord` numbers them in this order from 1; input 0 is the stream itself. */
  readonly inputs: readonly (keyof Inputs & string)[];
  readonly cells: S;
  open(cells: OpenCells<S>, context: StepContext): TypedLogic<In, In | Inputs[keyof Inputs], Out>;
}

/** The argument of `batched`. */
export interface BatchedDefinition<In, Out> extends Common, Pick<BatchedShape, 'nondeterministic' | 'inFlightMax'> {
  open(context: StepContext, services: Services): Promise<TypedBatchedLogic<In, Out>>;
}

/** The result of `open` of a batched operator. */
export interface TypedBatchedLogic<In, Out> extends Pick<BatchedLogic, 'flush' | 'close'> {
  /** Resolves with one answer per row, in their order: the new value, or a `RowFailure` that sends the row to the dead letters. */
  onBatch(values: readonly In[], origins: readonly Origin[]): Promise<readonly (Next<In, Out> | RowFailure)[]>;
}

/**
 * Defines an asynchronous operator without state. It gets many rows at once, and may get more before it has answered. Answers are
 * emitted in the order of the rows. It can use the services of the process.
 *
 * @example
 * const inEuros = batched<Payment, Adds<{ euros: number }>>({
 *   kind: 'in-euros',
 *   open: async (_context, services) => ({
 *     onBatch: (payments) => Promise.all(payments.map(async (payment) =>
 *       withField(payment, 'euros', payment.amount * (await services.get(rates).rateOf(payment.currency))))),
 *   }),
 * });
 */
export function batched<In, Out>(definition: BatchedDefinition<In, Out>): Operator<In, Out> {
  const { open, nondeterministic, inFlightMax } = definition;
  const shape: BatchedShape = {
    shape: 'batched',
    ...(nondeterministic !== undefined && { nondeterministic }),
    ...(inFlightMax !== undefined && { inFlightMax }),
    open: open as BatchedShape['open'],
  };
  return { ...common(definition), shape };
}

/**
 * Defines a synchronous operator with its state in `cells`. With `inputs` it has several inputs, which are merged by event time.
 *
 * @example
 * stateful<Order, Order, typeof cells>({ kind: 'first-orders', cells, open: ({ seen }) => ({ onRecord(_input, order, emit) { ... } }) });
 */
export function stateful<In, Inputs, Out, S extends CellSpecs>(
  definition: MultiInputDefinition<In, Inputs, Out, S>,
): MultiInputOperator<In, Inputs, Out>;
export function stateful<In, Out, S extends CellSpecs>(definition: StatefulDefinition<In, Out, S>): Operator<In, Out>;
export function stateful(definition: StatefulParts): unknown {
  return { ...common(definition), shape: statefulShape(definition) };
}

type StatefulParts = Common &
  Clocked & { readonly inputs?: readonly string[]; readonly cells: CellSpecs; readonly open: unknown };

function statefulShape({ inputs = [], cells, open, processingTimeInterval }: StatefulParts): StatefulShape {
  const shape = { shape: 'stateful', inputs, cells, open: open as StatefulShape['open'] } as const;
  return processingTimeInterval === undefined ? shape : { ...shape, processingTimeInterval };
}
