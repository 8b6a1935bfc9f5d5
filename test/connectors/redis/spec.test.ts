import { expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { type Change, hours, type Sink } from '../../../src/core/index.js';

it('redis.hash is inert frozen data', () => {
  const sink: Sink<{ id: number }> = redis.hash({ key: (v) => `v:${v.id}`, ttl: hours(6) });
  expect(sink).toMatchObject({ connector: 'redis', kind: 'redis.hash', settings: { ttl: '6h' } });
  expect(Object.isFrozen(sink)).toBe(true);
  const { key, ttl } = sink.options as { key(value: unknown): string; ttl: number };
  expect(key({ id: 7 })).toBe('v:7');
  expect(ttl).toBe(21_600_000);
});

it('redis.upserts is inert frozen data that takes changes only', () => {
  const sink: Sink<Change<{ id: number }>> = redis.upserts({ prefix: 'v:' });
  expect(sink).toMatchObject({ connector: 'redis', kind: 'redis.upserts', changes: true, settings: { prefix: 'v:' } });
  expect(Object.isFrozen(sink.options)).toBe(true);
  const { key, content, ttl } = sink.options as {
    key(value: unknown): string;
    content(value: unknown): unknown;
    ttl: unknown;
  };
  const change = { key: '7', before: null, after: { id: 7 } };
  expect([key(change), content(change), ttl]).toEqual(['v:7', { id: 7 }, undefined]);
  // @ts-expect-error a value is no change
  const plain: Sink<{ id: number }> = redis.upserts<{ id: number }>({ prefix: 'v:' });
  expect(plain.kind).toBe('redis.upserts');
});
