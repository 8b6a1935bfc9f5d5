import { expect, it } from 'vitest';
import { check, downstreamOf, upstreamOf } from '../../src/topology/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';

it('takes what a node needs, and nothing else', () => {
  const part = upstreamOf(flightDelays, ['arrivals'], 'arrivals-only');
  expect(part).toMatchObject({ name: 'arrivals-only', deadLetters: flightDelays.deadLetters });
  const ids = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => id);
  expect([ids(part.sources), ids(part.steps), ids(part.sinks)]).toEqual([
    ['arrived'],
    ['dedupe-arrived', 'validate-arrived'],
    ['arrivals'],
  ]);
  expect(check(part)).toEqual([]);
});

it('takes side inputs too', () => {
  const part = upstreamOf(flightDelays, ['features'], 'features');
  expect(part.sources).toEqual(flightDelays.sources);
  expect(part.steps.map(({ id }) => id)).not.toContain('delay-model');
});

it('finds all that a node reaches', () => {
  expect([...downstreamOf(flightDelays, 'risk')].sort()).toEqual(['history', 'online', 'prediction', 'predictions']);
  expect(downstreamOf(flightDelays, 'history').size).toBe(0);
});
