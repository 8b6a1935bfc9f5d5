import { describe, expect, it } from 'vitest';
import { redis } from '../../../connectors/redis/index.js';
import { type Entry, isAfter, recordOf } from '../../../connectors/redis/stream/entry.js';
import { stateOf } from '../../../connectors/redis/stream/stream-state.js';
import { avro, json } from '../../../src/schema/index.js';

describe('isAfter', () => {
  it('orders ids by time, then number, beyond what a double holds', () => {
    const ids = [
      '0-0',
      '0-1',
      '1-0',
      '9-10',
      '10-9',
      '18446744073709551614-18446744073709551614',
      '18446744073709551614-18446744073709551615',
      '18446744073709551615-0',
    ];
    for (const [i, id] of ids.entries()) {
      for (const [j, other] of ids.entries()) expect([id, other, isAfter(id, other)]).toEqual([id, other, i > j]);
    }
  });
});

describe('recordOf', () => {
  const entry = (...fields: string[]): Entry => [Buffer.from('7-1'), fields.map((field) => Buffer.from(field))];
  const options = { stream: 's', partitions: undefined, field: undefined, keyField: undefined };

  it('makes JSON of all fields, of one name the last', () => {
    const record = recordOf(entry('a', '1', 'b', 'ü', 'a', '2', '__proto__', 'x'), 3, options);
    expect(record).toMatchObject({ offset: 3, timestampMs: 7, key: null });
    expect(String(record.value)).toBe('{"a":"2","b":"ü","__proto__":"x"}');
  });

  it('takes the payload and the key out, and the others as headers', () => {
    const named = { ...options, field: 'payload', keyField: 'k' };
    expect(recordOf(entry('k', 'K', 'payload', 'P', 'trace', '1', 'trace', '2'), 0, named)).toEqual({
      offset: 0,
      timestampMs: 7,
      key: Buffer.from('K'),
      value: Buffer.from('P'),
      headers: [
        ['trace', Buffer.from('1')],
        ['trace', Buffer.from('2')],
      ],
    });
    expect(recordOf(entry('k', 'K'), 0, named)).toEqual({
      offset: 0,
      timestampMs: 7,
      key: Buffer.from('K'),
      value: null,
    });
    expect(recordOf(entry('k', 'K'), 0, { ...named, field: 'k' })).toMatchObject({ value: Buffer.from('K') });
  });
});

describe('stateOf', () => {
  it('takes a stream that is not there for empty, and refuses a server that does not count', () => {
    expect(stateOf(new Error('ERR no such key'), 's')).toMatchObject({ added: 0, length: 0, lastId: '0-0' });
    expect(() => stateOf(new Error('WRONGTYPE no'), 's')).toThrow('WRONGTYPE');
    expect(() => stateOf(['length', 3, 'last-generated-id', '3-0'], 's')).toThrowError(
      expect.objectContaining({ code: 'config', hint: expect.stringContaining('Redis 7') }),
    );
  });
});

describe('redis.streamSource', () => {
  it('is inert frozen data', () => {
    const source = redis.streamSource({
      stream: 'orders',
      partitions: 3,
      schema: json<{ at: number }>(),
      onDataLoss: 'latest',
    });
    expect(source).toMatchObject({
      connector: 'redis',
      kind: 'redis.streamSource',
      topic: 'orders',
      onDataLoss: 'latest',
      problems: [],
    });
    expect(source.settings).toEqual({ partitions: 3, onDataLoss: 'latest', eventTime: 'timestamp' });
    expect(source.eventTimeOf({ at: 5 }, 9)).toBe(9);
    expect([source, source.options, source.settings].every(Object.isFrozen)).toBe(true);
  });

  it('has from 1 to 10,000 partitions', () => {
    const problems = (partitions: number) =>
      redis.streamSource({ stream: 's', partitions, schema: json<unknown>() }).problems?.map(({ message }) => message);
    expect([1, 10_000].flatMap(problems)).toEqual([]);
    expect([0, 10_001, 1.5].map(problems)).toEqual([0, 10_001, 1.5].map((n) => [`partitions is ${n}`]));
  });

  it('says that fields without a payload are JSON', () => {
    const schema = avro<{ n: number }>({ subject: 'n', definition: '{"type":"record","name":"N","fields":[]}' });
    expect(redis.streamSource({ stream: 's', schema }).problems).toMatchObject([
      { message: expect.stringContaining('JSON') },
    ]);
    expect(redis.streamSource({ stream: 's', schema, field: 'payload' }).problems).toEqual([]);
  });
});
