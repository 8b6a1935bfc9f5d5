import type { Duration } from '../core/duration.js';
import { MillraceError } from '../core/errors.js';
import type {
  Adds,
  MultiInputOperator,
  MultiInputSplitter,
  Operator,
  Problem,
  Settings,
  Shape,
  Splitter,
  StepKeys,
  StepRule,
} from '../core/operator.js';
import { outputNames } from '../core/operator.js';
import { unknownOptions } from '../core/options.js';
import type { PassedHeaders } from '../core/passed-headers.js';
import type { DeadLetter, MetricRow } from '../core/record.js';
import type { Schema } from '../core/schema.js';
import type { Sink } from '../core/sink.js';
import type { Source } from '../core/source.js';
import type { AlertRule } from './alert.js';

/** An input of a step: the id of a source or step, and the index of its output (0 if it has only one). */
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
  /** By input, as the operator declares them. */
  readonly keys: StepKeys;
  readonly rules: readonly StepRule[];
  /** The main input first, then further inputs in the operator's order. */
  readonly inputs: readonly Wire[];
}

export interface SinkNode {
  readonly id: string;
  readonly sink: Sink<unknown>;
  readonly input: Wire;
}

/** A repartition: records go through an internal topic and are partitioned by another key. */
export interface RepartitionNode {
  readonly id: string;
  readonly input: Wire;
  readonly key: (value: unknown) => string;
  readonly schema: Schema<unknown>;
  readonly partitions: number | undefined;
  readonly idleTimeout: Duration | undefined;
  readonly headers?: PassedHeaders | undefined;
  /** Mistakes in its options. */
  readonly problems?: readonly Problem[];
}

/** The key of a repartition, and how its topic is written. */
export interface RepartitionOptions<T> {
  /** The new key: records with equal keys are in the same task. */
  readonly key: (value: T) => string;
  /** The schema of the topic. Fields that it lacks are lost. */
  readonly schema: Schema<T>;
  /**
   * The number of partitions, and so of tasks, of the next sub-topology. By default that of its other inputs. To change it later, restore a
   * savepoint: see `savepoint restore --rescale`.
   */
  readonly partitions?: number;
  /**
   * The processing time without records after which a writing task counts as idle, and readers no longer wait for it. By default they wait
   * without a limit. Records that it writes later may be late.
   */
  readonly idleTimeout?: Duration;
  /** The headers of records that are passed on, such as `traceHeaders`; none by default. */
  readonly headers?: PassedHeaders;
}

/** What belongs to a topology as a whole: its dead-letter sink, its metrics sinks and its alerts. */
export interface TopologyOptions {
  /** The sink for records that cannot be decoded, validated, processed or scored. */
  readonly deadLetters: Sink<DeadLetter>;
  /** The sink for counters and metrics of the steps, or several that get the same rows. */
  readonly metrics?: Sink<MetricRow> | readonly Sink<MetricRow>[];
  /** When somebody is told about a run; at most 100. */
  readonly alerts?: readonly AlertRule[];
}

/**
 * A dataflow as frozen data: it is checked, drawn, hashed and run from this one value. Steps are in the order of their declaration, which is a
 * topological order.
 */
export interface Topology {
  readonly name: string;
  readonly deadLetters: Sink<DeadLetter>;
  readonly metrics: readonly Sink<MetricRow>[];
  readonly alerts: readonly AlertRule[];
  readonly sources: readonly SourceNode[];
  readonly steps: readonly StepNode[];
  readonly sinks: readonly SinkNode[];
  /** The repartitions, which divide it into sub-topologies; see `subtopologiesOf`. */
  readonly repartitions: readonly RepartitionNode[];
  /** Mistakes in its own options. */
  readonly problems?: readonly Problem[];
}

const REPARTITION_OPTIONS: readonly (keyof RepartitionOptions<unknown>)[] = [
  'key',
  'schema',
  'partitions',
  'idleTimeout',
  'headers',
];
const TOPOLOGY_OPTIONS: readonly (keyof TopologyOptions)[] = ['deadLetters', 'metrics', 'alerts'];

/** The field `problems`, if there are any. */
function optionProblems(options: object, known: readonly string[]): { readonly problems?: readonly Problem[] } {
  const problems = unknownOptions(options, known);
  return problems.length === 0 ? {} : { problems: Object.freeze(problems) };
}

declare const VALUE: unique symbol;
type Next<T, Out> = [Out] extends [Adds<infer A>] ? ([keyof A] extends [never] ? T : T & A) : Out;

/** The typed output of a source or a step, to which the next step is attached. It holds no data. */
export interface Stream<out T> {
  readonly [VALUE]?: (() => T) | undefined;
  /** Attaches an operator with a stable id. The state of the step is stored under that id. */
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
   * Sends values through an internal topic to the tasks of their new keys. The steps after it are a sub-topology with its own tasks, state and
   * checkpoints. Event times, and the order of each writing task, are kept. Nothing is lost or duplicated.
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

/** The argument of the function that declares a dataflow. */
export interface TopologyBuilder {
  source<T>(id: string, source: Source<T>): Stream<T>;
}

type AnyOperator = Pick<StepNode, 'kind' | 'settings' | 'shape'> &
  Partial<Pick<StepNode, 'problems' | 'keys' | 'rules'>>;

/**
 * Declares a dataflow. `build` only records the steps: nothing is opened, read or checked.
 *
 * @example
 * const hubs = topology('hubs', { deadLetters: kafka.deadLetterSink({ topic: 'hubs.dead' }) }, (t) => {
 *   t.source('departed', kafka.source({ topic: 'flights.departed.v1', schema: FlightDepartedV1 }))
 *     .via('only-atlanta', filter((f) => f.origin === 'ATL'))
 *     .to('hubs', kafka.sink({ topic: 'hubs.v1', schema: FlightDepartedV1 }));
 * });
 */
export function topology(name: string, options: TopologyOptions, build: (t: TopologyBuilder) => void): Topology {
  if (typeof options?.deadLetters !== 'object')
    throw new MillraceError('config', `the topology "${name}" has no dead letters`, {
      hint: `say where records that fail go: topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => { ... })`,
    });
  const sources: SourceNode[] = [];
  const steps: StepNode[] = [];
  const sinks: SinkNode[] = [];
  const repartitions: RepartitionNode[] = [];
  const wires = new WeakMap<object, Wire>();
  const wireOf = (stream: object): Wire => wires.get(stream) ?? { from: '(a stream of another topology)', output: 0 };

  const stream = (wire: Wire): Stream<never> => {
    const handle: Stream<never> = Object.freeze({
      via(id: string, second: object, third?: object) {
        return attach(wire, id, second, third)(0);
      },
      split(id: string, second: object, third?: object) {
        const output = attach(wire, id, second, third);
        const names = outputNames(((third ?? second) as AnyOperator).shape) ?? [];
        // The shape lists the names that the type of the operator has.
        return Object.freeze(Object.fromEntries(names.map((name, index) => [name, output(index)]))) as never;
      },
      repartition<S>(id: string, options: RepartitionOptions<S>) {
        const { key, schema, partitions, idleTimeout, headers } = options as RepartitionOptions<unknown>;
        const more = { ...(headers === undefined ? {} : { headers }), ...optionProblems(options, REPARTITION_OPTIONS) };
        repartitions.push(Object.freeze({ id, input: wire, key, schema, partitions, idleTimeout, ...more }));
        return stream({ from: id, output: 0 });
      },
      to(id: string, sink: Sink<unknown>) {
        sinks.push(Object.freeze({ id, sink, input: wire }));
      },
    });
    wires.set(handle, wire);
    return handle;
  };

  /** Adds a step after a stream, with further inputs if there are three arguments; returns its outputs by number. */
  const attach = (wire: Wire, id: string, second: object, third: object | undefined) => {
    mustBeStep(id, third ?? second);
    const { kind, settings, shape, problems = [], keys = [], rules = [] } = (third ?? second) as AnyOperator;
    const sides = (third ? second : {}) as Record<string, object>;
    const names = shape.shape === 'stateful' ? shape.inputs : [];
    // A missing side stays visible to `check`; a superfluous one has no place in the operator and is dropped here.
    const inputs = [wire, ...names.map((side) => (sides[side] ? wireOf(sides[side]) : { from: '', output: 0 }))];
    steps.push(Object.freeze({ id, kind, settings, shape, problems, keys, rules, inputs: Object.freeze(inputs) }));
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
    metrics: Object.freeze([options.metrics ?? []].flat()),
    alerts: Object.freeze([...(options.alerts ?? [])]),
    sources: Object.freeze(sources),
    steps: Object.freeze(steps),
    sinks: Object.freeze(sinks),
    repartitions: Object.freeze(repartitions),
    ...optionProblems(options, TOPOLOGY_OPTIONS),
  });
}

/** Typed code cannot leave them out, JavaScript and casts can. */
function mustBeStep(id: unknown, operator: object | undefined): void {
  if (typeof id !== 'string')
    throw new MillraceError('config', 'a step has no id', {
      hint: ".via('id', operator): its state is stored under the id",
    });
  if (typeof operator === 'object' && 'shape' in operator) return;
  const hint = `call the operator with its options: .via('${id}', dedupe({ ... }))`;
  throw new MillraceError('config', `the step "${id}" has no operator`, { hint });
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
