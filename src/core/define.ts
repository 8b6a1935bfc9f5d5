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
} from './operator.js';
import type { Origin } from './record.js';
import type { CellSpecs, OpenCells } from './state.js';

// The one place where an operator's own types meet the untyped contract of the runtime.

type Next<In, Out> = [Out] extends [Adds<infer A>] ? In & A : Out;

interface Common {
  readonly kind: string;
  readonly settings?: Settings;
  readonly problems?: readonly Problem[];
}

const common = ({ kind, settings = {}, problems = [] }: Common) => ({ kind, settings, problems });

/** What an operator without state does: `transform` makes one of it. */
export interface TransformDefinition<In, Out> extends Common {
  open(context: StepContext): (value: In, emit: (value: Next<In, Out>) => void, origin: Origin) => void;
}

/**
 * Defines a synchronous operator without state: a record in, any number out, in order.
 *
 * @example
 * const twice = <T>() => transform<T, T>({ kind: 'twice', open: () => (value, emit) => { emit(value); emit(value); } });
 */
export function transform<In, Out>(definition: TransformDefinition<In, Out>): Operator<In, Out> {
  const open = definition.open as (context: StepContext) => (value: unknown, emit: Emit, origin: Origin) => void;
  return { ...common(definition), shape: { shape: 'transform', open } };
}

/** What an operator of several outputs does: `split` makes one of it. */
export interface SplitDefinition<In, Outs> extends Common {
  readonly outputs: readonly (keyof Outs & string)[];
  open(
    context: StepContext,
  ): (value: In, emit: (output: number, value: Outs[keyof Outs]) => void, origin: Origin) => void;
}

/**
 * Defines a synchronous operator without state that has several named outputs; `emit` takes the place of one in `outputs`.
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

/** What an operator with state does: `stateful` makes one of it. */
export interface StatefulDefinition<In, Out, S extends CellSpecs> extends Common, Clocked {
  readonly cells: S;
  open(cells: OpenCells<S>, context: StepContext): TypedLogic<In, In, Out>;
}

interface Clocked {
  /** How often `onProcessingTime` is told the processing time; leave it out wherever event time will do. */
  readonly processingTimeInterval?: Duration;
}

/** Sends a value on. It belongs to the record in hand, unless it has an event time of its own. */
export type TypedEmit<In, Out> = (value: Next<In, Out>, eventTimeMs?: number) => void;

/** What `open` returns; `Any` is the union of what may arrive on any input. */
export interface TypedLogic<In, Any, Out> {
  onRecord(input: number, value: Any, emit: TypedEmit<In, Out>, origin: Origin): void;
  onWatermark?(watermarkMs: number, emit: TypedEmit<In, Out>): void;
  onProcessingTime?(clockMs: number, emit: TypedEmit<In, Out>): void;
  query?(key: string): unknown;
}

/** What an operator of several inputs does: `stateful` makes one of it. */
export interface MultiInputDefinition<In, Inputs, Out, S extends CellSpecs> extends Common, Clocked {
  /** Further inputs, in the order in which `onRecord` numbers them, from 1; the stream itself is input 0. */
  readonly inputs: readonly (keyof Inputs & string)[];
  readonly cells: S;
  open(cells: OpenCells<S>, context: StepContext): TypedLogic<In, In | Inputs[keyof Inputs], Out>;
}

/** What a batched operator does: `batched` makes one of it. */
export interface BatchedDefinition<In, Out> extends Common, Pick<BatchedShape, 'nondeterministic' | 'inFlightMax'> {
  open(context: StepContext, services: Services): Promise<TypedBatchedLogic<In, Out>>;
}

/** What `open` of a batched operator resolves with. */
export interface TypedBatchedLogic<In, Out> extends Pick<BatchedLogic, 'flush' | 'close'> {
  /** One answer a row, in their order: the new value, or a `RowFailure` that sends the row to the dead letters. */
  onBatch(values: readonly In[], origins: readonly Origin[]): Promise<readonly (Next<In, Out> | RowFailure)[]>;
}

/**
 * Defines an asynchronous operator without state: it is given many rows at once, several times before it has answered, and
 * answers come out in the order of the rows. It may ask for the services of the process.
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
 * Defines a synchronous operator whose state lies in `cells`: of one input, or, with `inputs`, of several that are merged
 * by event time.
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
