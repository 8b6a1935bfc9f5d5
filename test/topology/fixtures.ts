import { type Schema, type Sink, type Source, split, stateful, transform } from '../../src/core/index.js';
import { topology } from '../../src/topology/index.js';

// A small world of operators and connectors without any logic: readers of a topology look at its data only.

export interface Order {
  readonly id: string;
  readonly amount: number;
}
export interface Refund {
  readonly orderId: string;
}

const schema = <T>(subject: string): Schema<T> => ({ format: 'avro', subject, definition: undefined });

export const topicSource = <T>(topic: string, extra: Partial<Source<T>> = {}): Source<T> => ({
  connector: 'kafka',
  kind: 'kafka.source',
  topic,
  schema: schema(`${topic}-value`),
  settings: { topic },
  eventTimeOf: (_, timestampMs) => timestampMs,
  ...extra,
});

export const topicSink = (topic: string): Sink<unknown> => ({
  connector: 'kafka',
  kind: 'kafka.sink',
  settings: { topic },
  options: undefined,
});

export const tableSink = (table: string): Sink<unknown> => ({
  connector: 'clickhouse',
  kind: 'clickhouse.tableSink',
  settings: { table },
  options: undefined,
});

export const keepAll = <T>() => transform<T, T>({ kind: 'filter', open: () => (value, emit) => emit(value as never) });

const cell = (kind: string, version: number) => ({
  kind,
  version,
  open: () => ({ restore: () => {}, takeChanges: () => [] }),
});

export const seenOnce = (settings = { retention: 86_400_000, keysMax: 1_000 }, version = 1) =>
  stateful<Order, Order, Record<string, ReturnType<typeof cell>>>({
    kind: 'dedupe',
    settings,
    cells: { seen: cell('map', version) },
    open: () => ({ onRecord: (_, value, emit) => emit(value as never) }),
  });

export const pairUp = () =>
  stateful<Order, { refunds: Refund }, Order, Record<string, ReturnType<typeof cell>>>({
    kind: 'join',
    inputs: ['refunds'],
    settings: { wait: 3_600_000 },
    cells: { pending: cell('map', 2), latest: cell('value', 1) },
    open: () => ({ onRecord: () => {} }),
  });

export const bySize = () =>
  split<Order, { large: Order; small: Order }>({
    kind: 'route',
    outputs: ['large', 'small'],
    open: () => (value, emit) => emit(0, value),
  });

export const deadLetters = topicSink('orders.dead');

/** Two inputs, each of the synchronous shapes, sinks on a split and on a stream: one of everything. */
export const orders = topology('orders', { deadLetters, metrics: tableSink('metrics') }, (t) => {
  const refunds = t.source('refunds', topicSource<Refund>('refunds.v1'));
  const paired = t
    .source('orders', topicSource<Order>('orders.v1'))
    .via('dedupe', seenOnce())
    .via('with-refunds', { refunds }, pairUp())
    .via('checked', keepAll());
  const { large, small } = paired.split('size', bySize());
  large.to('large-orders', topicSink('orders.large'));
  small.to('history', tableSink('small_orders'));
});
