import { evolution, type PayloadCase, refused, same } from '../case.js';

const object = (properties: object, more: object = {}) => ({
  text: JSON.stringify({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Payment',
    type: 'object',
    properties: { id: { type: 'string' }, ...properties },
    required: ['id'],
    ...more,
  }),
});
const plain = object({});
const required = { required: ['id', 'cents'] };

export const jsonSchemaCases: readonly PayloadCase[] = [
  same(
    'json-schema',
    'objects, arrays, oneOf, null, numbers, text',
    object({
      lines: { type: 'array', items: { type: 'object', additionalProperties: { type: 'integer' } } },
      paid: { oneOf: [{ type: 'null' }, { type: 'boolean' }, { type: 'number' }] },
      next: { $ref: '#' },
      note: { type: ['string', 'null'] },
    }),
    {
      id: 'tea ☕ 😀 "\\\n',
      lines: [{}, { a: 2 ** 53, ü: -1 }],
      paid: -1.5e-7,
      next: { id: 'b', paid: null },
      note: null,
    },
  ),
  ...evolution(
    'json-schema',
    'an optional property, added',
    { schema: plain, value: { id: 'a' }, reads: { id: 'b', note: 'n' } },
    { schema: object({ note: { type: 'string' } }), value: { id: 'b', note: 'n' }, reads: { id: 'a' } },
  ),
  ...evolution(
    'json-schema',
    'a property with a default, added',
    { schema: plain, value: { id: 'a' }, reads: { id: 'b', method: 'cash' } },
    {
      schema: object({ method: { type: 'string', default: 'card' } }),
      value: { id: 'b', method: 'cash' },
      reads: { id: 'a', method: 'card' },
      othersRead: { id: 'a' }, // filling in is ours alone
    },
  ),
  ...evolution(
    'json-schema',
    'a required property, added',
    { schema: plain, value: { id: 'a' }, reads: { id: 'b', cents: 5 } },
    {
      schema: object({ cents: { type: 'integer' } }, required),
      value: { id: 'b', cents: 5 },
      reads: refused('schema-violation'),
    },
  ),
  ...evolution(
    'json-schema',
    'a property removed where no others are allowed',
    {
      schema: object({ gone: { type: 'string' } }, { additionalProperties: false }),
      value: { id: 'a', gone: 'x' },
      reads: { id: 'b' },
    },
    { schema: object({}, { additionalProperties: false }), value: { id: 'b' }, reads: refused('schema-violation') },
  ),
  ...evolution(
    'json-schema',
    'a bound widened',
    {
      schema: object({ cents: { type: 'number', maximum: 10 } }),
      value: { id: 'a', cents: 9 },
      reads: refused('schema-violation'),
    },
    {
      schema: object({ cents: { type: 'number', maximum: 20 } }),
      value: { id: 'b', cents: 15 },
      reads: { id: 'a', cents: 9 },
    },
  ),
];
