import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RegistryFormat, SchemaText } from '../../src/core/schema.js';
import { typesOf } from '../../src/schema/typescript/index.js';

const schema = (format: RegistryFormat, text: string | object): SchemaText => ({
  format,
  text: typeof text === 'string' ? text : JSON.stringify(text),
  references: [],
});

describe('TypeScript of a schema', () => {
  it('of Avro', () => {
    const flight = readFileSync(new URL('../../schemas/flight-departed.v1.avsc', import.meta.url), 'utf8');
    expect(typesOf(schema('avro', flight))).toMatchInlineSnapshot(`
      "/** A flight has left its gate. Nothing in it tells when it will arrive. Key: the origin. */
      export interface FlightDeparted {
        readonly flightId: number;
        /** Actual departure, UTC. */
        readonly departedAt: number;
        /** Local time at the origin less UTC, at that moment. */
        readonly utcOffsetMinutes: number;
        /** IATA code of the airport. */
        readonly origin: string | null;
        /** IATA code of the airport. */
        readonly destination: string | null;
        /** Miles. */
        readonly distance: number | null;
      }"
    `);
    const all = schema('avro', {
      type: 'record',
      name: 'a.b.All',
      fields: [
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'serial', type: 'long' },
        { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
        { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
        { name: 'list', type: { type: 'array', items: ['null', 'string'] } },
        { name: 'map', type: { type: 'map', values: 'bytes' } },
        { name: 'either', type: ['null', 'int', 'double'] },
        { name: 'next', type: ['null', 'All'], doc: 'The */ next.' },
        { name: 'other', type: { type: 'record', name: 'c.All', fields: [] } },
      ],
    });
    expect(typesOf(all, { long: 'bigint', timestamp: 'date' })).toMatchInlineSnapshot(`
      "import type { Decimal } from 'millrace';

      export interface All {
        readonly at: Date;
        readonly serial: bigint;
        readonly amount: Decimal;
        readonly kind: 'A' | 'B';
        readonly list: readonly (string | null)[];
        readonly map: Readonly<Record<string, Uint8Array>>;
        readonly either: { readonly 'int': number } | { readonly 'double': number } | null;
        /** The * / next. */
        readonly next: All | null;
        readonly other: CAll;
      }

      export interface CAll {
      }"
    `);
    expect(typesOf(schema('avro', '"string"'))).toBe('export type Value = string;');
  });

  it('of Protobuf', () => {
    const proto = schema(
      'protobuf',
      `syntax = "proto3"; package p;
      import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto";
      /** An order. */
      message Order {
        message Line { string name = 1; bytes raw = 2; }
        enum Kind { NONE = 0; SOME = 1; }
        uint64 order_id = 1; // Its number.
        Kind kind = 2;
        repeated Line lines = 3;
        map<string, Order> parts = 4;
        oneof how { string card = 5; bool cash = 6; }
        google.protobuf.Timestamp at = 7;
        google.protobuf.Int64Value rating = 8;
        google.protobuf.Struct extra = 9;
        google.protobuf.Value any = 10;
        optional double weight = 11;
      }
      message Unused { int32 x = 1; }`,
    );
    expect(typesOf(proto, { message: 'p.Order', long: 'bigint' })).toMatchInlineSnapshot(`
      "/** An order. */
      export interface Order {
        /** Its number. */
        readonly orderId: bigint;
        readonly kind: 'NONE' | 'SOME' | number;
        readonly lines: readonly OrderLine[];
        readonly parts: Readonly<Record<string, Order>>;
        readonly card: string | null;
        readonly cash: boolean | null;
        readonly at: Date | null;
        readonly rating: bigint | null;
        readonly extra: Readonly<Record<string, unknown>> | null;
        readonly any: unknown;
        readonly weight: number | null;
      }

      export interface OrderLine {
        readonly name: string;
        readonly raw: Uint8Array;
      }"
    `);
    expect(typesOf(proto)).toContain('export interface Unused');
    expect(() => typesOf(proto, { message: 'p.No' })).toThrow(/no message p.No/);
  });

  it('of Protobuf messages that have the same name in different packages', () => {
    const money = {
      format: 'protobuf',
      text: 'syntax = "proto3"; package b; message Money { string c = 1; }',
    } as const;
    const text = `syntax = "proto3"; package a; import "b.proto";
      message M { b.Money theirs = 1; Money ours = 2; } message Money { int32 cents = 1; }`;
    const references = [{ name: 'b.proto', subject: 'b.proto', schema: { ...money, references: [] } }];
    const types = typesOf({ format: 'protobuf', text, references }, { message: 'a.M' });
    expect(types).toContain('theirs: Money | null');
    expect(types).toContain('ours: AMoney | null');
    expect(types.match(/export interface (\w+)/g)).toEqual([
      'export interface M',
      'export interface Money',
      'export interface AMoney',
    ]);
  });

  it('of a JSON schema that is more than one object', () => {
    const properties = (name: string) => ({ [name]: { enum: ["it's", 'two\nlines', 'back\\slash "quoted"'] } });
    const order = schema('json-schema', {
      title: 'Order',
      properties: properties('own'),
      allOf: [{ properties: properties('first') }, { properties: { none: { enum: [] } } }],
    });
    expect(typesOf(order)).toMatchInlineSnapshot(`
      "export type Order = Order1 & Order2 & OrderOwn;

      export interface Order1 {
        readonly first?: 'it\\'s' | 'two\\nlines' | 'back\\\\slash "quoted"';
      }

      export interface Order2 {
        readonly none?: never;
      }

      export interface OrderOwn {
        readonly own?: 'it\\'s' | 'two\\nlines' | 'back\\\\slash "quoted"';
      }"
    `);
    expect(typesOf(schema('avro', ['null', { type: 'record', name: 'Value', fields: [] }]))).toMatchInlineSnapshot(`
      "export type Value2 = Value | null;

      export interface Value {
      }"
    `);
  });

  it('of a JSON schema', () => {
    const payment = schema('json-schema', {
      title: 'card payment',
      description: 'A payment.',
      type: 'object',
      properties: {
        id: { type: 'string', description: 'Its id.' },
        'odd-name': { type: ['number', 'null'] },
        method: { enum: ['card', "c'ash", 1] },
        state: { const: 'new', default: 'new' },
        lines: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
        to: { $ref: '#/definitions/account' },
        either: { oneOf: [{ type: 'string' }, { type: 'object', properties: { x: { type: 'boolean' } } }] },
        rest: { type: 'object', additionalProperties: { type: 'number' } },
        any: {},
      },
      required: ['id'],
      definitions: { account: { type: 'object', properties: { parent: { $ref: '#/definitions/account' } } } },
    });
    expect(typesOf(payment)).toMatchInlineSnapshot(`
      "/** A payment. */
      export interface CardPayment {
        /** Its id. */
        readonly id: string;
        readonly "odd-name"?: number | null;
        readonly method?: 'card' | 'c\\'ash' | 1;
        readonly state: 'new';
        readonly lines?: readonly CardPaymentLinesItem[];
        readonly to?: Account;
        readonly either?: string | CardPaymentEither2;
        readonly rest?: Readonly<Record<string, number>>;
        readonly any?: unknown;
      }

      export interface CardPaymentLinesItem {
        readonly n: number;
      }

      export interface Account {
        readonly parent?: Account;
      }

      export interface CardPaymentEither2 {
        readonly x?: boolean;
      }"
    `);
    expect(typesOf(schema('json-schema', { title: 'Ids', type: 'array', items: { type: 'integer' } }))).toBe(
      'export type Ids = readonly number[];',
    );
  });

  it('of a JSON schema that refers to others, by the name of the part or of the file', () => {
    const order = schema('json-schema', {
      title: 'Order',
      properties: { to: { $ref: 'common/postal-address.json' }, by: { $ref: 'common/people.json#/definitions/agent' } },
    });
    const part = { type: 'object', properties: { a: { type: 'string' } } };
    const references = [
      ['common/postal-address.json', part],
      ['common/people.json', { definitions: { agent: part } }],
    ].map(([name, text]) => ({
      name: String(name),
      subject: String(name),
      schema: schema('json-schema', text as object),
    }));
    expect(typesOf({ ...order, references })).toContain('readonly to?: PostalAddress;\n  readonly by?: Agent;');
    // A schema that is its own list has no name to be referred to by.
    expect(typesOf(schema('json-schema', { type: 'array', items: { $ref: '#' } }))).toMatch(/^export type Value/);
  });
});
