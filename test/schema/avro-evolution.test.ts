import { describe, expect, it } from 'vitest';
import { localRegistry } from '../../src/schema/index.js';
import { open, raw, reasonOfResolved, record, resolved } from './avro-codecs.js';
import { reasonOf } from './reason-of.js';

describe('avro evolution', () => {
  it('promotes numbers and texts', async () => {
    expect(await resolved('int', 'long', 5)).toBe(5);
    expect(await resolved('int', 'long', 5, { long: 'bigint' })).toBe(5n);
    expect(await resolved('int', 'double', -5)).toBe(-5);
    expect(await resolved('long', 'float', 2 ** 40)).toBe(2 ** 40);
    expect(await resolved('float', 'double', 0.5)).toBe(0.5);
    expect(await resolved('string', 'bytes', 'é')).toEqual(Buffer.from('é'));
    expect(await resolved('bytes', 'string', Buffer.from('é'))).toBe('é');
    for (const [writer, reader, value] of [
      ['long', 'int', 5],
      ['double', 'float', 5],
      ['string', 'int', ''],
      ['boolean', 'int', true],
    ] as const) {
      expect(await reasonOfResolved(writer, reader, value)).toBe('schema-incompatible');
    }
  });

  it('finds fields and records by alias, in any order, and fills in defaults anew each time', async () => {
    const writer = record([
      { name: 'a', type: 'int' },
      { name: 'dropped', type: { type: 'map', values: 'string' } },
      { name: 'old', type: 'string' },
    ]);
    const reader = record(
      [
        { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
        { name: 'name', aliases: ['old'], type: 'string' },
        { name: 'bytes', type: 'bytes', default: '\u00ff' },
        { name: 'inner', type: record([{ name: 'x', type: 'int', default: 3 }], { name: 'Inner' }), default: {} },
        { name: 'a', type: 'long' },
      ],
      { name: 'Renamed', namespace: 'elsewhere', aliases: ['old.Event'] },
    );
    const registry = localRegistry();
    const bytes = (await open(writer, {}, registry)).encode({ a: 1, dropped: { k: 'v' }, old: 'n' });
    const codec = await open(reader, {}, registry);
    await codec.prepare([raw(bytes)]);
    const first = codec.decode(bytes) as { tags: string[] };
    expect(first).toEqual({ tags: [], name: 'n', bytes: Buffer.of(255), inner: { x: 3 }, a: 1 });
    first.tags.push('changed');
    expect(codec.decode(bytes)).toMatchObject({ tags: [] });
    expect(await reasonOfResolved(reader, writer, { ...first, tags: [] })).toBe('schema-incompatible');
  });

  it('resolves unions on either side, and fails only for the branches that do not fit', async () => {
    expect(await resolved('string', ['null', 'string'], 'x')).toBe('x');
    expect(await resolved(['null', 'string'], 'string', 'x')).toBe('x');
    expect(await reasonOfResolved(['null', 'string'], 'string', null)).toBe('schema-incompatible');
    expect(await resolved('int', ['null', 'long', 'double'], 1)).toEqual({ long: 1 });
    expect(await resolved(['int', 'string'], ['string', 'long'], 7)).toBe(7);
    expect(await resolved(['null', 'int', 'string'], ['string', 'null', 'int'], 'x')).toBe('x');
    expect(await reasonOfResolved(['null', 'int'], 'string', null)).toBe('schema-incompatible');
  });

  it('resolves enums by symbol, with a default for those that are new', async () => {
    const kind = (symbols: string[], fallback?: string) => ({
      type: 'enum',
      name: 'Kind',
      symbols,
      ...(fallback ? { default: fallback } : {}),
    });
    expect(await resolved(kind(['A', 'B']), kind(['B', 'A']), 'A')).toBe('A');
    expect(await resolved(kind(['A', 'B']), kind(['A'], 'A'), 'B')).toBe('A');
    expect(await reasonOfResolved(kind(['A', 'B']), kind(['A']), 'B')).toBe('schema-incompatible');
  });

  it('never takes microseconds for milliseconds, nor one scale for another', async () => {
    const time = (unit: string) => ({ type: 'long', logicalType: `timestamp-${unit}` });
    const decimal = (scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision: 9, scale });
    expect(await reasonOfResolved(time('micros'), time('millis'), 1)).toBe('schema-incompatible');
    expect(await reasonOfResolved(decimal(2), decimal(3), '1')).toBe('schema-incompatible');
    await expect(resolved({ type: 'int', logicalType: 'date' }, time('millis'), 1)).rejects.toThrow(
      "the writer's date is not timestamp-millis",
    );
    expect(await resolved('long', time('millis'), 1, { timestamp: 'date' })).toEqual(new Date(1));
  });

  it('resolves records that contain themselves', async () => {
    const list = (more: object[]) => record([{ name: 'next', type: ['null', 'Event'], default: null }, ...more]);
    const value = { next: { next: null, gone: 1 }, gone: 2 };
    expect(
      await resolved(list([{ name: 'gone', type: 'int' }]), list([{ name: 'new', type: 'int', default: 9 }]), value),
    ).toEqual({
      next: { next: null, new: 9 },
      new: 9,
    });
  });
});

describe('avro records that hold each other', () => {
  const holding = (x: string) => ({
    ...record([
      { name: 'b', type: { type: 'record', name: 'B', fields: [{ name: 'a', type: ['null', 'Event'] }] } },
      { name: 'x', type: x },
    ]),
  });

  it('fail where they meet one that cannot be read, and are read where they do not', async () => {
    const registry = localRegistry();
    const writer = await open([holding('int'), 'B'], {}, registry);
    const reader = await open([holding('string'), 'B'], {}, registry);
    const [without, within] = [
      writer.encode({ B: { a: null } }),
      writer.encode({ B: { a: { b: { a: null }, x: 5 } } }),
    ];
    await reader.prepare([raw(without), raw(within)]);
    expect(reader.decode(without)).toEqual({ B: { a: null } });
    expect(reasonOf(() => reader.decode(within))).toBe('schema-incompatible');
  });

  it('are resolved once each, however many lead to one that cannot be read', async () => {
    const link = (depth: number, x: string): unknown =>
      depth === 0
        ? { type: 'record', name: 'R0', fields: [{ name: 'x', type: x }] }
        : {
            type: 'record',
            name: `R${depth}`,
            fields: [
              { name: 'a', type: ['null', link(depth - 1, x)] },
              { name: 'b', type: ['null', `R${depth - 1}`] },
              { name: 'x', type: x },
            ],
          };
    const started = performance.now();
    expect(await reasonOfResolved(link(25, 'int'), link(25, 'string'), { a: null, b: null, x: 1 })).toBe(
      'schema-incompatible',
    );
    expect(performance.now() - started).toBeLessThan(5_000); // one after another they would take hours
  });

  it('fills in defaults of every type, of a union by its first branch', async () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 };
    const kind = { type: 'enum', name: 'Kind', symbols: ['A', 'B'] };
    const inner = record(
      [
        { name: 'x', type: 'int', default: 3 },
        { name: 'y', type: 'int', default: 4 },
      ],
      { name: 'Inner' },
    );
    const defaults: readonly (readonly [type: unknown, json: unknown, value: unknown, values?: object])[] = [
      ['boolean', true, true],
      ['int', 5, 5],
      ['long', 5, 5],
      ['long', 5, 5n, { long: 'bigint' }],
      ['double', 0.5, 0.5],
      ['string', 'text', 'text'],
      ['bytes', '\u0000\u00ff', Buffer.of(0, 255)],
      [{ type: 'fixed', name: 'F', size: 2 }, 'ab', Buffer.from('ab')],
      [decimal, '\u0001\u0000', '2.56'],
      [kind, 'B', 'B'],
      [{ type: 'array', items: decimal }, ['\u0001'], ['0.01']],
      [{ type: 'map', values: 'bytes' }, { k: 'a' }, { k: Buffer.from('a') }],
      [inner, { x: 7 }, { x: 7, y: 4 }],
      [{ type: 'long', logicalType: 'timestamp-millis' }, 5, 5],
      [{ type: 'long', logicalType: 'timestamp-millis' }, 5, 5, { long: 'bigint' }],
      [{ type: 'long', logicalType: 'timestamp-millis' }, 5, new Date(5), { timestamp: 'date' }],
      [{ type: 'long', logicalType: 'timestamp-micros' }, -1, new Date(-1), { timestamp: 'date' }],
      [{ type: 'int', logicalType: 'date' }, 2, new Date(2 * 86_400_000), { timestamp: 'date' }],
      [{ type: 'int', logicalType: 'time-millis' }, 2, 2, { timestamp: 'date' }],
      [['null', 'string'], null, null],
      [['int', 'double'], 5, { int: 5 }],
      [['int', 'long'], 5, { int: 5 }],
      [[inner, 'null'], { x: 7 }, { x: 7, y: 4 }],
      [['string', 'null'], 'A', 'A'],
      [['string', kind], 'A', { string: 'A' }],
      [[kind, 'string'], 'A', { Kind: 'A' }],
    ];
    for (const [type, json, value, values = {}] of defaults) {
      const reader = record([{ name: 'd', type, default: json }]);
      const writer = record([]);
      expect([type, await resolved(writer, reader, {}, values)]).toEqual([type, { d: value }]);
    }
  });
});
