import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { type Change, seconds, stateful } from '../../src/core/index.js';
import { map, table } from '../../src/operators/index.js';
import { json } from '../../src/schema/index.js';
import { check, mermaid, type PlannedTask, planState, subtopologiesOf, topology } from '../../src/topology/index.js';

interface Order {
  readonly id: string;
  readonly currency: string;
}
interface Rate {
  readonly euro: number;
}

const deadLetters = kafka.deadLetterSink({ topic: 'dead' });
const orders = kafka.source({ topic: 'orders', schema: json<Order>() });
const rates = kafka.globalTableSource({ topic: 'rates', schema: json<Rate>(), idleTimeout: seconds(1) });
const out = (topic: string) => kafka.sink<unknown>({ topic, schema: json<unknown>() });
const meet = () =>
  stateful<Order, { table: Change<Rate> }, Order, Record<string, never>>({
    kind: 'meet',
    inputs: ['table'],
    cells: {},
    open: () => ({ onRecord() {} }),
  });

/** A global table that two sub-topologies read, one on each side of a repartition. */
const twice = topology('twice', { deadLetters }, (t) => {
  const rate = t.source('rates', rates).via('rate', table({ keysMax: 10 }));
  const unused = t.source('other-rates', rates).via('other-rate', table({ keysMax: 10 }));
  const first = t.source('orders', orders).via('first', { table: rate }, meet());
  first.to('firsts', out('firsts'));
  first
    .repartition('by-currency', { key: ({ currency }) => currency, schema: json<Order>() })
    .via('second', { table: rate }, meet())
    .via('third', { table: unused }, meet())
    .to('seconds', out('seconds'));
});

describe('global tables', () => {
  it('are in every sub-topology that reads them, and name none', () => {
    expect(check(twice)).toEqual([]);
    expect(
      subtopologiesOf(twice).map(({ name, sources, steps }) => [
        name,
        sources.map((s) => s.id),
        steps.map((s) => s.id),
      ]),
    ).toEqual([
      ['twice', ['rates', 'orders'], ['rate', 'first']],
      ['twice/by-currency', ['rates', 'other-rates', 'by-currency'], ['rate', 'other-rate', 'second', 'third']],
    ]);
  });

  it('are drawn as what they are', () => {
    expect(mermaid(twice)).toContain('topic rates, read whole by every task');
    expect(mermaid(twice)).toContain('topic orders"');
  });

  it('cannot be written: every task would', () => {
    const written = topology('written', { deadLetters }, (t) => {
      const rate = t.source('rates', rates).via('rate', table({ keysMax: 10 }));
      rate
        .via(
          'euro',
          map(({ after }) => after?.euro ?? 0),
        )
        .to('copy', out('copy'));
      rate.repartition('by-key', { key: ({ key }) => key, schema: json<Change<Rate>>() }).to('moved', out('moved'));
      t.source('orders', orders).via('meet', { table: rate }, meet()).to('out', out('out'));
    });
    expect(check(written).map(({ where, message }) => [where, message])).toEqual([
      ['copy', '"euro" is a global table, and every task would write it'],
      ['by-key', '"rate" is a global table, and every task would write it'],
    ]);
  });

  it('are not enough: some source must say how many tasks there are', () => {
    const alone = topology('alone', { deadLetters }, (t) => {
      t.source('rates', rates)
        .via('rate', table({ keysMax: 10 }))
        .to('out', out('out'));
    });
    expect(check(alone).map(({ message }) => message)).toContain('all its sources are global');
  });

  it('have a position for each partition in each task; a plan shows the lowest', () => {
    const shop = topology('shop', { deadLetters }, (t) => {
      const rate = t.source('rates', rates).via('rate', table({ keysMax: 10 }));
      t.source('orders', orders).via('meet', { table: rate }, meet()).to('out', out('out'));
    });
    const taskOf = (partition: number, positions: Record<string, number>): PlannedTask => ({
      partition,
      state: [],
      topics: { rates: 'rates', orders: 'orders' },
      checkpoint: {
        epoch: 1,
        incarnation: 0,
        topologyHash: '',
        settledDecisions: {},
        positions: Object.fromEntries(
          Object.entries(positions).map(([key, offset]) => [key, { offset, mergeTimeMs: 0 }]),
        ),
      },
    });
    const tasks = [
      taskOf(0, { 'rates/0': 9, 'rates/1': 4, orders: 5 }),
      taskOf(1, { 'rates/0': 7, 'rates/1': 6, orders: 50, 'gone/3': 1 }),
    ];
    expect(planState(shop, tasks).sources).toEqual([
      {
        source: 'rates',
        topic: 'rates',
        action: 'continues',
        offsets: { 0: 7, 1: 4 },
        note: 'read whole by every task',
      },
      { source: 'orders', topic: 'orders', action: 'continues', offsets: { 0: 5, 1: 50 }, note: '' },
      expect.objectContaining({ source: 'gone', action: 'kept' }),
    ]);
    // One that was read by partitions before begins anew as a whole: its old position is not a task's only one.
    const before = taskOf(0, { rates: 3, orders: 5 });
    expect(planState(shop, [before]).sources[0]).toMatchObject({ source: 'rates', action: 'new' });
  });
});
