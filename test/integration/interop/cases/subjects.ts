import type { RegistryFormat } from '../../../../src/core/schema.js';
import { subjects } from '../../../../src/schema/index.js';
import type { CaseSchema } from '../case.js';

// Under which subjects schemas are registered, and schemas that refer to others: Confluent's serializers and we must mean the
// same ones.

export interface SubjectCase {
  readonly format: RegistryFormat;
  readonly schema: CaseSchema;
  /** The name of its record, as the strategies of Confluent have it. */
  readonly record: string;
  readonly value: unknown;
}

export const strategies = {
  topic: (topic: string, _: string) => subjects.topic(topic),
  record: (_: string, record: string) => subjects.record(record),
  topicRecord: (topic: string, record: string) => subjects.topicRecord(topic, record),
} as const;
export type Strategy = keyof typeof strategies;

const text = (schema: object) => JSON.stringify(schema);
const draft = 'http://json-schema.org/draft-07/schema#';

export const subjectCases: readonly SubjectCase[] = [
  {
    format: 'avro',
    record: 'named.Order',
    schema: { text: text({ type: 'record', name: 'named.Order', fields: [{ name: 'id', type: 'string' }] }) },
    value: { id: 'a' },
  },
  {
    format: 'json-schema',
    record: 'NamedOrder',
    schema: { text: text({ $schema: draft, title: 'NamedOrder', type: 'object' }) },
    value: { id: 'a' },
  },
  {
    format: 'protobuf',
    record: 'named.Order',
    schema: { text: 'syntax = "proto3"; package named; message Order { string id = 1; }', message: 'named.Order' },
    value: { id: 'a' },
  },
];

export interface ReferenceCase extends SubjectCase {
  /** The schema that it refers to, under the name that the text has for it. */
  readonly referred: { readonly name: string; readonly schema: CaseSchema };
}

export const referenceCases: readonly ReferenceCase[] = [
  {
    format: 'avro',
    record: 'Person',
    referred: {
      name: 'geo.Address',
      schema: { text: text({ type: 'record', name: 'geo.Address', fields: [{ name: 'city', type: 'string' }] }) },
    },
    schema: { text: text({ type: 'record', name: 'Person', fields: [{ name: 'home', type: 'geo.Address' }] }) },
    value: { home: { city: 'Ulm' } },
  },
  {
    format: 'json-schema',
    record: 'List',
    referred: { name: 'item.json', schema: { text: text({ $schema: draft, type: 'object', required: ['n'] }) } },
    schema: { text: text({ $schema: draft, title: 'List', type: 'array', items: { $ref: 'item.json' } }) },
    value: [{ n: 1 }],
  },
  {
    format: 'protobuf',
    record: 'o.Order',
    referred: {
      name: 'money.proto',
      schema: { text: 'syntax = "proto3"; package m; message Money { string currency = 1; }', message: 'm.Money' },
    },
    schema: {
      text: 'syntax = "proto3"; package o; import "money.proto"; message Order { m.Money total = 1; }',
      message: 'o.Order',
    },
    value: { total: { currency: 'EUR' } },
  },
];
