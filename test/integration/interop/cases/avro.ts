import { decimal, evolution, type PayloadCase, refused, same } from '../case.js';

const record = (...fields: object[]) => ({ text: JSON.stringify({ type: 'record', name: 'shop.Order', fields }) });
const id = { name: 'id', type: 'string' };
const kind = (symbols: string[], more: object = { default: 'OTHER' }) =>
  record(id, { name: 'kind', type: { type: 'enum', name: 'Kind', symbols, ...more } });
const branches = (...types: unknown[]) => record(id, { name: 'note', type: types });
const only = (type: unknown, more: object = {}) => record({ name: 'value', type, ...more });

const everyType = record(
  { name: 'nothing', type: 'null' },
  { name: 'flag', type: 'boolean' },
  { name: 'small', type: 'int' },
  { name: 'large', type: 'long' },
  { name: 'single', type: 'float' },
  { name: 'double', type: 'double' },
  { name: 'bytes', type: 'bytes' },
  { name: 'text', type: 'string' },
  { name: 'digest', type: { type: 'fixed', name: 'Digest', size: 2 } },
  { name: 'list', type: { type: 'array', items: { type: 'array', items: 'int' } } },
  { name: 'map', type: { type: 'map', values: 'long' } },
  { name: 'any', type: ['null', 'string', 'boolean', { type: 'array', items: 'int' }] },
  { name: 'next', type: ['null', 'shop.Order'], default: null },
);
const leaf = {
  nothing: null,
  flag: true,
  small: -(2 ** 31),
  large: -(2n ** 63n),
  single: 0.5,
  double: -1e300,
  bytes: Buffer.of(0, 255),
  text: 'tea ☕ 😀',
  digest: Buffer.of(1, 254),
  list: [[], [1, -1]],
  map: { a: 1n, 'ü€': 2n ** 63n - 1n },
  any: [1, 2],
  next: null,
};

const logical = record(
  { name: 'millis', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'micros', type: { type: 'long', logicalType: 'timestamp-micros' } },
  { name: 'day', type: { type: 'int', logicalType: 'date' } },
  { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 } },
  { name: 'rate', type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 10 }] },
  { name: 'fixed', type: { type: 'fixed', name: 'F', size: 6, logicalType: 'decimal', precision: 12, scale: 1 } },
  { name: 'wide', type: { type: 'fixed', name: 'W', size: 16, logicalType: 'decimal', precision: 9, scale: 2 } },
  { name: 'far', type: { type: 'long', logicalType: 'timestamp-micros' } },
  { name: 'unique', type: { type: 'string', logicalType: 'uuid' } },
  { name: 'clock', type: { type: 'int', logicalType: 'time-millis' } },
);

export const avroCases: readonly PayloadCase[] = [
  same('avro', 'every type, to its edges', everyType, { ...leaf, any: 'x', next: leaf }),
  same('avro', 'logical types: timestamps, date, decimals, uuid, time', logical, {
    millis: new Date('2024-02-29T12:00:00.123Z'),
    micros: new Date('1960-01-01T00:00:00.001Z'),
    day: new Date('1969-12-31T00:00:00Z'),
    price: decimal('-1234567890.05'),
    rate: decimal('12345678901234567890.0123456789'),
    fixed: decimal('-0.1'),
    wide: decimal('-0.01'),
    far: new Date('9999-12-31T23:59:59.999Z'),
    unique: '5f0f1a52-6b5d-4d8b-9d3c-0a4b5c6d7e8f',
    clock: 86_399_999,
  }),
  ...evolution(
    'avro',
    'a field with a default, added',
    { schema: record(id), value: { id: 'a' }, reads: { id: 'b' } },
    {
      schema: record(id, { name: 'tags', type: { type: 'array', items: 'string' }, default: ['x'] }),
      value: { id: 'b', tags: [] },
      reads: { id: 'a', tags: ['x'] },
    },
  ),
  ...evolution(
    'avro',
    'a field without a default, added',
    { schema: record(id), value: { id: 'a' }, reads: { id: 'b' } },
    { schema: record(id, { name: 'n', type: 'int' }), value: { id: 'b', n: 1 }, reads: refused('schema-incompatible') },
  ),
  ...evolution(
    'avro',
    'fields removed and put in another order',
    {
      schema: record({ name: 'gone', type: 'string', default: 'g' }, id, { name: 'n', type: 'int' }),
      value: { gone: 'x', id: 'a', n: 1 },
      reads: { gone: 'g', id: 'b', n: 2 },
    },
    { schema: record({ name: 'n', type: 'int' }, id), value: { n: 2, id: 'b' }, reads: { n: 1, id: 'a' } },
  ),
  ...evolution(
    'avro',
    'a field renamed, with an alias',
    {
      schema: record(id, { name: 'cents', type: 'int', default: 0 }),
      value: { id: 'a', cents: 5 },
      reads: { id: 'b', cents: 0 }, // an alias helps who reads with it
    },
    {
      schema: record(id, { name: 'amount', aliases: ['cents'], type: 'int' }),
      value: { id: 'b', amount: 6 },
      reads: { id: 'a', amount: 5 },
    },
  ),
  ...(
    [
      ['int', 'long', 5, 5n, 6n],
      ['int', 'double', 5, 5, 6.5],
      ['long', 'float', 5n, 5, 6.5],
      ['float', 'double', 0.5, 0.5, 1.5],
      ['string', 'bytes', 'ü', Buffer.from('ü'), undefined],
    ] as const
  ).flatMap(([from, to, value, promoted, newer]) => {
    // Bytes and text are read as each other; a wider number is never read as a narrower one.
    const back =
      from === 'string' ? { value: promoted, reads: value } : { value: newer, reads: refused('schema-incompatible') };
    return evolution(
      'avro',
      `${from} promoted to ${to}`,
      { schema: only(from), value: { value }, reads: 'refused' in Object(back.reads) ? back.reads : { value } },
      { schema: only(to), value: { value: back.value }, reads: { value: promoted } },
    );
  }),
  ...evolution(
    'avro',
    'a symbol added to an enum that has a default',
    { schema: kind(['OTHER', 'CARD']), value: { id: 'a', kind: 'CARD' }, reads: { id: 'b', kind: 'OTHER' } },
    {
      schema: kind(['OTHER', 'CARD', 'CASH']),
      value: { id: 'b', kind: 'CASH' },
      reads: { id: 'a', kind: 'CARD' },
    },
  ),
  ...evolution(
    'avro',
    'a symbol added to an enum that has none',
    { schema: kind(['CARD'], {}), value: { id: 'a', kind: 'CARD' }, reads: refused('schema-incompatible') },
    { schema: kind(['CASH', 'CARD'], {}), value: { id: 'b', kind: 'CASH' }, reads: { id: 'a', kind: 'CARD' } },
  ),
  ...evolution(
    'avro',
    'a branch added to a union, and met',
    { schema: branches('null', 'string'), value: { id: 'a', note: 'n' }, reads: refused('schema-incompatible') },
    {
      schema: branches('boolean', 'null', 'string'),
      value: { id: 'b', note: true },
      reads: { id: 'a', note: 'n' },
    },
  ),
  ...evolution(
    'avro',
    'a branch added to a union, and not met',
    { schema: branches('null', 'string'), value: { id: 'a', note: null }, reads: { id: 'b', note: 'n' } },
    { schema: branches('boolean', 'string', 'null'), value: { id: 'b', note: 'n' }, reads: { id: 'a', note: null } },
  ),
  ...evolution(
    'avro',
    'a field made optional',
    { schema: only('string'), value: { value: 'a' }, reads: { value: 'b' } },
    { schema: only(['null', 'string']), value: { value: 'b' }, reads: { value: 'a' } },
  ),
  ...evolution(
    'avro',
    'a decimal of another scale',
    {
      schema: only({ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
      value: { value: decimal('1.25') },
      reads: refused('schema-incompatible'),
      othersRead: { value: decimal('1.250') }, // with the writer's scale, whatever their own schema says
    },
    {
      schema: only({ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 3 }),
      value: { value: decimal('1.250') },
      reads: refused('schema-incompatible'),
      othersRead: { value: decimal('1.25') },
    },
  ),
];
