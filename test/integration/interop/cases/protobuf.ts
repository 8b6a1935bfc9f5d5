import { evolution, type PayloadCase, refused, same } from '../case.js';

const file = (body: string, { imports = '', syntax = 'proto3' } = {}) => ({
  text: `syntax = "${syntax}";\npackage shop;\n${imports}\n${body}`,
  message: 'shop.Order',
});
const order = (fields: string) => file(`message Order { string id = 1; ${fields} }`);

const proto2 = (fields: string) => file(`message Order { required string id = 1; ${fields} }`, { syntax: 'proto2' });

const numbers = file(`message Order {
  double a = 1; float b = 2; int32 c = 3; int64 d = 4; uint32 e = 5; uint64 f = 6; sint32 g = 7; sint64 h = 8;
  fixed32 i = 9; fixed64 j = 10; sfixed32 k = 11; sfixed64 l = 12; bool m = 13; string n = 14; bytes o = 15;
  repeated sint64 packed = 16; repeated bool loose = 17 [packed = false]; repeated string texts = 18;
}`);
const edges = {
  a: -1e300,
  b: 0.5,
  c: -(2 ** 31),
  d: -(2n ** 63n),
  e: 2 ** 32 - 1,
  f: 2n ** 64n - 1n,
  g: -(2 ** 31),
  h: 2n ** 63n - 1n,
  i: 2 ** 32 - 1,
  j: 2n ** 64n - 1n,
  k: -(2 ** 31),
  l: -(2n ** 63n),
  m: true,
  n: 'tea ☕ 😀',
  o: Buffer.of(0, 255),
  packed: [0n, -(2n ** 63n)],
  loose: [true, false],
  texts: ['', 'x'],
};
const zeros = {
  ...Object.fromEntries([...'abcegik'].map((name) => [name, 0])),
  ...Object.fromEntries([...'dfhjl'].map((name) => [name, 0n])),
  m: false,
  n: '',
  o: Buffer.alloc(0),
  packed: [],
  loose: [],
  texts: [],
};

const nested = file(`message Before { int32 x = 1; }
message Order {
  message Line { string article_name = 1; uint32 count = 2; Order gift = 3; string address_line_1 = 4; }
  enum Kind { NONE = 0; CARD = 1; }
  Kind kind = 1;
  repeated Line lines = 2;
  oneof payment { string card = 3; Line voucher = 4; int64 cents = 5; }
  map<string, sint64> stock = 6;
  map<int32, Line> by_number = 7;
  optional string note = 8;
}`);
const empty = {
  kind: 'NONE',
  lines: [],
  card: null,
  voucher: null,
  cents: null,
  stock: {},
  byNumber: {},
  note: null,
};
const line = { articleName: 'tea', count: 4_000_000_000, gift: null, addressLine1: 'x' };

const wellKnown = file(
  `message Order {
  google.protobuf.Timestamp at = 1;
  google.protobuf.Struct extra = 2;
  google.protobuf.Value any = 3;
  google.protobuf.ListValue list = 4;
  google.protobuf.Int64Value rating = 5;
  google.protobuf.BoolValue fine = 6;
  google.protobuf.StringValue note = 7;
}`,
  { imports: ['timestamp', 'struct', 'wrappers'].map((name) => `import "google/protobuf/${name}.proto";`).join('\n') },
);

export const protobufCases: readonly PayloadCase[] = [
  same('protobuf', 'every scalar, to its edges', numbers, edges),
  same('protobuf', 'zeros, which are not written', numbers, zeros),
  same('protobuf', 'nested messages, enum, oneof, maps, optional', nested, {
    ...empty,
    kind: 'CARD',
    lines: [line, { ...line, gift: { ...empty, note: '' } }],
    voucher: line,
    stock: { a: -5n, ü: 2n ** 60n },
    byNumber: { '-1': line },
    note: '',
  }),
  same('protobuf', 'a member of a oneof that is zero', nested, { ...empty, cents: 0n }),
  same('protobuf', 'well-known types', wellKnown, {
    at: new Date('1960-02-29T12:00:00.123Z'),
    extra: { a: [1, 'x', null, { b: true }], c: {} },
    any: 'x',
    list: [1, [null]],
    rating: 0n,
    fine: false,
    note: '',
  }),
  ...evolution(
    'protobuf',
    'fields added',
    { schema: order(''), value: { id: 'a' }, reads: { id: 'b' } },
    {
      schema: order('bytes blob = 13; fixed64 serial = 14; repeated Order parts = 15; map<string, string> tags = 16;'),
      value: {
        id: 'b',
        blob: Buffer.of(1),
        serial: 2n ** 63n,
        parts: [{ id: 'c', blob: Buffer.alloc(0), serial: 0n, parts: [], tags: {} }],
        tags: { a: 'b' },
      },
      reads: { id: 'a', blob: Buffer.alloc(0), serial: 0n, parts: [], tags: {} },
    },
  ),
  ...evolution(
    'protobuf',
    'a field removed, its number reserved',
    { schema: order('string gone = 2;'), value: { id: 'a', gone: 'x' }, reads: { id: 'b', gone: '' } },
    { schema: order('reserved 2;'), value: { id: 'b' }, reads: { id: 'a' } },
  ),
  ...evolution(
    'protobuf',
    'a field renamed: numbers count',
    { schema: order('int32 cents = 2;'), value: { id: 'a', cents: 5 }, reads: { id: 'b', cents: 6 } },
    { schema: order('int32 amount = 2;'), value: { id: 'b', amount: 6 }, reads: { id: 'a', amount: 5 } },
  ),
  ...evolution(
    'protobuf',
    'a member added to a oneof',
    {
      schema: order('oneof paid { string card = 2; }'),
      value: { id: 'a', card: 'x' },
      reads: { id: 'b', card: null },
    },
    {
      schema: order('oneof paid { string card = 2; int32 cash = 3; }'),
      value: { id: 'b', card: null, cash: 0 },
      reads: { id: 'a', card: 'x', cash: null },
    },
  ),
  ...evolution(
    'protobuf',
    'a field moved into a oneof',
    { schema: order('string card = 2;'), value: { id: 'a', card: 'x' }, reads: { id: 'b', card: 'y' } },
    {
      schema: order('oneof paid { string card = 2; }'),
      value: { id: 'b', card: 'y' },
      reads: { id: 'a', card: 'x' },
    },
  ),
  ...evolution(
    'protobuf',
    'a value added to an enum',
    {
      schema: order('enum Kind { NONE = 0; } Kind kind = 2;'),
      value: { id: 'a', kind: 'NONE' },
      reads: { id: 'b', kind: 7 },
    },
    {
      schema: order('enum Kind { NONE = 0; CARD = 7; } Kind kind = 2;'),
      value: { id: 'b', kind: 'CARD' },
      reads: { id: 'a', kind: 'NONE' },
    },
  ),
  ...evolution(
    'protobuf',
    'int32 widened to int64',
    { schema: order('int32 n = 2;'), value: { id: 'a', n: -5 }, reads: { id: 'b', n: 6 } },
    { schema: order('int64 n = 2;'), value: { id: 'b', n: 6n }, reads: { id: 'a', n: -5n } },
  ),
  ...evolution(
    'protobuf',
    'packed, and not packed any more',
    {
      schema: order('repeated int32 ns = 2;'),
      value: { id: 'a', ns: [1, -1] },
      reads: { id: 'b', ns: [2] },
    },
    {
      schema: order('repeated int32 ns = 2 [packed = false];'),
      value: { id: 'b', ns: [2] },
      reads: { id: 'a', ns: [1, -1] },
    },
  ),
  ...evolution(
    'protobuf',
    'a number that becomes a text: another field',
    { schema: order('int32 n = 2;'), value: { id: 'a', n: 5 }, reads: { id: 'b', n: 0 } },
    { schema: order('string n = 2;'), value: { id: 'b', n: 'x' }, reads: { id: 'a', n: '' } },
  ),
  ...evolution(
    'protobuf',
    'a required field, added (proto2)',
    { schema: proto2('optional int32 n = 2;'), value: { id: 'a', n: 0 }, reads: { id: 'b', n: null } },
    {
      schema: proto2('required int32 m = 3;'),
      value: { id: 'b', m: 6 },
      reads: refused('malformed'),
      othersRead: { id: 'a' }, // Python looks for it when it writes
    },
  ),
];
