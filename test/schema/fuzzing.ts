import { kafka } from '../../connectors/kafka/index.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import type { Schema } from '../../src/core/schema.js';
import {
  avro,
  bytes,
  csv,
  json,
  jsonSchema,
  localRegistry,
  ndjson,
  openCodec,
  protobuf,
  text,
} from '../../src/schema/index.js';
import { TopologyTest } from '../../src/testing/topology-test.js';
import { topology } from '../../src/topology/index.js';
import { generator } from '../random.js';

// Payloads that a broken or hostile producer might send: spoilt copies of good ones, since bytes by mere chance never get
// past a header. They go through a whole topology, so that each must come out as a value or as a dead letter.

export interface Format {
  readonly schema: Schema<unknown>;
  readonly values: readonly unknown[];
}

const departed = {
  flightId: 1_234_567,
  departedAt: 978_307_200_000,
  utcOffsetMinutes: -300,
  origin: 'JFK',
  destination: 'BOS',
  distance: 187,
};

const tree = {
  type: 'record',
  name: 'Tree',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'nulls', type: { type: 'array', items: 'null' } },
    { name: 'weights', type: { type: 'map', values: { type: 'array', items: 'double' } } },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 2 } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'serial', type: 'long' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'any', type: ['null', 'string', 'boolean', { type: 'array', items: 'int' }] },
    { name: 'children', type: { type: 'array', items: 'Tree' } },
  ],
};
const leaf = {
  name: 'leaf',
  nulls: [null, null],
  weights: { a: [1, 2], b: [] },
  amount: '-12.50',
  at: new Date(0),
  serial: -(2n ** 62n),
  kind: 'B',
  any: [1, 2],
  children: [],
};

const proto = `
syntax = "proto3";
package fuzz;
import "google/protobuf/timestamp.proto";
import "google/protobuf/struct.proto";
message Node {
  int64 id = 1;
  string name = 2;
  repeated int32 numbers = 3;
  map<string, Node> children = 4;
  oneof choice { string text = 5; Node node = 6; }
  google.protobuf.Timestamp at = 7;
  google.protobuf.Struct extra = 8;
  repeated string tags = 9;
  double weight = 10;
  enum Kind { NONE = 0; SOME = 1; }
  Kind kind = 11;
  fixed64 serial = 12;
}`;
const node = {
  id: 5,
  name: 'n',
  numbers: [1, -1],
  tags: ['a'],
  at: new Date(5),
  extra: { a: [1, { b: null }] },
  kind: 'SOME',
};

const nodeSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string', maxLength: 20 },
    at: { type: 'string', format: 'date-time' },
    children: { type: 'array', items: { $ref: '#' }, maxItems: 3 },
  },
  required: ['id'],
};
const nested = { id: 1, name: 'n', at: '2024-01-01T00:00:00Z', children: [{ id: 2, children: [{ id: 3 }] }] };

/** Every format, with values to spoil. */
export const formats: Readonly<Record<string, Format>> = {
  'avro-flat': { schema: FlightDepartedV1 as Schema<unknown>, values: [departed, { ...departed, origin: null }] },
  'avro-nested': {
    schema: avro<unknown>({ subject: 'tree', definition: JSON.stringify(tree), long: 'bigint', timestamp: 'date' }),
    values: [leaf, { ...leaf, any: 'x', children: [leaf, { ...leaf, children: [leaf] }] }],
  },
  protobuf: {
    schema: protobuf<unknown>({ subject: 'node', definition: proto, message: 'fuzz.Node' }),
    values: [node, { ...node, node, children: { a: node, b: { children: { c: node } } } }],
  },
  'json-schema': {
    schema: jsonSchema<unknown>({ subject: 'nested', definition: JSON.stringify(nodeSchema) }),
    values: [nested, { id: 1, children: [nested, nested] }],
  },
  json: { schema: json<unknown>(), values: [departed, [[['x']]], 'text'] },
  ndjson: { schema: ndjson<unknown>(), values: [departed, { a: [{ b: ['c'] }] }] },
  csv: {
    schema: csv({ columns: { a: 'text', b: 'number?', c: 'date', d: 'bigint', e: 'boolean' } }) as Schema<unknown>,
    values: [
      { a: 'x "y", z', b: 1.5, c: new Date(0), d: -5n, e: true },
      { a: '', b: null, c: new Date(1e12), d: 0n, e: false },
    ],
  },
  text: { schema: text() as Schema<unknown>, values: ['plain', 'äöü€😀'] },
  bytes: { schema: bytes() as Schema<unknown>, values: [Buffer.from('abc')] },
};

const interesting = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 0x22, 0x2c, 0x5b, 0x7b];

function mutate(original: Uint8Array, next: () => number): Uint8Array {
  const below = (n: number) => Math.floor(next() * n);
  let mutant = Buffer.from(original);
  for (let times = 1 + below(4); times > 0 && mutant.length > 0; times--) {
    const at = below(mutant.length);
    switch (below(7)) {
      case 0:
        mutant[at] = below(256);
        break;
      case 1:
        mutant[at] = interesting[below(interesting.length)] as number;
        break;
      case 2:
        mutant = mutant.subarray(0, at);
        break;
      case 3:
        mutant = Buffer.concat([mutant.subarray(0, at), Buffer.alloc(below(12), 0xff), mutant.subarray(at)]);
        break;
      case 4:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + below(4))]);
        break;
      case 5: {
        // A piece said again and again: what is nested gets deeper, what is counted gets longer.
        const piece = mutant.subarray(at, at + 1 + below(8));
        mutant = Buffer.concat([mutant.subarray(0, at), ...Array(1 + below(80)).fill(piece), mutant.subarray(at)]);
        break;
      }
      default:
        mutant = Buffer.concat([mutant, mutant.subarray(at)]);
    }
  }
  return mutant;
}

export interface Outcome {
  readonly values: number;
  readonly deadLettersByReason: Readonly<Record<string, number>>;
}

const BATCH = 10_000;

/**
 * Sends so many spoilt payloads of a format through a topology. Throws where one of them is neither a value nor a dead
 * letter with a reason, or anything fails that is no payload.
 */
export async function fuzzFormat({ schema, values }: Format, payloads: number, seed: number): Promise<Outcome> {
  const next = generator(seed);
  const registry = localRegistry();
  const codec = await openCodec(schema, registry);
  const originals = values.map((value) => codec.encode(value));
  const first = originals[0] as Uint8Array;
  const reasons = new Map<string, number>();
  let accepted = 0;
  for (let done = 0; done < payloads; done += BATCH) {
    const count = Math.min(BATCH, payloads - done);
    const mutants = Array.from({ length: count }, (_, i) => {
      const mutant = mutate(originals[i % originals.length] as Uint8Array, next);
      // Half of them keep a header that is known: otherwise most would never get past it.
      if (i % 2 === 0 && mutant.length >= 5) mutant.set(first.subarray(0, 5));
      return mutant;
    });
    const outcome = await through(schema, mutants);
    accepted += outcome.values;
    for (const reason of outcome.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (outcome.values + outcome.reasons.length !== count || outcome.reasons.includes('')) {
      throw new Error(`${count} payloads became ${outcome.values} values and ${outcome.reasons.length} dead letters`);
    }
  }
  return { values: accepted, deadLettersByReason: Object.fromEntries([...reasons].sort()) };
}

async function through(schema: Schema<unknown>, payloads: readonly Uint8Array[]) {
  const fuzzed = topology('fuzz', { deadLetters: kafka.deadLetters({ topic: 'dead' }) }, (t) => {
    t.source('in', kafka.source({ topic: 'in', schema, eventTime: () => 0 })).to(
      'out',
      kafka.sink({ topic: 'out', schema: json<unknown>() }),
    );
  });
  const test = new TopologyTest(fuzzed);
  try {
    // The ids that a writer's registry would have given are digests, so the memory's own registry gives the same.
    test.pipeRaw('in', payloads);
    await test.run();
    return { values: test.output('out').length, reasons: test.deadLetters().map(({ reason }) => reason) };
  } finally {
    await test.close();
  }
}
