import { describe, expect, it } from 'vitest';
import type { RegistryFormat, SchemaText } from '../../src/core/schema.js';
import { compareSchemas } from '../../src/schema/compare/index.js';
import { avro, DecodeFailure, localRegistry, openCodec } from '../../src/schema/index.js';

const as =
  (format: RegistryFormat) =>
  (text: string | object): SchemaText => ({
    format,
    text: typeof text === 'string' ? text : JSON.stringify(text),
    references: [],
  });
const [anAvro, aProto, aJson] = [as('avro'), as('protobuf'), as('json-schema')];
const verdict = (before: SchemaText, after: SchemaText) => {
  const { backward, forward } = compareSchemas(before, after);
  return [backward.length === 0, forward.length === 0];
};

const record = (...fields: object[]) => ({ type: 'record', name: 'E', fields });
const x = (type: unknown, more: object = {}) => ({ name: 'x', type, ...more });
const kind = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'K', symbols, ...more });

/** Writer, a value of it, reader: what the comparison says is what happens to a payload. */
const pairs: readonly (readonly [string, unknown, unknown, unknown])[] = [
  ['the same', record(x('int')), { x: 1 }, record(x('int'))],
  ['promotion', record(x('int')), { x: 1 }, record(x('double'))],
  ['demotion', record(x('long')), { x: 1 }, record(x('int'))],
  [
    'a field more, with a default',
    record(x('int')),
    { x: 1 },
    record(x('int'), { name: 'y', type: 'int', default: 0 }),
  ],
  ['a field more, without one', record(x('int')), { x: 1 }, record(x('int'), { name: 'y', type: 'int' })],
  ['a field less', record(x('int'), { name: 'y', type: 'int' }), { x: 1, y: 1 }, record(x('int'))],
  ['an alias', record({ name: 'old', type: 'int' }), { old: 1 }, record(x('int', { aliases: ['old'] }))],
  ['into a union', record(x('int')), { x: 1 }, record(x(['null', 'int']))],
  ['out of a union', record(x(['null', 'int'])), { x: null }, record(x('int'))],
  ['a branch less', record(x(['null', 'int', 'string'])), { x: 's' }, record(x(['null', 'int']))],
  ['a symbol more', record(x(kind(['A']))), { x: 'A' }, record(x(kind(['A', 'B'])))],
  ['a symbol less', record(x(kind(['A', 'B']))), { x: 'B' }, record(x(kind(['A'])))],
  ['a symbol less, with a default', record(x(kind(['A', 'B']))), { x: 'B' }, record(x(kind(['A'], { default: 'A' })))],
  [
    'another unit',
    x({ type: 'long', logicalType: 'timestamp-millis' }).type,
    1,
    { type: 'long', logicalType: 'timestamp-micros' },
  ],
  ['items', { type: 'array', items: 'string' }, ['s'], { type: 'array', items: 'int' }],
  ['another name', record(x('int')), { x: 1 }, { ...record(x('int')), name: 'F' }],
  ['another name with an alias', record(x('int')), { x: 1 }, { ...record(x('int')), name: 'F', aliases: ['E'] }],
];

describe('two versions of an Avro schema', () => {
  it.each(pairs)('%s: can be read where the comparison says so', async (_name, writer, value, reader) => {
    const [before, after] = [anAvro(JSON.stringify(writer)), anAvro(JSON.stringify(reader))];
    const registry = localRegistry();
    const open = (text: string) => openCodec(avro<unknown>({ subject: 's', definition: text }), registry);
    const bytes = (await open(before.text)).encode(value);
    const codec = await open(after.text);
    await codec.prepare([{ offset: 0, timestampMs: 0, key: null, value: bytes }]);
    let readable = true;
    try {
      codec.decode(bytes);
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      readable = false;
    }
    expect(compareSchemas(before, after).backward.length === 0).toBe(readable);
    expect(compareSchemas(after, before).forward).toEqual(compareSchemas(before, after).backward);
  });

  it('are told apart field by field, records that contain themselves included', () => {
    const list = (...fields: object[]) => record({ name: 'next', type: ['null', 'E'], default: null }, ...fields);
    const { changes, backward, forward } = compareSchemas(
      anAvro(list({ name: 'old', type: 'string' }, x('int'))),
      anAvro(list(x('long'), { name: 'new', type: { type: 'array', items: 'string' } })),
    );
    expect(changes).toEqual([
      { kind: 'removed', path: 'old', was: 'string', is: undefined },
      { kind: 'changed', path: 'x', was: 'int', is: 'long' },
      { kind: 'added', path: 'new', was: undefined, is: 'array of string' },
      { kind: 'added', path: 'new[]', was: undefined, is: 'string' },
    ]);
    expect(backward).toEqual(['new: it is not written, and has no default']);
    expect(forward).toEqual([
      'old: it is not written, and has no default',
      "x: the writer's long cannot be read as int",
    ]);
  });
});

describe('two versions of a Protobuf file', () => {
  const file = (fields: string) =>
    aProto(`syntax = "proto3"; package a; message M { ${fields} } message N { int32 n = 1; }`);
  it.each([
    ['int32 x = 1;', 'int64 x = 1;', true],
    ['int32 x = 1;', 'int32 renamed = 1;', true],
    ['int32 x = 1;', 'sint32 x = 1;', false],
    ['string x = 1;', 'bytes x = 1;', true],
    ['int32 x = 1;', 'string y = 2;', true],
    ['N x = 1;', 'string x = 1;', false],
    ['map<string, int32> x = 1;', 'map<string, int32> x = 1; int32 y = 2;', true],
    ['map<string, int32> x = 1;', 'map<int32, int32> x = 1;', false],
  ])('%s to %s', (before, after, readable) => {
    expect(verdict(file(before), file(after))).toEqual([readable, readable]);
  });

  it('may turn one into many, not many into one, and must keep their messages', () => {
    expect(verdict(file('string x = 1;'), file('repeated string x = 1;'))).toEqual([true, false]);
    const { backward } = compareSchemas(file('int32 x = 1;'), aProto('syntax = "proto3"; package a; message N {}'));
    expect(backward).toEqual(['a.M: the message is gone']);
  });
});

describe('two versions of a JSON schema', () => {
  const object = (properties: object, more: object = {}) => aJson({ type: 'object', properties, ...more });
  const number = { type: 'number' };
  it.each([
    ['an optional property more', object({}), object({ a: number }), [true, true]],
    ['a required property more', object({ a: number }), object({ a: number }, { required: ['a'] }), [false, true]],
    ['a wider type', object({ a: { type: 'integer' } }), object({ a: number }), [true, false]],
    ['a type more', object({ a: number }), object({ a: { type: ['number', 'null'] } }), [true, false]],
    [
      'a stricter limit',
      object({ a: { ...number, maximum: 9 } }),
      object({ a: { ...number, maximum: 5 } }),
      [false, true],
    ],
    ['a value more', object({ a: { enum: [1] } }), object({ a: { enum: [1, 2] } }), [true, false]],
    ['closed', object({ a: number }), object({ a: number }, { additionalProperties: false }), [false, true]],
    [
      'a property less in a closed one',
      object({ a: number, b: number }, { additionalProperties: false }),
      object({ a: number }, { additionalProperties: false }),
      [false, true],
    ],
    ['items', aJson({ items: number }), aJson({ items: { type: 'string' } }), [false, false]],
  ])('%s', (_name, before, after, expected) => {
    expect(verdict(before, after)).toEqual(expected);
  });

  it('follows references, into themselves too', () => {
    const tree = (leaf: object) =>
      aJson({
        $ref: '#/$defs/node',
        $defs: { node: { type: 'object', properties: { leaf, next: { $ref: '#/$defs/node' } } } },
      });
    expect(compareSchemas(tree(number), tree({ type: 'string' })).backward).toEqual([
      'leaf: number may be written, and string is read',
    ]);
  });

  it('of different formats cannot be compared', () => {
    expect(() => compareSchemas(anAvro('"int"'), object({}))).toThrow(/cannot be compared/);
  });
});
