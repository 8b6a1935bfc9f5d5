import { describe, expect, it } from 'vitest';
import { topology, topologyHash } from '../../src/topology/index.js';
import { deadLetters, type Order, orders, seenOnce, topicSink, topicSource } from './fixtures.js';

const hashOf = ({
  name = 'orders',
  topic = 'orders.v1',
  step = 'dedupe',
  operator = seenOnce(),
  twice = false,
}: {
  name?: string;
  topic?: string;
  step?: string;
  operator?: ReturnType<typeof seenOnce>;
  twice?: boolean;
} = {}) =>
  topologyHash(
    topology(name, { deadLetters }, (t) => {
      const deduped = t.source('orders', topicSource<Order>(topic)).via(step, operator);
      deduped.to('out', topicSink('out.v1'));
      if (twice) deduped.to('copy', topicSink('copy.v1'));
    }),
  );

describe('topologyHash', () => {
  it('is pinned: a change of the algorithm would orphan what was stored under it', () => {
    expect(topologyHash(orders)).toMatchInlineSnapshot(`"98ce614bb2ea09d9"`);
  });

  it('is equal for what was built twice', () => {
    expect(hashOf()).toBe(hashOf());
  });

  it('changes with names, topics, wiring and the version of the state', () => {
    const hashes = [
      hashOf(),
      hashOf({ name: 'returns' }),
      hashOf({ topic: 'orders.v2' }),
      hashOf({ step: 'unique' }),
      hashOf({ operator: seenOnce(undefined, 2) }),
      hashOf({ twice: true }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('keeps through a change of settings: the state stays usable', () => {
    expect(hashOf({ operator: seenOnce({ retention: 1, keysMax: 5 }) })).toBe(hashOf());
  });
});
