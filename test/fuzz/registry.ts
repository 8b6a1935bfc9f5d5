import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MillraceError } from '../../src/core/errors.js';
import { avro, confluentRegistry, DecodeFailure, openDecoder } from '../../src/schema/index.js';
import { type Chance, chanceOf } from './chance.js';
import { hostileJson } from './payloads/hostile-json.js';
import { spoilt } from './spoilt-bytes.js';

// A registry that lies, is no registry, or refers in circles: its answers may cost a task its patience, never more.

const definition = JSON.stringify({ type: 'record', name: 'E', fields: [{ name: 'x', type: 'string' }] });

const nested = (depth: number) => `${'{"type":"array","items":'.repeat(depth)}"int"${'}'.repeat(depth)}`;
const texts = [
  definition,
  '"int"',
  '',
  '{',
  nested(5_000),
  'syntax = "proto3"; message E { E e = 1; }',
  '[]',
  '{"type":"E"}',
];

function hostileAnswer(chance: Chance): Buffer {
  const { pick, oneIn } = chance;
  const circle = [{ name: 'E', subject: 'E', version: 1 }];
  const answer = {
    schema: oneIn(10) ? pick([1, null, {}, []]) : pick(texts),
    ...(oneIn(3) ? { schemaType: pick(['AVRO', 'JSON', 'PROTOBUF', 'XML', 7, null]) } : {}),
    ...(oneIn(12)
      ? { references: pick<unknown>([circle, {}, [null], 'x', [{ name: 1 }], [...circle, ...circle]]) }
      : {}),
    version: 1,
  };
  const bytes = Buffer.from(JSON.stringify(answer));
  if (oneIn(3)) return spoilt(bytes, chance);
  return oneIn(8) ? hostileJson(chance) : bytes;
}

/** Asks for so many schemas. Throws where an answer gives anything but a value, a dead letter or a typed error. */
export async function fuzzRegistry(count: number, seed: number): Promise<Readonly<Record<string, number>>> {
  const chance = chanceOf(seed);
  const server = createServer((_, response) => {
    const type = chance.oneIn(10) ? 'text/html' : 'application/json';
    const status = chance.oneIn(30) ? chance.pick([204, 301, 404, 422]) : 200;
    response.writeHead(status, { 'content-type': type });
    response.end(status === 204 ? undefined : hostileAnswer(chance));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const outcomes = new Map<string, number>();
  try {
    for (let id = 1; id <= count; id++) {
      const outcome = await outcomeOf(url, id);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return Object.fromEntries([...outcomes].sort());
}

async function outcomeOf(url: string, id: number): Promise<string> {
  const payload = Buffer.from([0, 0, 0, 0, 0, 2, 0x61]);
  payload.writeInt32BE(id, 1);
  const schema = avro<unknown>({ subject: 'in-value', definition });
  try {
    const decoder = await openDecoder(schema, confluentRegistry({ url }));
    await decoder.prepare([{ offset: 0, timestampMs: 0, key: null, value: payload }]);
    decoder.decode(payload);
    return 'value';
  } catch (error) {
    if (error instanceof DecodeFailure) return error.reason;
    if (error instanceof MillraceError && error.code === 'schema') return 'schema';
    throw error;
  }
}
