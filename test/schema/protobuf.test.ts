import fc from 'fast-check';
import protobufjs from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { localRegistry, openCodec, protobuf } from '../../src/schema/index.js';
import { reasonOf } from './reason-of.js';

const raw = (value: Uint8Array) => ({ offset: 0, timestampMs: 0, key: null, value });

const everything = `
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";

enum Kind { KIND_UNSPECIFIED = 0; CARD = 1; CASH = 2; }

message Order {
  message Line { string article_name = 1; uint32 count = 2; optional double discount = 3; }
  int64 id = 1;
  sint32 delta = 2;
  string customer = 3;
  Kind kind = 4;
  repeated Line lines = 5;
  map<string, int32> stock = 6;
  repeated int32 numbers = 7;
  oneof payment { string card = 8; Line voucher = 9; bool free = 10; }
  google.protobuf.Timestamp placed_at = 11;
  google.protobuf.Int32Value rating = 12;
  google.protobuf.Struct extra = 13;
  bytes blob = 14;
  double price = 15;
  float weight = 16;
  fixed64 serial = 17;
  optional string note = 18;
  Order parent = 19;
  bool paid = 20;
  map<int64, Line> by_id = 21;
}
message Other { int32 x = 1; message Inner { int32 y = 1; } }
`;

const order = (options: { long?: 'number' | 'bigint'; timestamp?: 'number' | 'date'; message?: string } = {}) =>
  protobuf<Record<string, unknown>>({
    subject: 'orders-value',
    definition: everything,
    message: 'shop.v1.Order',
    ...options,
  });

const empty = {
  id: 0,
  delta: 0,
  customer: '',
  kind: 'KIND_UNSPECIFIED',
  lines: [],
  stock: {},
  numbers: [],
  card: null,
  voucher: null,
  free: null,
  placedAt: null,
  rating: null,
  extra: null,
  blob: Buffer.alloc(0),
  price: 0,
  weight: 0,
  serial: 0,
  note: null,
  parent: null,
  paid: false,
  byId: {},
};

const line = { articleName: 'tea', count: 2, discount: null };
const whole = {
  ...empty,
  id: -5,
  delta: -300,
  customer: 'Ada Lovelace née Byron, Countess',
  kind: 'CARD',
  lines: [line, { articleName: '', count: 0, discount: 0.5 }],
  stock: { a: 1, b: -2, __proto: 3 },
  numbers: [0, -1, 2_147_483_647],
  voucher: line,
  placedAt: new Date('2001-09-09T01:46:40.123Z'),
  rating: 0,
  extra: { a: null, b: [1, 'x', { c: true }], d: 1.5 },
  blob: Buffer.from([0, 255]),
  price: 1.25,
  weight: 0.5,
  serial: 2 ** 53 - 1,
  note: '',
  parent: { ...empty, id: 7 },
  paid: true,
  byId: { '-9': line, 12: { ...line, count: 9 } },
};

describe('protobuf codec', () => {
  it('gives back what it was given: all fields, null where nothing is', async () => {
    const codec = await openCodec(order(), localRegistry());
    expect(codec.decode(codec.encode(whole))).toEqual(whole);
    expect(codec.decode(codec.encode({}))).toEqual(empty);
    expect(codec.decode(codec.encode(empty)).note).toBe(null);
  });

  it('has zero, and the one index list of the first message, in front', async () => {
    const bytes = Buffer.from((await openCodec(order(), localRegistry())).encode({ id: 1 }));
    expect([bytes[0], bytes[5], ...bytes.subarray(6)]).toEqual([0, 0, 8, 1]);
    const inner = await openCodec(order({ message: 'shop.v1.Other.Inner' }), localRegistry());
    expect([...Buffer.from(inner.encode({ y: 3 })).subarray(5)]).toEqual([4, 2, 0, 8, 3]); // two indexes: 1, 0
    expect(inner.decode(inner.encode({ y: 3 }))).toEqual({ y: 3 });
  });

  it('writes what the library writes and reads what it writes', async () => {
    const codec = await openCodec(order(), localRegistry());
    const { root } = protobufjs.parse(everything, new protobufjs.Root());
    for (const name of ['timestamp', 'wrappers', 'struct']) {
      const known = protobufjs.common.get(`google/protobuf/${name}.proto`) as { nested: object };
      root.addJSON(known.nested as Record<string, protobufjs.AnyNestedObject>);
    }
    const type = root.lookupType('shop.v1.Order');
    fc.assert(
      fc.property(
        fc.record({
          id: fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
          delta: fc.integer(),
          customer: fc.string({ unit: 'grapheme', maxLength: 200 }),
          kind: fc.constantFrom('KIND_UNSPECIFIED', 'CARD', 'CASH'),
          lines: fc.array(
            fc.record({
              articleName: fc.string(),
              count: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
              discount: fc.option(fc.double()),
            }),
          ),
          stock: fc.dictionary(
            fc.string().filter((key) => key !== '__proto__'),
            fc.integer(),
          ),
          numbers: fc.array(fc.integer()),
          price: fc.double(),
          paid: fc.boolean(),
          serial: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        }),
        (value) => {
          const bytes = Buffer.from(codec.encode(value));
          const theirs = type.toObject(type.decode(bytes.subarray(6)), {
            longs: Number,
            enums: String,
            defaults: true,
          });
          for (const [name, given] of Object.entries(value)) {
            if (name !== 'lines') expect(theirs[name]).toEqual(given);
          }
          const written = type.encode(type.fromObject({ ...value, kind: value.kind })).finish();
          const back = codec.decode(Buffer.concat([bytes.subarray(0, 6), written]));
          expect(back).toEqual(codec.decode(bytes));
          expect(back).toMatchObject({ id: value.id, lines: value.lines, serial: value.serial });
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('holds 64 bits as bigint, and refuses numbers that would be others', async () => {
    const big = await openCodec(order({ long: 'bigint' }), localRegistry());
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (id, serial) => {
          expect(big.decode(big.encode({ id, serial }))).toMatchObject({ id, serial });
        },
      ),
    );
    const bytes = (id: bigint) => big.encode({ id });
    const small = await openCodec(order(), localRegistry());
    for (const id of [2n ** 53n - 1n, -(2n ** 53n) + 1n, 128n, -1n, -129n]) {
      expect(small.decode(bytes(id)).id).toBe(Number(id));
    }
    for (const id of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(reasonOf(() => small.decode(bytes(id)))).toBe('out-of-range');
    }
    expect(() => small.encode({ id: 2 ** 53 })).toThrow(/field id: 9007199254740992 is not a whole number/);
    expect(() => big.encode({ id: 2n ** 63n })).toThrow(/not a bigint of 64 bits/);
  });

  it('clears a oneof when another member comes, merges messages that come twice, keeps numbers without names', async () => {
    const codec = await openCodec(order(), localRegistry());
    const head = Buffer.from(codec.encode({})).subarray(0, 6);
    const read = (...body: number[]) => codec.decode(Buffer.concat([head, Uint8Array.from(body)]));
    // card = "x" (8), then free = true (10)
    expect(read(0x42, 1, 0x78, 0x50, 1)).toMatchObject({ card: null, free: true });
    // voucher {count: 2}, then voucher {article_name: "t"}
    expect(read(0x4a, 2, 0x10, 2, 0x4a, 3, 0x0a, 1, 0x74)).toMatchObject({
      voucher: { articleName: 't', count: 2 },
    });
    expect(read(0x20, 9)).toMatchObject({ kind: 9 });
    expect(codec.decode(codec.encode({ kind: 9 }))).toMatchObject({ kind: 9 });
    // numbers packed and unpacked
    expect(read(0x3a, 2, 1, 2, 0x38, 3)).toMatchObject({ numbers: [1, 2, 3] });
    // field 100 of every wire type, a group among them
    expect(
      read(
        0xa0,
        6,
        1,
        0xa1,
        6,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0xa2,
        6,
        1,
        0,
        0xa5,
        6,
        0,
        0,
        0,
        0,
        0xa3,
        6,
        8,
        1,
        0xa4,
        6,
        8,
        5,
      ),
    ).toMatchObject({ id: 5 });
    expect(() => codec.encode({ card: 'x', free: false })).toThrow(/one member of a oneof/);
  });

  it('names what is wrong with a payload', async () => {
    const codec = await openCodec(order(), localRegistry());
    const head = Buffer.from(codec.encode({})).subarray(0, 6);
    const reason = (...body: number[]) => reasonOf(() => codec.decode(Buffer.concat([head, Uint8Array.from(body)])));
    expect(reason(8)).toBe('truncated');
    expect(reason(0x1a, 5, 1)).toBe('truncated');
    expect(reason(0x2a, 2, 0x0a, 9)).toBe('truncated'); // a length inside a message that leads out of it
    expect(reason(0x1a, 1, 0xff)).toBe('malformed'); // not UTF-8
    expect(reason(0)).toBe('malformed'); // field 0
    expect(reason(0xa7, 6)).toBe('malformed'); // wire type 7
    expect(reason(0xa4, 6)).toBe('malformed'); // the end of a group that never began
    expect(reason(8, ...Array(11).fill(0xff))).toBe('malformed');
    expect(reasonOf(() => codec.decode(head.subarray(0, 5)))).toBe('truncated');
    expect(reasonOf(() => codec.decode(Buffer.concat([head.subarray(0, 5), Uint8Array.of(2, 2)])))).toBe(
      'schema-incompatible',
    );
    expect(reasonOf(() => codec.decode(Buffer.concat([head.subarray(0, 5), Uint8Array.of(2, 99)])))).toBe('malformed');
    expect(reasonOf(() => codec.decode(Buffer.from('{"id":1}')))).toBe('not-wire-format');
  });

  it('refuses times that no Date can be', async () => {
    const codec = await openCodec(order(), localRegistry());
    const { placedAt } = codec.decode(codec.encode({ placedAt: new Date(8.64e15) })) as { placedAt: Date };
    expect(placedAt.getTime()).toBe(8.64e15);
    const bytes = Buffer.from(codec.encode({ placedAt: new Date(1_000) }));
    const seconds = bytes.subarray(bytes.length - 2); // field 1 of the message at the end
    expect([...seconds]).toEqual([8, 1]);
    const far = Buffer.concat([
      bytes.subarray(0, -3),
      Buffer.from([9, 8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 4]),
    ]);
    expect(reasonOf(() => codec.decode(far))).toBe('out-of-range');
  });

  it('refuses nesting without end, in known fields and in unknown groups', async () => {
    const codec = await openCodec(order(), localRegistry());
    const head = Buffer.from(codec.encode({})).subarray(0, 6);
    let body = Buffer.alloc(0);
    for (let i = 0; i < 63; i++) {
      const writer = new protobufjs.Writer();
      body = Buffer.from(
        writer
          .uint32(19 * 8 + 2)
          .bytes(body)
          .finish(),
      );
    }
    expect(reasonOf(() => codec.decode(Buffer.concat([head, body])))).toBe('a value');
    for (let i = 0; i < 3; i++)
      body = Buffer.from(
        new protobufjs.Writer()
          .uint32(19 * 8 + 2)
          .bytes(body)
          .finish(),
      );
    expect(reasonOf(() => codec.decode(Buffer.concat([head, body])))).toBe('too-deep');
    expect(reasonOf(() => codec.decode(Buffer.concat([head, Buffer.alloc(100_000, 0xa3)])))).not.toBe('a value');
    const groups = Buffer.from(Array.from({ length: 100 }, () => [0xa3, 6]).flat());
    expect(reasonOf(() => codec.decode(Buffer.concat([head, groups])))).toBe('too-deep');
  });

  it('refuses messages that have more fields than the payload has bytes, and reads many that do not', async () => {
    const definition = `syntax = "proto3"; message Point { int32 x = 1; int32 y = 2; int32 z = 3; int32 w = 4; }
      message Points { repeated Point list = 1; map<int32, Point> byId = 2; }`;
    const codec = await openCodec(
      protobuf<Record<string, unknown>>({ subject: 'points', definition, message: 'Points', framing: 'none' }),
      localRegistry(),
    );
    const points = (count: number, bytes: readonly number[]) =>
      codec.decode(Buffer.alloc(count * bytes.length, Uint8Array.from(bytes)));
    const MIB = 2 ** 20;
    expect(points(MIB / 4 - 1, [10, 0]).list).toHaveLength(MIB / 4 - 1);
    expect(reasonOf(() => points(MIB / 4, [10, 0]))).toBe('too-large');
    expect(points(MIB, [10, 3, 8, 0x81, 0]).list).toHaveLength(MIB);
    const began = process.cpuUsage();
    // An entry with neither key nor value: the same empty point each time.
    expect(points(MIB / 4 - 1, [18, 0]).byId).toEqual({ 0: { x: 0, y: 0, z: 0, w: 0 } });
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(1_000);
  });

  it('reads what newer and older versions of the message wrote', async () => {
    const registry = localRegistry();
    const version = (fields: string) =>
      protobuf<Record<string, unknown>>({
        subject: 'x',
        message: 'a.M',
        definition: `syntax = "proto3"; package a; message Before { int32 z = 1; } message M { ${fields} }`,
      });
    const first = await openCodec(version('int32 id = 1; string gone = 2;'), registry);
    const second = await openCodec(
      protobuf<Record<string, unknown>>({
        subject: 'x',
        message: 'a.M',
        definition: 'syntax = "proto3"; package a; message M { int64 id = 1; repeated string tags = 3; }',
      }),
      registry,
    );
    const [old, recent] = [first.encode({ id: 4, gone: 'g' }), second.encode({ id: 9, tags: ['a'] })];
    await Promise.all([first.prepare([raw(recent)]), second.prepare([raw(old)])]);
    expect(second.decode(old)).toEqual({ id: 4, tags: [] });
    expect(first.decode(recent)).toEqual({ id: 9, gone: '' });
    const other = await openCodec(
      protobuf<unknown>({ subject: 'y', message: 'a.Before', definition: version('').definition as string }),
      registry,
    );
    const bytes = other.encode({ z: 1 });
    await second.prepare([raw(bytes)]);
    expect(reasonOf(() => second.decode(bytes))).toBe('schema-incompatible');
  });

  it('has proto2: required fields, and closed enums whose unknown numbers count as absent', async () => {
    const codec = await openCodec(
      protobuf<Record<string, unknown>>({
        subject: 'x',
        message: 'M',
        framing: 'none',
        definition:
          'syntax = "proto2"; enum E { A = 1; B = 2; } message M { required int32 id = 1; optional E e = 2; repeated E es = 3; }',
      }),
      localRegistry(),
    );
    expect(codec.decode(codec.encode({ id: 0, e: 'B', es: ['A'] }))).toEqual({ id: 0, e: 'B', es: ['A'] });
    expect(codec.decode(Uint8Array.of(8, 1, 16, 7, 24, 7, 24, 2))).toEqual({ id: 1, e: null, es: ['B'] });
    expect(reasonOf(() => codec.decode(Uint8Array.of(16, 1)))).toBe('malformed');
    expect(() => codec.encode({ e: 'A' })).toThrow(/field id: .*required/);
  });

  it('says what is wrong with a schema', async () => {
    const open = (definition: string, message = 'a.M') =>
      openCodec(protobuf<unknown>({ subject: 's', definition, message }), localRegistry());
    await expect(open('syntax = "proto3"; message {')).rejects.toThrow(/schema s is not valid Protobuf/);
    await expect(open('syntax = "proto3"; package a; message N {}')).rejects.toMatchObject({
      message: 'schema s has no message a.M',
      hint: 'it has a.N',
    });
    await expect(open('syntax = "proto3"; package a; import "b.proto"; message M {}')).rejects.toMatchObject({
      message: 'schema s refers to "b.proto", which is nowhere',
    });
    await expect(open('syntax = "proto3"; package a; message M { Nothing n = 1; }')).rejects.toThrow(
      /not valid Protobuf/,
    );
    await expect(open('syntax = "proto2"; package a; message M { optional group G = 1 { } }')).rejects.toThrow(/group/);
  });

  it('refers to other files by the name of their import', async () => {
    const money = protobuf<unknown>({
      subject: 'money',
      message: 'm.Money',
      definition: 'syntax = "proto3"; package m; message Money { string currency = 1; int64 cents = 2; }',
    });
    const codec = await openCodec(
      protobuf<unknown>({
        subject: 's',
        message: 'a.M',
        definition: 'syntax = "proto3"; package a; import "money.proto"; message M { m.Money price = 1; }',
        references: { 'money.proto': money },
      }),
      localRegistry(),
    );
    const value = { price: { currency: 'EUR', cents: 5 } };
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });
});

it('messages of any size within others have their sizes in front of them', async () => {
  const codec = await openCodec(order(), localRegistry());
  for (const length of [0, 120, 128, 16_370, 16_384, 2_097_140, 2_097_152]) {
    const note = 'x'.repeat(length);
    const value = { ...whole, parent: { ...empty, note, parent: { ...empty, note } } };
    expect(codec.decode(codec.encode(value))).toEqual(value);
  }
});

it('keys of maps are read as what they are, and refused where they are none', async () => {
  const definition = `syntax = "proto3"; package p;
    message Maps { map<bool, int32> flags = 1; map<int64, int32> large = 2; map<sint32, int32> small = 3; map<string, int32> names = 4; }`;
  for (const long of ['number', 'bigint'] as const) {
    const codec = await openCodec(
      protobuf<unknown>({ subject: 's', definition, message: 'p.Maps', long }),
      localRegistry(),
    );
    const value = {
      flags: { true: 1, false: 2 },
      large: { '-5': 1, '9007199254740991': 2 },
      small: { '-7': 1 },
      names: { '1': 1, true: 2 },
    };
    expect(codec.decode(codec.encode(value))).toEqual(value);
    for (const wrong of [{ flags: { yes: 1 } }, { large: { '1.5': 1 } }, { small: { x: 1 } }, { small: { '': 1 } }])
      expect(() => codec.encode({ ...value, ...wrong })).toThrow();
  }
});
