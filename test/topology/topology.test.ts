import { describe, expect, it } from 'vitest';
import { isTopology, topology } from '../../src/topology/index.js';
import { deadLetters, keepAll, orders, topicSink, topicSource } from './fixtures.js';

describe('topology', () => {
  it('records sources, steps and sinks in the order declared, with their wires', () => {
    expect(orders.sources.map(({ id }) => id)).toEqual(['refunds', 'orders']);
    expect(orders.steps.map(({ id, inputs }) => [id, inputs.map(({ from }) => from)])).toEqual([
      ['dedupe', ['orders']],
      ['with-refunds', ['dedupe', 'refunds']],
      ['checked', ['with-refunds']],
      ['size', ['checked']],
    ]);
    expect(orders.sinks.map(({ id, input }) => [id, input])).toEqual([
      ['large-orders', { from: 'size', output: 0 }],
      ['history', { from: 'size', output: 1 }],
    ]);
  });

  it('is frozen: nodes and lists', () => {
    for (const list of [orders.sources, orders.steps, orders.sinks]) {
      expect(Object.isFrozen(list)).toBe(true);
      for (const node of list) expect(Object.isFrozen(node)).toBe(true);
    }
    for (const { inputs } of orders.steps) expect(Object.isFrozen(inputs)).toBe(true);
    expect(Object.isFrozen(orders)).toBe(true);
  });

  it('opens nothing while it is built', () => {
    const explosive = { ...keepAll(), shape: { shape: 'transform' as const, open: () => expect.fail('opened') } };
    topology('inert', { deadLetters }, (t) => {
      t.source('in', topicSource('in.v1')).via('step', explosive).to('out', topicSink('out.v1'));
    });
  });

  it('is told from other exports of a file', () => {
    expect(isTopology(orders)).toBe(true);
    for (const other of [null, undefined, 'orders', 7, {}, [], () => orders, { steps: [] }]) {
      expect(isTopology(other)).toBe(false);
    }
  });
});
