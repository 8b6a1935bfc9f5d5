import { expect, it } from 'vitest';
import type { SchemaText } from '../../src/core/schema.js';
import { localRegistry } from '../../src/schema/index.js';

const record = '{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}';
const avro: SchemaText = { format: 'avro', text: record, references: [] };

// Records that are stored carry these numbers: another digest would leave them without a schema.
it.each<[string, SchemaText, number]>([
  ['Avro', avro, 228_952_128],
  ['Avro with a reference', { ...avro, references: [{ name: 'S', subject: 's', schema: avro }] }, 257_196_475],
  ['JSON Schema', { format: 'json-schema', text: '{"type":"object"}', references: [] }, 802_942_846],
  ['Protobuf', { format: 'protobuf', text: 'syntax = "proto3"; message M {}', references: [] }, 1_720_266_959],
])('the id of a schema stays what it is: %s', async (_, schema, id) => {
  expect(await localRegistry().idOf('subject', schema)).toBe(id);
});

it('has one id for one schema, however it is spaced', async () => {
  const registry = localRegistry();
  const spaced = { ...avro, text: JSON.stringify(JSON.parse(record), null, 2) };
  expect(await registry.idOf('subject', spaced)).toBe(await registry.idOf('other', avro));
});
