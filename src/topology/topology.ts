import type { Duration } from '../core/duration.js';
import type {
  Adds,
  MultiInputOperator,
  MultiInputSplitter,
  Operator,
  Problem,
  Settings,
  Shape,
  Splitter,
} from '../core/operator.js';
import { outputNames } from '../core/operator.js';
import type { PassedHeaders } from '../core/passed-headers.js';
import type { DeadLetter, MetricRow } from '../core/record.js';
import type { Schema } from '../core/schema.js';
import type { Sink } from '../core/sink.js';
import type { Source } from '../core/source.js';

/** What feeds a step: the id of a source or step, and which of its outputs (0 where there is only one). */
export interface Wire {
  readonly from: string;
  readonly output: number;
}

export interface SourceNode {
  readonly id: string;
  readonly source: Source<unknown>;
}

export interface StepNode {
  readonly id: string;
  readonly kind: string;
  readonly settings: Settings;
  readonly shape: Shape;
  readonly problems: readonly Problem[];
  /** The main input first, then further inputs in the operator's order. */
  readonly inputs: readonly Wire[];
}

export interface SinkNode {
  readonly id: string;
  readonly sink: Sink<unknown>;
  readonly input: Wire;
}

/** A place where records go through a topic, to come back by another key. */
export interface RepartitionNode {
  readonly id: string;
  readonly input: Wire;
  readonly key: (value: unknown) => string;
  readonly schema: Schema<unknown>;
  readonly partitions: number | undefined;
  readonly idleTimeout: Duration | undefined;
  readonly headers?: PassedHeaders | undefined;
}

/** By which key records go on, and how they are written on the way. */
export interface RepartitionOptions<T> {
  /** What decides the partition from here on: equal keys meet in the same task. */
  readonly key: (value: T) => string;
  /** How values are written; what it does not name is gone afterwards. */
  readonly schema: Schema<T>;
  /**
   * Partitions, and so tasks, from here on; as many as the other inputs have by default. Another number later needs a
   * savepoint: see `savepoint restore --rescale`.
   */
  readonly partitions?: number;
  /**
   * How long (processing time) a task that writes may have nothing to read before those that read go on without it; for
   * ever by default. What it writes later may be late.
   */
  readonly idleTimeout?: Duration;
  /** Headers of the records that values come from which go on with them, such as `traceHeaders`; none by default. */
  readonly headers?: PassedHeaders;
}

/** Where a topology sends what cannot be processed, and what is measured. */
export interface TopologyOptions {
  /** Where records go that cannot be processed: decode, validation, processing and inference failures. */
  readonly deadLetters: Sink<DeadLetter>;
  /** Where counters and measurements of the steps go. */
  readonly metrics?: Sink<MetricRow>;
}

/**
 * A dataflow as frozen data. Checking, drawing, hashing and running are readers of this one value; steps stand in the
 * order in which they were declared, which is a topological order by construction.
 */
export interface Topology {
  readonly name: string;
  readonly deadLetters: Sink<DeadLetter>;
  readonly metrics: Sink<MetricRow> | undefined;
  readonly sources: readonly SourceNode[];
  readonly steps: readonly StepNode[];
  readonly sinks: readonly SinkNode[];
  /** Where it is cut into sub-topologies; see `subtopologiesOf`. */
  readonly repartitions: readonly RepartitionNode[];
}

declare const VALUE: unique symbol;
type Next<T, Out> = [Out] extends [Adds<infer A>] ? ([keyof A] extends [never] ? T : T & A) : Out;

/** A typed handle on what a source or a step emits. It holds no data; it is where the next step is attached. */
export interface Stream<out T> {
  readonly [VALUE]?: (() => T) | undefined;
  /** Attaches an operator under a stable id: its state belongs to that id. */
  via<Out>(id: string, operator: Operator<T, Out>): Stream<Next<T, Out>>;
  /** Attaches an operator with further inputs. */
  via<Sides, Out>(
    id: string,
    sides: { readonly [K in keyof Sides]: Stream<Sides[K]> },
    operator: MultiInputOperator<T, Sides, Out>,
  ): Stream<Next<T, Out>>;
  /** Attaches an operator with several named outputs. */
  split<Outs>(id: string, operator: Splitter<T, Outs>): { readonly [K in keyof Outs]: Stream<Next<T, Outs[K]>> };
  /** Attaches an operator with further inputs and several named outputs. */
  split<Sides, Outs>(
    id: string,
    sides: { readonly [K in keyof Sides]: Stream<Sides[K]> },
    operator: MultiInputSplitter<T, Sides, Outs>,
  ): { readonly [K in keyof Outs]: Stream<Next<T, Outs[K]>> };
  /**
   * Sends values through an internal topic to the tasks that own their new keys. The steps behind it are a sub-topology of their
   * own: own tasks, state and checkpoints. Event times, and the order of each writing task, are kept; nothing is lost or
   * doubled on the way.
   *
   * @example
   * legs.repartition('by-account', { key: (leg) => leg.account, schema: LegV1 }).via('balance', balance());
   */
  repartition<S = T>(
    id: string,
    options: RepartitionOptions<S> & ([T] extends [S] ? unknown : { readonly schema: Schema<T> }),
  ): Stream<S>;
  /** Writes every value to a sink. */
  to(id: string, sink: Sink<T>): void;
}

/** What `topology` gives to the function that declares the dataflow. */
export interface TopologyBuilder {
  source<T>(id: string, source: Source<T>): Stream<T>;
}

type AnyOperator = Pick<StepNode, 'kind' | 'settings' | 'shape'> & Partial<Pick<StepNode, 'problems'>>;

/**
 * Declares a dataflow. `build` only records what it is told: nothing is opened, read or checked here.
 *
 * @example
 * const hubs = topology('hubs', { deadLetters: kafka.deadLetters({ topic: 'hubs.dead' }) }, (t) => {
 *   t.source('departed', kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1 }))
 *     .via('only-atlanta', filter((f) => f.origin === 'ATL'))
 *     .to('hubs', kafka.sink({ topic: 'hubs.v1', schema: FlightDepartedV1 }));
 * });
 */
export function topology(name: string, options: TopologyOptions, build: (t: TopologyBuilder) => void): Topology {
  const sources: SourceNode[] = [];
  const steps: StepNode[] = [];
  const sinks: SinkNode[] = [];
  const repartitions: RepartitionNode[] = [];
  const wires = new WeakMap<object, Wire>();
  const wireOf = (stream: object): Wire => wires.get(stream) ?? { from: '(a stream of another topology)', output: 0 };

  const stream = (wire: Wire): Stream<never> => {
    const handle = Object.freeze({
      via(id: string, second: object, third?: object) {
        return attach(wire, id, second, third)(0);
      },
      split(id: string, second: object, third?: object) {
        const output = attach(wire, id, second, third);
        const names = outputNames(((third ?? second) as AnyOperator).shape) ?? [];
        return Object.freeze(Object.fromEntries(names.map((name, index) => [name, output(index)])));
      },
      repartition(id: string, options: RepartitionOptions<unknown>) {
        const { key, schema, partitions, idleTimeout, headers } = options;
        const passed = headers === undefined ? {} : { headers };
        repartitions.push(Object.freeze({ id, input: wire, key, schema, partitions, idleTimeout, ...passed }));
        return stream({ from: id, output: 0 });
      },
      to(id: string, sink: Sink<unknown>) {
        sinks.push(Object.freeze({ id, sink, input: wire }));
      },
    });
    wires.set(handle, wire);
    return handle as unknown as Stream<never>;
  };

  /** Adds a step behind a stream, with further inputs where there are three arguments; gives its outputs by number. */
  const attach = (wire: Wire, id: string, second: object, third: object | undefined) => {
    const { kind, settings, shape, problems = [] } = (third ?? second) as AnyOperator;
    const sides = (third ? second : {}) as Record<string, object>;
    const names = shape.shape === 'stateful' ? shape.inputs : [];
    // A missing side stays visible to `check`; a superfluous one has no place in the operator and is dropped here.
    const inputs = [wire, ...names.map((side) => (sides[side] ? wireOf(sides[side]) : { from: '', output: 0 }))];
    steps.push(Object.freeze({ id, kind, settings, shape, problems, inputs: Object.freeze(inputs) }));
    return (output: number) => stream({ from: id, output });
  };

  build({
    source(id, source) {
      sources.push(Object.freeze({ id, source: source as Source<unknown> }));
      return stream({ from: id, output: 0 });
    },
  });
  return Object.freeze({
    name,
    deadLetters: options.deadLetters,
    metrics: options.metrics,
    sources: Object.freeze(sources),
    steps: Object.freeze(steps),
    sinks: Object.freeze(sinks),
    repartitions: Object.freeze(repartitions),
  });
}

/** Whether a value imported from a user's file is a topology. */
export function isTopology(value: unknown): value is Topology {
  const candidate = value as Topology | null;
  return (
    typeof candidate === 'object' &&
    candidate !== null &&
    Array.isArray(candidate.steps) &&
    Array.isArray(candidate.sources)
  );
}
