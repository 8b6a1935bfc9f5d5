import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avro, localRegistry, openCodec } from '../../src/schema/index.js';
import { open, record } from './avro-codecs.js';
import { reasonOf } from './reason-of.js';

const everything = record([
  { name: 'flag', type: 'boolean' },
  { name: 'small', type: 'int' },
  { name: 'large', type: 'long' },
  { name: 'single', type: 'float' },
  { name: 'double', type: 'double' },
  { name: 'name', type: 'string' },
  { name: 'blob', type: 'bytes' },
  { name: 'digest', type: { type: 'fixed', name: 'Digest', size: 3 } },
  { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } },
  { name: 'list', type: { type: 'array', items: ['null', 'string'] } },
  { name: 'map', type: { type: 'map', values: { type: 'array', items: 'int' } } },
  { name: 'union', type: ['string', 'null', 'double', { type: 'array', items: 'int' }, 'Kind2'].slice(0, 4) },
  { name: 'next', type: ['null', 'Event'], default: null },
  { name: '__proto__', type: 'int' },
]);

const values: fc.Arbitrary<Record<string, unknown>> = fc.letrec((tie) => ({
  event: fc
    .record({
      flag: fc.boolean(),
      small: fc.integer(),
      // As far as the library is exact.
      large: fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
      single: fc.float({ noNaN: true }),
      double: fc.double(),
      name: fc.string({ unit: 'grapheme', maxLength: 100 }),
      blob: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      digest: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
      kind: fc.constantFrom('A', 'B', 'C'),
      list: fc.array(fc.option(fc.string())),
      map: fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.array(fc.integer()),
      ),
      union: fc.oneof(fc.string(), fc.constant(null), fc.double(), fc.array(fc.integer())),
      next: fc.option(tie('event'), { depthSize: 'small' }),
      proto: fc.integer(),
    })
    .map(({ proto, ...rest }) => Object.defineProperty(rest, '__proto__', { value: proto, enumerable: true })),
})).event as fc.Arbitrary<Record<string, unknown>>;

describe('avro beside the library', () => {
  it('writes the same bytes and reads the same values', async () => {
    const codec = await open(everything);
    const type = avsc.Type.forSchema(everything as avsc.Schema, { wrapUnions: 'auto' });
    fc.assert(
      fc.property(values, (value) => {
        const bytes = Buffer.from(codec.encode(value));
        expect(bytes.subarray(5).equals(type.toBuffer(value))).toBe(true);
        const back = codec.decode(bytes);
        expect(back).toEqual(value);
        expect(Object.keys(back as object)).toContain('__proto__');
      }),
      { numRuns: 1_000 },
    );
  });

  it('puts the name of the branch around values that JavaScript cannot tell apart, and around no others', async () => {
    const codec = await open(['null', 'int', 'string', { type: 'record', name: 'a.B', fields: [] }, 'double']);
    for (const value of [null, { int: 1 }, { string: 'x' }, { 'a.B': {} }, { double: 1 }]) {
      expect(codec.decode(codec.encode(value))).toEqual(value);
    }
    for (const wrong of [1, { long: 1 }, { int: 1, double: 1 }, {}])
      expect(() => codec.encode(wrong)).toThrow(/one of/);
    const bigs = await open(['double', 'long'], { long: 'bigint' });
    for (const value of [1, 1n]) expect(bigs.decode(bigs.encode(value))).toBe(value);
  });
});

describe('avro logical types', () => {
  it('holds every long as bigint', async () => {
    const codec = await open('long', { long: 'bigint' });
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(codec.decode(codec.encode(value))).toBe(value);
      }),
    );
    expect(() => codec.encode(2n ** 63n)).toThrow(/not a bigint of 64 bits/);
    expect(() => codec.encode(1)).toThrow(/not a bigint/);
  });

  it('has timestamps and dates as numbers, or as Date where asked', async () => {
    const schema = record([
      { name: 'ms', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'us', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-millis' } },
      { name: 'day', type: { type: 'int', logicalType: 'date' } },
      { name: 'maybe', type: ['null', { type: 'long', logicalType: 'timestamp-micros' }] },
      { name: 'plain', type: 'long' },
    ]);
    const numbers = await open(schema, { long: 'bigint' });
    const stored = { ms: -1, us: 1_500, local: 5, day: -1, maybe: null, plain: 3n };
    expect(numbers.decode(numbers.encode(stored))).toEqual(stored);
    const dates = await open(schema, { timestamp: 'date', long: 'bigint' });
    expect(dates.decode(numbers.encode({ ...stored, us: -1, maybe: 1_999 }))).toEqual({
      ms: new Date(-1),
      us: new Date(-1), // cut off towards the past
      local: new Date(5),
      day: new Date('1969-12-31'),
      maybe: new Date(1),
      plain: 3n,
    });
    const at = new Date('2024-02-29T12:00:00.123Z');
    const value = { ms: at, us: at, local: at, day: new Date('2024-02-29'), maybe: at, plain: 0n };
    expect(dates.decode(dates.encode(value))).toEqual(value);
    expect(numbers.decode(dates.encode(value))).toMatchObject({ ms: +at, us: +at * 1_000, day: 19_782 });
    expect(() => dates.encode({ ...value, ms: new Date(Number.NaN) })).toThrow(/field ms: .*valid Date/);
    expect(() => dates.encode({ ...value, ms: 5 })).toThrow(/field ms: 5 is not a valid Date/);
    const beyond = numbers.encode({ ...stored, ms: 8.64e15 + 1 });
    expect(reasonOf(() => dates.decode(beyond))).toBe('out-of-range');
  });

  it('has microseconds beyond 2^53, from the year 2255 on, as Date', async () => {
    const times = (type: unknown) => record([{ name: 'at', type }]);
    const micros = times({ type: 'long', logicalType: 'timestamp-micros' });
    const raw = await open(times('long'), { long: 'bigint', framing: 'none' });
    const codec = await open(micros, { timestamp: 'date', framing: 'none' });
    for (const at of [253_402_300_799_999_000n, -62_135_596_800_000_000n, 9_007_199_254_740_993n, -1n, 0n, 1_999n]) {
      const millis = Number((at - (((at % 1_000n) + 1_000n) % 1_000n)) / 1_000n);
      expect(codec.decode(raw.encode({ at }))).toEqual({ at: new Date(millis) });
    }
    for (const millis of [8.64e15, -8.64e15, 253_402_300_799_999]) {
      const written = codec.encode({ at: new Date(millis) });
      expect(raw.decode(written)).toEqual({ at: BigInt(millis) * 1_000n });
      expect(codec.decode(written)).toEqual({ at: new Date(millis) });
    }
    const numbers = await open(micros, { framing: 'none' });
    expect(reasonOf(() => numbers.decode(raw.encode({ at: 2n ** 53n })))).toBe('out-of-range');
  });

  it('has decimals in a fixed that is far longer than their digits', async () => {
    const amount = { type: 'fixed', name: 'Amount', size: 16, logicalType: 'decimal', precision: 9, scale: 2 };
    const codec = await open(record([{ name: 'amount', type: amount }]), { framing: 'none' });
    for (const text of ['0.00', '-0.01', '1.28', '-1.28', '9999999.99', '-9999999.99'])
      expect(codec.decode(codec.encode({ amount: text }))).toEqual({ amount: text });
    const tooLarge = Buffer.alloc(16);
    tooLarge.writeBigInt64BE(10n ** 9n, 8);
    expect(reasonOf(() => codec.decode(tooLarge))).toBe('out-of-range');
    expect(reasonOf(() => codec.decode(Buffer.alloc(16, 0x7f)))).toBe('out-of-range');
  });

  it('has decimals as text, exactly', async () => {
    const decimal = { logicalType: 'decimal', precision: 20, scale: 4 };
    const codec = await open({ type: 'bytes', ...decimal });
    const fixed = await open({ type: 'fixed', name: 'F', size: 12, ...decimal });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }), (unscaled) => {
        const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(5, '0');
        const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`;
        for (const one of [codec, fixed]) expect(one.decode(one.encode(text))).toBe(text);
      }),
    );
    expect(codec.decode(codec.encode('5'))).toBe('5.0000');
    expect(codec.decode(codec.encode('-0.50'))).toBe('-0.5000');
    for (const wrong of ['1e5', '', '.5', '5.', '0.00001', '12345678901234567', 5, '1'.repeat(30)]) {
      expect(() => codec.encode(wrong)).toThrow(/decimal as text/);
    }
    const bare = await open({ type: 'bytes', ...decimal }, { framing: 'none' });
    expect(bare.decode(Uint8Array.of(4, 0x00, 0xff))).toBe('0.0255');
    expect(bare.decode(Uint8Array.of(2, 0xff))).toBe('-0.0001');
    expect(bare.decode(Uint8Array.of(0))).toBe('0.0000');
    expect(reasonOf(() => bare.decode(Buffer.concat([Uint8Array.of(20), Buffer.alloc(10, 0x7f)])))).toBe(
      'out-of-range',
    );
    const huge = Buffer.concat([Uint8Array.of(0x80, 0x80, 0x80, 8), Buffer.alloc(8 * 1024 * 1024, 0x7f)]);
    expect(reasonOf(() => bare.decode(huge))).toBe('out-of-range');
  });

  it('ignores logical types that are invalid or unknown, as the specification wants', async () => {
    for (const logical of [
      { type: 'bytes', logicalType: 'decimal' },
      { type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 },
      { type: 'bytes', logicalType: 'something' },
    ]) {
      const codec = await open(logical);
      expect(codec.decode(codec.encode(Buffer.of(1)))).toEqual(Buffer.of(1));
    }
    const uuid = await open({ type: 'string', logicalType: 'uuid' });
    expect(uuid.decode(uuid.encode('x'))).toBe('x');
  });
});

describe('avro schemas', () => {
  it('refer to others by full name', async () => {
    const address = avro<unknown>({
      subject: 'address',
      definition: JSON.stringify({ ...record([{ name: 'city', type: 'string' }]), name: 'geo.Address' }),
    });
    const person = record([{ name: 'home', type: 'geo.Address' }], { name: 'Person' });
    const codec = await open(person, { references: { 'geo.Address': address } });
    expect(codec.decode(codec.encode({ home: { city: 'Ulm' } }))).toEqual({ home: { city: 'Ulm' } });
    await expect(open(person)).rejects.toThrow(/not valid Avro/);
  });

  it('say in which field a value does not fit', async () => {
    const codec = await open(everything);
    expect(() => codec.encode({ flag: true, small: 1.5 })).toThrow(/field small: 1.5 is not an int/);
    const said = (flag: unknown) => {
      try {
        return codec.encode({ flag });
      } catch (error) {
        return (error as Error).message.match(/field flag: (.*) is not a boolean/)?.[1];
      }
    };
    expect(['x'.repeat(58), 'x'.repeat(59), 7n, new Map(), Object.create(null), null].map(said)).toEqual([
      ...[`"${'x'.repeat(58)}"`, `"${'x'.repeat(56)}...`, '7n', 'a Map', 'a value', 'null'],
    ]);
    expect(() => codec.encode(null)).toThrow(/null is not a record Event/);
    const defaults = await open(record([{ name: 'a', type: 'int', default: 4 }]));
    expect(defaults.decode(defaults.encode({}))).toEqual({ a: 4 });
  });

  it('refuse a number that a float would make infinite', async () => {
    const codec = await open(record([{ name: 'x', type: 'float' }]), { framing: 'none' });
    expect(() => codec.encode({ x: 1e39 })).toThrow(/field x: 1e\+39 is not a float/);
    for (const x of [Number.POSITIVE_INFINITY, Number.NaN, 1e-60, 3.4e38])
      expect(codec.decode(codec.encode({ x }))).toEqual({ x: Math.fround(x) });
  });

  it('write nothing of a value that does not fit', async () => {
    const codec = await open(
      record([
        { name: 'text', type: 'string' },
        { name: 'n', type: 'int' },
      ]),
    );
    const first = codec.encode({ text: 'a', n: 1 });
    expect(() => codec.encode({ text: 'long'.repeat(50), n: 'x' })).toThrow();
    const second = codec.encode({ text: 'b', n: 2 });
    expect([codec.decode(first), codec.decode(second)]).toEqual([
      { text: 'a', n: 1 },
      { text: 'b', n: 2 },
    ]);
  });

  it('without framing have nothing in front and no registry', async () => {
    const codec = await open('int', { framing: 'none' });
    expect([...codec.encode(1)]).toEqual([2]);
    expect(codec.decode(Uint8Array.of(2))).toBe(1);
  });

  it('refuse texts that are not UTF-8, and payloads above the limit', async () => {
    const codec = await openCodec(
      avro<string>({ subject: 's', definition: '"string"', framing: 'none', bytesMax: 20 }),
      localRegistry(),
    );
    expect(reasonOf(() => codec.decode(Uint8Array.of(2, 0xff)))).toBe('malformed');
    expect(codec.decode(codec.encode('\ufffd'))).toBe('\ufffd');
    expect(reasonOf(() => codec.decode(new Uint8Array(21)))).toBe('too-large');
  });
});
