import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Schema } from '../../src/core/schema.js';
import {
  bytes,
  csv,
  jsonSchema,
  localRegistry,
  ndjson,
  openCodec,
  openDecoder,
  subjects,
  text,
} from '../../src/schema/index.js';
import { reasonOf } from './reason-of.js';

const registry = localRegistry();

const readings = csv({
  columns: {
    sensor: 'text',
    at: 'date',
    celsius: 'number?',
    count: 'integer',
    serial: 'bigint',
    ok: 'boolean',
    note: 'text?',
  },
});

type SchemaValue<S> = S extends Schema<infer T> ? T : never;

describe('csv', () => {
  it('has the type of its columns', () => {
    expectTypeOf<SchemaValue<typeof readings>>().toEqualTypeOf<{
      readonly sensor: string;
      readonly at: Date;
      readonly celsius: number | null;
      readonly count: number;
      readonly serial: bigint;
      readonly ok: boolean;
      readonly note: string | null;
    }>();
  });

  it('gives back every row', async () => {
    const codec = await openCodec(readings, registry);
    const anyText = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', ';') });
    fc.assert(
      fc.property(
        fc.record({
          sensor: anyText,
          at: fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }),
          celsius: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)),
          count: fc.maxSafeInteger(),
          serial: fc.bigInt(),
          ok: fc.boolean(),
          note: fc.option(anyText),
        }),
        (row) => {
          expect(codec.decode(codec.encode(row))).toEqual(row);
        },
      ),
    );
  });

  it('has null where it is written as a word, unless that is quoted', async () => {
    const columns = { a: 'text', b: 'text?', c: 'number?' } as const;
    const codec = await openCodec(csv({ columns, nullLiteral: 'NA' }), registry);
    const read = (row: string) => codec.decode(Buffer.from(row));
    expect(read('NA,NA,NA')).toEqual({ a: 'NA', b: null, c: null });
    expect(read('x,"NA",')).toEqual({ a: 'x', b: 'NA', c: null });
    for (const row of [
      { a: 'NA', b: null, c: null },
      { a: '', b: 'NA', c: 1 },
    ])
      expect(read(Buffer.from(codec.encode(row)).toString())).toEqual(row);
    await expect(openCodec(csv({ columns, nullLiteral: 'N,A' }), registry)).rejects.toThrow(/nullLiteral/);
  });

  it('tells a header from a row', async () => {
    const codec = await openCodec(csv({ columns: { a: 'text', c: 'number' } }), registry);
    expect(() => codec.decode(Buffer.from('a,c'))).toThrow('column c: "c" is no number: if this line is a header');
    expect(() => codec.decode(Buffer.from('a,x'))).toThrow(/"x" is no number$/);
  });

  it('reads what others write', async () => {
    const codec = await openCodec(csv({ columns: { a: 'text', b: 'text?', c: 'integer?' }, delimiter: ';' }), registry);
    const read = (row: string) => codec.decode(Buffer.from(row));
    expect(read('x;;\r\n')).toEqual({ a: 'x', b: null, c: null });
    expect(read('"x;\n""y""";"";+7')).toEqual({ a: 'x;\n"y"', b: '', c: 7 });
    expect(Buffer.from(codec.encode({ a: '', b: '', c: null })).toString()).toBe(';"";');
    for (const wrong of [
      'x;y',
      'x;y;1;z',
      'x;y;1.5',
      '"x;y;1',
      '"x"y;;',
      'x"y;;',
      'x;y;9007199254740992',
      'x\ny;;',
      '',
    ]) {
      expect(
        reasonOf(() => read(wrong)),
        wrong,
      ).toBe('not-csv');
    }
    expect(reasonOf(() => codec.decode(Uint8Array.of(0xff)))).toBe('not-utf8');
    expect(() => codec.encode({ a: 'x', b: null, c: 1.5 })).toThrow(/column c: a number is no integer/);
    expect(() => read(`x;;${'y'.repeat(40)}`)).toThrow(`column c: "${'y'.repeat(40)}" is no integer`);
    expect(() => read(`x;;${'y'.repeat(41)}`)).toThrow(`column c: "${'y'.repeat(37)}..." is no integer`);
  });

  it('reads a number as JavaScript does, to the last bit', async () => {
    const codec = await openCodec(csv({ columns: { n: 'number' } }), registry);
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 20 });
    const decimal = fc
      .tuple(fc.constantFrom('', '-', '+'), digits, fc.constantFrom('', '.'), digits, fc.constantFrom('', 'e-7', 'E12'))
      .map((parts) => parts.join(''));
    const isNumber = (text: string) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
    fc.assert(
      fc.property(fc.oneof(decimal, fc.double({ noDefaultInfinity: true, noNaN: true }).map(String)), (text) => {
        if (isNumber(text)) expect(codec.decode(Buffer.from(text))).toEqual({ n: Number(text) });
        else expect(reasonOf(() => codec.decode(Buffer.from(text)))).toBe('not-csv');
      }),
      { numRuns: 2_000 },
    );
  });

  it('wants times with their zone, and numbers in full', async () => {
    const codec = await openCodec(csv({ columns: { at: 'date' } }), registry);
    expect(codec.decode(Buffer.from('2024-01-02T03:04:05+01:00'))).toEqual({ at: new Date('2024-01-02T02:04:05Z') });
    expect(codec.decode(Buffer.from('2024-02-29'))).toEqual({ at: new Date('2024-02-29') });
    const noDays = ['2024-02-30', '2023-02-29', '1900-02-29', '2024-04-31T10:00:00+02:00'];
    for (const wrong of ['2024-01-02T03:04:05', '1/2/2024', '2024-13-01', 'now', ...noDays]) {
      expect(reasonOf(() => codec.decode(Buffer.from(wrong)))).toBe('not-csv');
    }
    await expect(openCodec(csv({ columns: { a: 'time' as never } }), registry)).rejects.toThrow(/not a column type/);
    await expect(openCodec(csv({ columns: {} }), registry)).rejects.toThrow(/at least one column/);
  });
});

describe('text, bytes and ndjson', () => {
  it('are as they are', async () => {
    const lines = await openCodec(text(), registry);
    expect(lines.decode(lines.encode('é\ufffd'))).toBe('é\ufffd');
    expect(reasonOf(() => lines.decode(Uint8Array.of(0x41, 0xc3)))).toBe('not-utf8');
    expect(() => lines.encode(5 as never)).toThrow(/not a string/);
    const blobs = await openCodec(bytes({ bytesMax: 4 }), registry);
    expect(blobs.decode(blobs.encode(Uint8Array.of(0, 255)))).toEqual(Uint8Array.of(0, 255));
    expect(reasonOf(() => blobs.decode(new Uint8Array(5)))).toBe('too-large');
    expect(() => blobs.encode('x' as never)).toThrow(/Uint8Array/);
    const rows = await openCodec(ndjson<unknown>(), registry);
    expect(Buffer.from(rows.encode({ a: 1 })).toString()).toBe('{"a":1}\n');
    expect(rows.decode(Buffer.from('{"a":1}\r\n'))).toEqual({ a: 1 });
    expect(reasonOf(() => rows.decode(Buffer.from('{"a":1}\n{"a":2}\n')))).toBe('not-json');
    expect(() => rows.encode({ a: 1n })).toThrow(/has no JSON/);
    expect(Buffer.from(rows.encode({ a: new Map([['b', 1]]) })).toString()).toBe('{"a":{"b":1}}\n');
    expect(() => rows.encode({ a: new Set([1]) })).toThrow(/has no JSON/);
  });
});

interface Payment {
  readonly id: string;
  readonly cents: number;
  readonly method?: string;
}

const payment = (draft?: string) => ({
  ...(draft === undefined ? {} : { $schema: draft }),
  title: 'Payment',
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    cents: { type: 'integer', minimum: 0 },
    method: { type: 'string', default: 'card' },
  },
  required: ['id', 'cents'],
  additionalProperties: false,
});

const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

describe('json schema', () => {
  const open = (definition: unknown) =>
    openCodec(jsonSchema<Payment>({ subject: 'p-value', definition: JSON.stringify(definition) }), registry);

  it.each([
    undefined,
    'http://json-schema.org/draft-06/schema#',
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://json-schema.org/draft/2020-12/schema',
  ])('validates what is read and written: %s', async (draft) => {
    const codec = await open(payment(draft));
    const written = codec.encode({ id, cents: 5 });
    expect(written[0]).toBe(0);
    expect(codec.decode(written)).toEqual({ id, cents: 5, method: 'card' });
    const given = { id, cents: 5 };
    codec.encode(given);
    expect(given).toEqual({ id, cents: 5 }); // defaults are for readers
    const head = Buffer.from(written).subarray(0, 5);
    const read = (value: unknown) => codec.decode(Buffer.concat([head, Buffer.from(JSON.stringify(value))]));
    for (const wrong of [{ id }, { id: 'x', cents: 1 }, { id, cents: 1.5 }, { id, cents: 1, more: 1 }, 5, null]) {
      expect(reasonOf(() => read(wrong))).toBe('schema-violation');
    }
    expect(() => read({ id, cents: -1 })).toThrow('/cents must be >= 0');
    expect(() => codec.encode({ id, cents: -1 })).toThrow(/does not fit schema p-value: \/cents must be >= 0/);
    expect(reasonOf(() => codec.decode(Buffer.from('{}')))).toBe('not-wire-format');
    expect(reasonOf(() => codec.decode(Buffer.concat([head, Buffer.from('{')])))).toBe('not-json');
    const deep = Buffer.concat([head, Buffer.from('['.repeat(300) + ']'.repeat(300))]);
    expect(reasonOf(() => codec.decode(deep))).toBe('too-deep');
  });

  it('takes nothing that objects inherit for a property of theirs', async () => {
    const definition = JSON.stringify({ properties: { constructor: { type: 'string' } }, required: ['toString'] });
    const codec = await openCodec(jsonSchema<unknown>({ subject: 'x', definition, framing: 'none' }), registry);
    expect(codec.decode(codec.encode({ toString: 1 }))).toEqual({ toString: 1 });
    expect(reasonOf(() => codec.decode(Buffer.from('{}')))).toBe('schema-violation');
    expect(reasonOf(() => codec.decode(Buffer.from('{"toString":1,"constructor":2}')))).toBe('schema-violation');
  });

  it('takes no number for one that JSON could not hold again', async () => {
    const codec = await open({ type: 'object', properties: { cents: { type: 'integer' } } });
    const head = Buffer.from(codec.encode({ cents: 5 } as never)).subarray(0, 5);
    const read = (text: string) => codec.decode(Buffer.concat([head, Buffer.from(text)]));
    expect(read('{"cents":5}')).toEqual({ cents: 5 });
    expect(reasonOf(() => read('{"cents":1e400}'))).toBe('schema-violation');
    expect(() => codec.encode({ cents: Number.POSITIVE_INFINITY } as never)).toThrow(/cents must be integer/);
  });

  it('knows what 2020-12 has and draft 7 has not', async () => {
    const tuple = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      prefixItems: [{ type: 'string' }],
      items: false,
    };
    const codec = await openCodec(jsonSchema<unknown>({ subject: 't', definition: JSON.stringify(tuple) }), registry);
    expect(codec.decode(codec.encode(['a']))).toEqual(['a']);
    expect(() => codec.encode(['a', 'b'])).toThrow();
  });

  it('reads payloads of any id, since they must fit ours, and asks no registry for that', async () => {
    const none = () => Promise.reject(new Error('asked'));
    const decoder = await openDecoder(
      jsonSchema<Payment>({ subject: 'p-value', definition: JSON.stringify(payment()) }),
      {
        idOf: none,
        knownIdOf: async () => undefined,
        schemaOf: none,
        latest: async () => undefined,
      },
    );
    const bytes = Buffer.from(`\0\0\0\0\u0009${JSON.stringify({ id, cents: 1, method: 'cash' })}`);
    await decoder.prepare([{ offset: 0, timestampMs: 0, key: null, value: bytes }]);
    expect(decoder.decode(bytes)).toEqual({ id, cents: 1, method: 'cash' });
  });

  it('refers to other schemas', async () => {
    const money = jsonSchema<unknown>({
      subject: 'money',
      definition: JSON.stringify({ type: 'object', properties: { cents: { type: 'integer' } }, required: ['cents'] }),
    });
    const codec = await openCodec(
      jsonSchema<unknown>({
        subject: 'o',
        definition: JSON.stringify({ type: 'object', properties: { price: { $ref: 'money.json' } } }),
        references: { 'money.json': money },
      }),
      registry,
    );
    expect(codec.decode(codec.encode({ price: { cents: 1 } }))).toEqual({ price: { cents: 1 } });
    expect(() => codec.encode({ price: {} })).toThrow(/\/price must have required property 'cents'/);
  });

  it('says what is wrong with a schema', async () => {
    await expect(open({ type: 'nonsense' })).rejects.toThrow(/not a valid JSON schema/);
    await expect(open({ $schema: 'http://json-schema.org/draft-04/schema#' })).rejects.toThrow(/is not known here/);
    await expect(open({ $ref: 'gone.json' })).rejects.toThrow(/refers to "gone.json", which is nowhere/);
  });
});

describe('subjects', () => {
  it("are named by Confluent's strategies", () => {
    expect(subjects.topic('t')).toBe('t-value');
    expect(subjects.record('a.B')).toBe('a.B');
    expect(subjects.topicRecord('t', 'a.B')).toBe('t-a.B');
  });
});
