import { describe, expect, it } from 'vitest';
import { definition } from '../../../connectors/redis/definition.js';
import { redis } from '../../../connectors/redis/index.js';
import { structureOf } from '../../../connectors/redis/structures.js';
import { type Change, hours, type Sink } from '../../../src/core/index.js';

it('redis.hashSink is inert frozen data', () => {
  const sink: Sink<{ id: number }> = redis.hashSink({ key: (v) => `v:${v.id}`, ttl: hours(6) });
  expect(sink).toMatchObject({ connector: 'redis', kind: 'redis.hashSink', settings: { ttl: '6h' } });
  expect(Object.isFrozen(sink)).toBe(true);
  const { key, ttl } = sink.options as { key(value: unknown): string; ttl: number };
  expect(key({ id: 7 })).toBe('v:7');
  expect(ttl).toBe(21_600_000);
});

it('redis.upsertSink is inert frozen data that takes changes only', () => {
  const sink: Sink<Change<{ id: number }>> = redis.upsertSink({ prefix: 'v:' });
  expect(sink).toMatchObject({
    connector: 'redis',
    kind: 'redis.upsertSink',
    changes: true,
    settings: { prefix: 'v:' },
  });
  expect(Object.isFrozen(sink.options)).toBe(true);
  const { key, content, ttl } = sink.options as {
    key(value: unknown): string;
    content(value: unknown): unknown;
    ttl: unknown;
  };
  const change = { key: '7', before: null, after: { id: 7 } };
  expect([key(change), content(change), ttl]).toEqual(['v:7', { id: 7 }, undefined]);
  // @ts-expect-error a value is no change
  const plain: Sink<{ id: number }> = redis.upsertSink<{ id: number }>({ prefix: 'v:' });
  expect(plain.kind).toBe('redis.upsertSink');
});

describe('every sink', () => {
  interface Value {
    readonly id: string;
  }
  const key = (value: Value) => value.id;
  const sinks: readonly Sink<Value>[] = [
    redis.hashSink({ key, ttl: hours(6) }),
    redis.stringSink({ key }),
    redis.jsonSink({ key, ttl: hours(6) }),
    redis.streamSink({ stream: 'events', entriesMax: 10 }),
    redis.sortedSetSink({ key: 'ranking', member: key, score: () => 1, sizeMax: 3 }),
    redis.setSink({ key: 'members', member: key }),
    redis.counterSink({ key }),
    redis.publishSink({ channel: 'live' }),
  ];

  it.each(sinks)('$kind is inert frozen data of a kind that is declared', (sink) => {
    expect(sink).toMatchObject({ connector: 'redis', problems: [] });
    expect([sink, sink.options, sink.settings].every(Object.isFrozen)).toBe(true);
    expect(Object.values(definition.kinds)).toContain(sink.definition);
  });

  it('shows what can be shown, and says what is wrong', () => {
    expect(redis.sortedSetSink<Value>({ key: 'ranking', member: key, score: () => 1, sizeMax: 3 }).settings).toEqual({
      key: 'ranking',
      sizeMax: 3,
    });
    expect(redis.streamSink<Value>({ stream: '', entriesMax: 0 }).problems).toMatchObject([
      { message: 'stream is of type string', hint: 'give text or (value) => string' },
      { message: 'entriesMax is 0', hint: 'give whole number from 1' },
    ]);
  });

  it('takes callbacks of its stream alone', () => {
    // @ts-expect-error a number is no key
    redis.stringSink<Value>({ key: () => 7 });
    // @ts-expect-error there is no such property
    redis.counterSink<Value>({ key: (value) => value.name });
    expect(redis.jsonSink<Value>({ key }).kind).toBe('redis.jsonSink');
  });
});

describe('what Redis could not take', () => {
  const unrepresentable = <T>(sink: Sink<T>, values: readonly T[]) =>
    values.map((value) => structureOf(sink.kind, sink.options)?.unrepresentable?.(value));
  interface Points {
    readonly n: number | null;
  }

  it('is named by the kinds that can tell', () => {
    const key = 'k';
    const n = (value: Points) => value.n as number;
    const values: readonly Points[] = [{ n: 1 }, { n: 0.5 }, { n: Number.NaN }, { n: null }, { n: 2 ** 60 }];
    expect(unrepresentable(redis.counterSink({ key, by: n }), values)).toEqual([
      undefined,
      '`by` gives 0.5, not a whole number',
      '`by` gives NaN, not a whole number',
      '`by` gives something of type object, not a whole number',
      '`by` gives 1152921504606847000, not a whole number',
    ]);
    expect(unrepresentable(redis.counterSink({ key, by: n, fractions: true }), values).filter(Boolean)).toHaveLength(2);
    expect(unrepresentable(redis.sortedSetSink({ key, member: String, score: n }), values).filter(Boolean)).toEqual([
      '`score` gives NaN, not a number or null',
    ]);
    expect(unrepresentable(redis.streamSink<Points>({ stream: 's', entriesMax: 1 }), values).filter(Boolean)).toEqual([
      'an entry needs a field',
    ]);
    expect(
      unrepresentable(redis.stringSink<Points>({ key: () => key, value: (v) => v.n as never }), values).filter(Boolean),
    ).toHaveLength(4);
    expect(unrepresentable(redis.hashSink<Points>({ key: () => key, ttl: hours(1) }), values).filter(Boolean)).toEqual(
      [],
    );
  });
});
