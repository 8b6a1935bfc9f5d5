import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawRecord } from '../../../src/core/index.js';
import { fresh } from '../kafka/world.js';
import { isRefusal, type PayloadCase } from './case.js';
import { avroCases } from './cases/avro.js';
import { jsonSchemaCases } from './cases/json-schema.js';
import { protobufCases } from './cases/protobuf.js';
import { type Client, casesOf, clients } from './clients.js';
import { startPython } from './foreign-process.js';
import { startJavaScript } from './javascript-client.js';
import { decode, encode, type OurClient, openOurs, recordOf, schemaOf } from './our-client.js';
import { oursOf, theirsOf } from './values.js';

// Every format with a schema, with every client that speaks it, in both directions, with the older and the newer version of
// the schema on either side. The cases and the clients are data; docs/guide/interoperability.md is made of the same.

const cases: readonly PayloadCase[] = [...avroCases, ...jsonSchemaCases, ...protobufCases];
const python = startPython();
const javascript = startJavaScript(python);
let ours: OurClient;
beforeAll(async () => {
  ours = await openOurs();
});
afterAll(async () => {
  await ours.close();
  await python.end();
});

/** One case under a subject of its own: what other cases wrote has nothing to do with it. */
const subjectOf = (topic: string, at: number) => `${topic}-${at}`;

/** A record of each case, as the client writes it. */
async function theyWrite({ name }: Client, topic: string, chosen: readonly PayloadCase[]): Promise<void> {
  if (name === 'confluent-js') {
    const payloads = await Promise.all(chosen.map((each, at) => javascript.write(each, subjectOf(topic, at))));
    return ours.append(topic, payloads.map(recordOf));
  }
  const tasks = chosen.map(({ format, writer, written }, at) => ({
    format,
    writer,
    subject: subjectOf(topic, at),
    value: theirsOf(format, written),
  }));
  await python.ask({ op: 'write', ...{ client: pythonName(name), topic, cases: tasks } });
}

async function theyRead({ name }: Client, topic: string, chosen: readonly PayloadCase[]): Promise<unknown[]> {
  if (name === 'confluent-js') {
    const records = await ours.readAll(topic);
    return Promise.all(
      chosen.map((each, at) => javascript.read(each, subjectOf(topic, at), records[at]?.value as Uint8Array)),
    );
  }
  const tasks = chosen.map(({ format, reader }) => ({ format, reader }));
  const task = { op: 'read', ...{ client: pythonName(name), topic, cases: tasks } };
  return (await python.ask<{ values: unknown[] }>(task)).values;
}

const pythonName = (name: Client['name']) => (name === 'confluent-python' ? 'confluent' : 'bare');

/** What the client must make of what we wrote. */
function readByThem({ readsWith }: Client, { format, written, read, readByOthers }: PayloadCase): unknown {
  if (readsWith === "the writer's") return theirsOf(format, written);
  if (readByOthers !== undefined) return readByOthers;
  return isRefusal(read) ? { $refused: expect.any(String) } : theirsOf(format, read);
}

const all = clients.flatMap((client) =>
  client.formats.map((format) => [`${format} with ${client.title}`, client, format] as const),
);

describe.each(all)('%s', (_, client, format) => {
  const chosen = casesOf(client, cases).filter((payload) => payload.format === format);
  const named = chosen.map((payload, at) => [`${payload.what} (${payload.versions})`, payload, at] as const);

  describe('they write, we read', () => {
    const topic = fresh(`${format}-in`);
    let records: RawRecord[] = [];
    beforeAll(async () => {
      await ours.createTopic(topic);
      await theyWrite(client, topic, chosen);
      records = await ours.readAll(topic);
    });
    it.each(named)('%s', async (_, payload, at) => {
      const schema = schemaOf(payload, payload.reader, subjectOf(topic, at), client.framing);
      expect(await decode(schema, records[at] as RawRecord, ours.registry)).toEqual(oursOf(payload.read));
    });
  });

  if (client.cannotRead?.[format] !== undefined) return;
  describe('we write, they read', () => {
    const topic = fresh(`${format}-out`);
    let read: unknown[] = [];
    beforeAll(async () => {
      await ours.createTopic(topic);
      const encoding = chosen.map((payload, at) => {
        const schema = schemaOf(payload, payload.writer, subjectOf(topic, at), client.framing);
        return encode(schema, oursOf(payload.written), ours.registry);
      });
      const payloads = await Promise.all(encoding);
      await ours.append(topic, payloads.map(recordOf));
      read = await theyRead(client, topic, chosen);
    });
    it.each(named)('%s', (_, payload, at) => {
      expect(read[at]).toEqual(readByThem(client, payload));
    });
  });
});
