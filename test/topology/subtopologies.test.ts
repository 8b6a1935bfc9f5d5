import { describe, expect, it } from 'vitest';
import { type Schema, transform } from '../../src/core/index.js';
import {
  check,
  describe as describeTopology,
  subtopologiesOf,
  topology,
  topologyHash,
} from '../../src/topology/index.js';
import { deadLetters, keepAll, type Order, orders, pairUp, type Refund, topicSink, topicSource } from './fixtures.js';

const json = <T>(subject: string): Schema<T> => ({ format: 'json', subject, definition: undefined });
const placeOrder = () =>
  transform<Refund, Order>({
    kind: 'map',
    open:
      () =>
      ({ orderId }, emit) =>
        emit({ id: orderId, amount: 0 }),
  });
const byId = { key: ({ id }: Order) => id, schema: json<Order>('order') };

/** Orders by another key, paired with refunds that come through a topic of their own key. */
const paired = topology('paired', { deadLetters }, (t) => {
  const refunds = t.source('refunds', topicSource<Refund>('refunds.v1')).via('good', keepAll());
  const byOrder = refunds.repartition('refunds-by-order', {
    key: ({ orderId }) => orderId,
    schema: json<Refund>('refund'),
  });
  const placed = t.source('orders', topicSource<Order>('orders.v1')).repartition('orders-by-id', byId);
  const done = placed.via('with-refunds', { refunds: byOrder }, pairUp());
  done.to('out', topicSink('out'));
  refunds.to('refund-log', topicSink('refund.log'));
  done.repartition('again', byId).to('last', topicSink('last'));
});

describe('stagesOf', () => {
  it('leaves a topology without repartitions as it is', () => {
    expect(subtopologiesOf(orders)).toEqual([orders]);
    expect(subtopologiesOf(orders)[0]).toBe(orders);
    expect(topologyHash(orders)).toBe('98ce614bb2ea09d9');
  });

  it('cuts at repartitions, in the order of the records, under names that hold', () => {
    const shape = subtopologiesOf(paired).map(({ name, sources, steps, sinks }) => ({
      name,
      sources: sources.map(({ id }) => id),
      steps: steps.map(({ id }) => id),
      sinks: sinks.map(({ id }) => id),
    }));
    expect(shape).toEqual([
      { name: 'paired', sources: ['refunds'], steps: ['good'], sinks: ['refund-log', 'refunds-by-order'] },
      { name: 'paired/orders', sources: ['orders'], steps: [], sinks: ['orders-by-id'] },
      {
        name: 'paired/refunds-by-order',
        sources: ['refunds-by-order', 'orders-by-id'],
        steps: ['with-refunds'],
        sinks: ['out', 'again'],
      },
      { name: 'paired/again', sources: ['again'], steps: [], sinks: ['last'] },
    ]);
    for (const subtopology of subtopologiesOf(paired)) {
      expect(subtopology.repartitions).toEqual([]);
      expect(subtopology.deadLetters).toBe(paired.deadLetters);
      expect(Object.isFrozen(subtopology)).toBe(true);
    }
  });

  it('makes one topic of a repartition, written by one sub-topology and read by the other', () => {
    const [, before, after] = subtopologiesOf(paired);
    const sink = before?.sinks.find(({ id }) => id === 'orders-by-id')?.sink;
    const source = after?.sources.find(({ id }) => id === 'orders-by-id')?.source;
    expect(sink).toMatchObject({ connector: 'internal', settings: { topic: 'paired.orders-by-id.repartition' } });
    expect(source).toMatchObject({
      connector: 'internal',
      topic: 'paired.orders-by-id.repartition',
      hasWatermarkMarkers: true,
    });
    expect(
      (sink as { options: { key: (order: Order) => string } } | undefined)?.options.key({ id: 'a', amount: 1 }),
    ).toBe('a');
  });

  it('shows in the hash and in the description', () => {
    const without = topology('paired', { deadLetters }, (t) => {
      t.source('orders', topicSource<Order>('orders.v1')).to('out', topicSink('out'));
    });
    const through = topology('paired', { deadLetters }, (t) => {
      t.source('orders', topicSource<Order>('orders.v1')).repartition('by-id', byId).to('out', topicSink('out'));
    });
    expect(topologyHash(through)).not.toBe(topologyHash(without));
    expect(describeTopology(paired)).toMatchInlineSnapshot(`
      "topology paired

      source       refunds                                                       kafka.source
                format=avro schema=refunds.v1-value topic=refunds.v1
      source       orders                                                        kafka.source
                format=avro schema=orders.v1-value topic=orders.v1
      step         good              <- refunds                                  filter (transform)
      step         with-refunds      <- orders-by-id, refunds: refunds-by-order  join (stateful)
                wait=3600000
                state: pending:map@2 latest:value@1
      repartition  refunds-by-order  <- good                                     to another key
                format=json schema=refund topic=paired.refunds-by-order.repartition
      repartition  orders-by-id      <- orders                                   to another key
                format=json schema=order topic=paired.orders-by-id.repartition
      repartition  again             <- with-refunds                             to another key
                format=json schema=order topic=paired.again.repartition
      sink         out               <- with-refunds                             kafka.sink
                topic=out
      sink         refund-log        <- good                                     kafka.sink
                topic=refund.log
      sink         last              <- again                                    kafka.sink
                topic=last
      sink         deadLetters       <- failed records                           kafka.sink
                topic=orders.dead

      sub-topology  paired                   reads refunds                        runs good          writes refund-log refunds-by-order
      sub-topology  paired/orders            reads orders                                            writes orders-by-id
      sub-topology  paired/refunds-by-order  reads refunds-by-order orders-by-id  runs with-refunds  writes out again
      sub-topology  paired/again             reads again                                             writes last
      "
    `);
    expect(describeTopology(without)).not.toContain('subtopology');
  });
});

describe('check', () => {
  const problemsOf = (build: Parameters<typeof topology>[2]) =>
    check(topology('t', { deadLetters }, build)).map(({ where, message }) => `${where}: ${message}`);

  it('accepts repartitions, side by side and one after another', () => {
    expect(check(paired)).toEqual([]);
  });

  it('refuses a step that would wait for its own sub-topology, directly or around other subtopologies', () => {
    expect(
      problemsOf((t) => {
        const refunds = t.source('refunds', topicSource<Refund>('refunds.v1'));
        const byOrder = refunds.repartition('by-order', {
          key: ({ orderId }) => orderId,
          schema: json<Refund>('refund'),
        });
        refunds
          .via('orders', placeOrder())
          .via('with-refunds', { refunds: byOrder }, pairUp())
          .to('out', topicSink('out'));
      }),
    ).toEqual(['by-order: its output is joined with its own input']);
    expect(
      problemsOf((t) => {
        const orders = t.source('orders', topicSource<Order>('orders.v1'));
        const back = orders.repartition('there', byId).via('step', keepAll()).repartition('back', byId);
        orders.via('meet', { refunds: back as never }, pairUp()).to('out', topicSink('out'));
      }),
    ).toEqual(['there: its output is joined with its own input', 'back: its output is joined with its own input']);
  });

  it('refuses repartitions without key or schema, with a dot in the id, with an id that is taken, or that nobody reads', () => {
    expect(
      problemsOf((t) => {
        const orders = t.source('orders', topicSource<Order>('orders.v1'));
        orders.repartition('a', {} as never).to('out', topicSink('out'));
        orders.repartition('by.id', byId).to('out-2', topicSink('out.2'));
        orders.repartition('orders', byId);
      }),
    ).toEqual([
      'orders: the id "orders" is used 2 times',
      'a: no schema for its topic',
      'by.id: the id of a repartition has a dot',
      'orders: its output is joined with its own input',
      'a: no key',
    ]);
    expect(
      problemsOf((t) => {
        const orders = t.source('orders', topicSource<Order>('orders.v1'));
        orders.repartition('by-id', byId);
        orders.to('out', topicSink('out'));
      }),
    ).toEqual(['by-id: its stream is never consumed']);
  });
});
