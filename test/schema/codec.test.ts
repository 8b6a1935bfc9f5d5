import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { PredictionV1 } from '../../schemas/prediction.v1.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import { avro, DecodeFailure, json, localRegistry, openCodec } from '../../src/schema/index.js';
import { schemaIdOf, withHeaders } from '../../src/schema/wire-format.js';
import { reasonOf } from './reason-of.js';

const raw = (value: Uint8Array | null, offset = 0) => ({ offset, timestampMs: 0, key: null, value });

const departed = {
  flightId: 2_999_999,
  departedAt: 978_307_200_000,
  utcOffsetMinutes: -300,
  origin: 'JFK',
  destination: null,
  distance: 1_035.5,
};

const asAvro = (text: string) => ({ format: 'avro', text, references: [] }) as const;
const record = (fields: readonly unknown[], name = 'Event') => JSON.stringify({ type: 'record', name, fields });

describe('avro codec', () => {
  it('gives back what it was given, as plain data', async () => {
    const codec = await openCodec(FlightDepartedV1, localRegistry());
    const bytes = codec.encode(departed);
    expect(bytes[0]).toBe(0);
    expect({ ...codec.decode(bytes) }).toEqual(departed);
  });

  it('round-trips every value of the schema', async () => {
    const codec = await openCodec(FlightDepartedV1, localRegistry());
    const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }));
    fc.assert(
      fc.property(
        fc.record({
          flightId: fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
          departedAt: fc.integer({ min: -(2 ** 40), max: 2 ** 45 }),
          utcOffsetMinutes: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
          origin: text,
          destination: text,
          distance: fc.option(fc.double()),
        }),
        (value) => {
          expect({ ...codec.decode(codec.encode(value)) }).toEqual(value);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('hands out bytes that later encodings do not touch, values larger than a slab included', async () => {
    const codec = await openCodec(
      avro<{ text: string }>({ subject: 's', definition: record([{ name: 'text', type: 'string' }]) }),
      localRegistry(),
    );
    const values = Array.from({ length: 400 }, (_, i) => ({ text: String(i).repeat(i % 50 === 0 ? 40_000 : i) }));
    const encoded = values.map((value) => codec.encode(value));
    expect(encoded.map((bytes) => codec.decode(bytes).text)).toEqual(values.map(({ text }) => text));
  });

  it('refuses to encode what does not fit, with the subject in the error', async () => {
    const codec = await openCodec(PredictionV1, localRegistry());
    expect(() => codec.encode({ flightId: 'x' } as never)).toThrow(
      expect.objectContaining({ code: 'schema', where: 'predictions.v1-value' }),
    );
  });

  it('refuses longs that would come back as other numbers, in both directions', async () => {
    const codec = await openCodec(FlightDepartedV1, localRegistry());
    for (const flightId of [2 ** 53, -(2 ** 53), 1.5, Number.NaN]) {
      expect(() => codec.encode({ ...departed, flightId })).toThrow(/does not fit schema/);
    }
    const header = Buffer.from(codec.encode(departed)).subarray(0, 5);
    const zigzag = (n: bigint) => {
      const bytes: number[] = [];
      for (let rest = n >= 0n ? n * 2n : -n * 2n - 1n; ; rest >>= 7n) {
        if (rest < 128n) return [...bytes, Number(rest)];
        bytes.push(Number(rest & 127n) | 128);
      }
    };
    const read = (n: bigint) =>
      codec.decode(Buffer.concat([header, Uint8Array.from([...zigzag(n), 0, 0, 0, 0, 0])])).flightId;
    for (const n of [-(2n ** 53n) + 1n, 2n ** 53n - 1n, 2n ** 52n, 2n ** 31n, -(2n ** 28n), 2n ** 27n])
      expect(read(n)).toBe(Number(n));
    for (const n of [-(2n ** 53n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(reasonOf(() => read(n))).toBe('out-of-range');
    }
  });

  it('names what is wrong with a payload', async () => {
    const codec = await openCodec(FlightDepartedV1, localRegistry());
    const good = Buffer.from(codec.encode(departed));
    const withBody = (...body: number[]) => Buffer.concat([good.subarray(0, 5), Uint8Array.from(body)]);
    const otherId = Buffer.from(good);
    otherId.writeInt32BE(7, 1);
    expect(reasonOf(() => codec.decode(good.subarray(0, 4)))).toBe('not-wire-format');
    expect(reasonOf(() => codec.decode(new Uint8Array()))).toBe('not-wire-format');
    expect(schemaIdOf(Uint8Array.of(0, 0x7f, 0xff, 0xff, 0xff))).toBe(2 ** 31 - 1);
    for (const id of [
      [0x80, 0, 0, 0],
      [0xff, 0xff, 0xff, 0xfe],
    ]) {
      const negative = Buffer.concat([Uint8Array.of(0, ...id), good.subarray(5)]);
      expect(schemaIdOf(negative)).toBe(-1);
      expect(() => codec.decode(negative)).toThrow('the schema id is negative');
    }
    expect(reasonOf(() => codec.decode(Buffer.from('{"flightId":1}')))).toBe('not-wire-format');
    expect(reasonOf(() => codec.decode(otherId))).toBe('schema-id-unknown');
    expect(reasonOf(() => codec.decode(Buffer.concat([good, Uint8Array.of(0)])))).toBe('trailing-bytes');
    for (let size = 5; size < good.length; size++) {
      expect(reasonOf(() => codec.decode(good.subarray(0, size)))).toBe('truncated');
    }
    const long = (n: number) => Array<number>(n - 1).fill(0xff);
    expect(reasonOf(() => codec.decode(withBody(...long(10), 0xff, 1)))).toBe('malformed');
    expect(reasonOf(() => codec.decode(withBody(...long(9), 1)))).toBe('out-of-range');
    expect(reasonOf(() => codec.decode(withBody(2, 2, 0xff, 0xff, 0xff, 0xff, 0x7f)))).toBe('out-of-range');
    expect(reasonOf(() => codec.decode(withBody(2, 2, 2, 4)))).toBe('malformed');
    expect(reasonOf(() => codec.decode(withBody(2, 2, 2, 2, 1)))).toBe('malformed');
    expect(reasonOf(() => codec.decode(withBody(2, 2, 2, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f)))).toBe('truncated');
  });

  it('accepts plain Uint8Arrays, not only Buffers', async () => {
    const codec = await openCodec(FlightDepartedV1, localRegistry());
    expect(codec.decode(Uint8Array.from(codec.encode(departed))).origin).toBe('JFK');
  });
});

describe('payloads made to exhaust', () => {
  const open = (type: unknown) =>
    openCodec(avro<unknown>({ subject: 's', definition: JSON.stringify(type) }), localRegistry());

  it('refuses item counts that the bytes cannot hold', async () => {
    const codec = await open({ type: 'array', items: 'long' });
    const header = Buffer.from(codec.encode([])).subarray(0, 5);
    const huge = Buffer.concat([header, Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 2)]);
    expect(reasonOf(() => codec.decode(huge))).toBe('too-large');
  });

  it('refuses items without bytes by the million', async () => {
    const codec = await open({ type: 'array', items: 'null' });
    const header = Buffer.from(codec.encode([])).subarray(0, 5);
    const blocks = Array.from({ length: 40 }, () => [0x80, 0x80, 0x04]).flat(); // 32,768 nulls each
    expect(reasonOf(() => codec.decode(Buffer.concat([header, Uint8Array.from([...blocks, 0])])))).toBe('too-large');
  });

  it('refuses nesting without end', async () => {
    const codec = await open({
      type: 'record',
      name: 'Node',
      fields: [{ name: 'next', type: ['null', 'Node'], default: null }],
    });
    const header = Buffer.from(codec.encode({ next: null })).subarray(0, 5);
    const deep = (n: number) => Buffer.concat([header, Buffer.alloc(n, 2), Uint8Array.of(0)]);
    expect(reasonOf(() => codec.decode(deep(63)))).toBe('a value');
    expect(reasonOf(() => codec.decode(deep(100_000)))).toBe('too-deep');
  });

  it('reads arrays, maps, enums, fixed, bytes and sized blocks', async () => {
    const codec = await open({
      type: 'record',
      name: 'All',
      fields: [
        { name: 'list', type: { type: 'array', items: 'string' } },
        { name: 'map', type: { type: 'map', values: 'double' } },
        { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
        { name: 'id', type: { type: 'fixed', name: 'Id', size: 4 } },
        { name: 'blob', type: 'bytes' },
        { name: 'flag', type: 'boolean' },
        { name: 'small', type: 'float' },
      ],
    });
    const value = {
      list: ['a', 'b'],
      map: { x: 1, y: Number.NaN },
      kind: 'B',
      id: Buffer.from('abcd'),
      blob: Buffer.of(1),
      flag: true,
      small: 0.5,
    };
    const bytes = codec.encode(value);
    expect({ ...(codec.decode(bytes) as object) }).toEqual(value);
    const kindAt = Buffer.from(bytes).indexOf('abcd') - 1;
    const badEnum = Buffer.from(bytes);
    badEnum[kindAt] = 4;
    expect(reasonOf(() => codec.decode(badEnum))).toBe('malformed');
    const list = await open({ type: 'array', items: 'long' });
    const sized = Buffer.concat([Buffer.from(list.encode([])).subarray(0, 5), Uint8Array.of(3, 4, 2, 4, 0)]); // -2 items, 2 bytes
    expect(list.decode(sized)).toEqual([1, 2]);
  });
});

describe('writers with other schemas', () => {
  const v1 = record([
    { name: 'id', type: 'int' },
    { name: 'gone', type: 'string' },
  ]);
  const v2 = record([
    { name: 'id', type: 'long' },
    { name: 'added', type: ['null', 'string'], default: null },
  ]);

  it('resolves them by the rules of Avro', async () => {
    const registry = localRegistry();
    const old = await openCodec(avro<unknown>({ subject: 's', definition: v1 }), registry);
    const codec = await openCodec(avro<unknown>({ subject: 's', definition: v2 }), registry);
    const bytes = old.encode({ id: 5, gone: 'x' });
    expect(reasonOf(() => codec.decode(bytes))).toBe('schema-id-unknown');
    await codec.prepare([raw(null), raw(bytes)]);
    expect({ ...(codec.decode(bytes) as object) }).toEqual({ id: 5, added: null });
    expect(reasonOf(() => codec.decode(bytes.subarray(0, bytes.length - 1)))).toBe('truncated');
  });

  it('takes the same record name in another namespace, and refuses another record', async () => {
    const registry = localRegistry();
    const fields = [{ name: 'id', type: 'long' }];
    const spaced = await openCodec(
      avro<unknown>({ subject: 's', definition: record(fields, 'other.space.Event') }),
      registry,
    );
    const other = await openCodec(avro<unknown>({ subject: 's', definition: record(fields, 'Other') }), registry);
    const codec = await openCodec(avro<unknown>({ subject: 's', definition: record(fields) }), registry);
    const [a, b] = [spaced.encode({ id: 1 }), other.encode({ id: 1 })];
    await codec.prepare([raw(a), raw(b)]);
    expect({ ...(codec.decode(a) as object) }).toEqual({ id: 1 });
    expect(reasonOf(() => codec.decode(b))).toBe('schema-incompatible');
  });

  it('asks the registry once an id, remembers noes, and lives through an outage with what it knows', async () => {
    const local = localRegistry();
    let asked = 0;
    let down = false;
    const registry: SchemaRegistry = {
      idOf: local.idOf,
      knownIdOf: local.knownIdOf,
      latest: local.latest,
      schemaOf: async (id) => {
        if (down) throw new Error('down');
        asked++;
        return local.schemaOf(id);
      },
    };
    const old = await openCodec(avro<unknown>({ subject: 's', definition: v1 }), local);
    const codec = await openCodec(avro<unknown>({ subject: 's', definition: v2 }), registry);
    const known = raw(old.encode({ id: 1, gone: '' }));
    const unknown = raw(Uint8Array.of(0, 0, 0, 0, 99, 2));
    await codec.prepare([known, unknown, known, unknown]);
    await codec.prepare([known, unknown]);
    expect(asked).toBe(2);
    down = true;
    await codec.prepare([known, unknown, known]);
    expect({ ...(codec.decode(known.value as Uint8Array) as object) }).toEqual({ id: 1, added: null });
    await expect(codec.prepare([raw(Uint8Array.of(0, 0, 0, 0, 98))])).rejects.toThrow('down');
  });
});

describe('local registry', () => {
  it('gives one id to one schema, however it is laid out, and knows what it was given', async () => {
    const registry = localRegistry([FlightDepartedV1]);
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(FlightDepartedV1.definition as URL, 'utf8');
    const { type, name, namespace, doc, fields } = JSON.parse(text) as Record<string, unknown>;
    const id = await localRegistry().idOf('x', asAvro(JSON.stringify({ fields, doc, namespace, name, type })));
    expect(id).toBe(await localRegistry().idOf('y', asAvro(text)));
    expect(id).toBeGreaterThan(0);
    expect((await registry.schemaOf(id))?.text).toContain('FlightDeparted');
    expect(await registry.schemaOf(id + 1)).toBeUndefined();
  });

  it('says which schema is broken', async () => {
    await expect(
      openCodec(avro<unknown>({ subject: 'bad', definition: '{"type":"nonsense"}' }), localRegistry()),
    ).rejects.toThrow(/bad is not valid Avro/);
    await expect(
      openCodec(avro<unknown>({ subject: 'bad', file: new URL('file:///no/such.avsc') }), localRegistry()),
    ).rejects.toThrow(/cannot read the schema file/);
  });
});

describe('json codec', () => {
  it('reads and writes plain JSON and names what is none', async () => {
    const codec = await openCodec(json<unknown>(), localRegistry());
    expect(codec.decode(codec.encode({ a: [1, 'ü'] }))).toEqual({ a: [1, 'ü'] });
    expect(reasonOf(() => codec.decode(Buffer.from('{"a":')))).toBe('not-json');
    expect(reasonOf(() => codec.decode(Uint8Array.of(0x22, 0xff, 0x22)))).toBe('not-json');
    expect(reasonOf(() => codec.decode(new Uint8Array()))).toBe('not-json');
    expect(reasonOf(() => codec.decode(Buffer.from('['.repeat(100_000) + ']'.repeat(100_000))))).toBe('too-deep');
    expect(codec.decode(Buffer.from(JSON.stringify('['.repeat(1_000) + '\\"['.repeat(300))))).toHaveLength(1_900);
    const behindText = Buffer.from(`["a\\"]",${'['.repeat(1_000)}${']'.repeat(1_000)}]`);
    expect(reasonOf(() => codec.decode(behindText))).toBe('too-deep');
    expect(() => codec.encode(undefined)).toThrow(/has no JSON/);
  });
});

describe('a schema that is named in a header', () => {
  const named = [['__value_schema_id', Uint8Array.of(1, ...Array.from({ length: 16 }, (_, i) => i))]] as const;

  it('is what a payload without an id in front is refused for', async () => {
    const codec = await openCodec(FlightDepartedV1, localRegistry());
    const bare = codec.encode(departed).subarray(5);
    const failureOf = (bytes: Uint8Array) => {
      try {
        return codec.decode(bytes);
      } catch (error) {
        return error as DecodeFailure;
      }
    };
    for (const bytes of [bare, Buffer.concat([Buffer.alloc(1), bare])]) {
      const failure = withHeaders(failureOf(bytes) as DecodeFailure, named);
      expect([failure.reason, failure.message]).toEqual([
        'schema-id-in-header',
        expect.stringContaining('PrefixSchemaIdSerializer'),
      ]);
      const other = failureOf(bytes) as DecodeFailure;
      expect(withHeaders(other, undefined)).toBe(other);
      expect(withHeaders(other, [['trace', Uint8Array.of(1)]])).toBe(other);
    }
  });

  it('does not hide what is wrong behind an id in front', async () => {
    const failure = new DecodeFailure('truncated', 'ends in the middle of a value');
    expect(withHeaders(failure, named)).toBe(failure);
  });
});
