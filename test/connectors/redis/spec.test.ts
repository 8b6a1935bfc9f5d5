import { expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { hours, type Sink } from '../../../src/core/index.js';

it('redis.hash is inert frozen data', () => {
  const sink: Sink<{ id: number }> = redis.hash({ key: (v) => `v:${v.id}`, ttl: hours(6) });
  expect(sink).toMatchObject({ connector: 'redis', kind: 'redis.hash', settings: { ttl: '6h' } });
  expect(Object.isFrozen(sink)).toBe(true);
  const { key, ttl } = sink.options as { key(value: unknown): string; ttl: number };
  expect(key({ id: 7 })).toBe('v:7');
  expect(ttl).toBe(21_600_000);
});
