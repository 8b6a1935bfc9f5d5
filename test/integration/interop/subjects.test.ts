import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawRecord } from '../../../src/core/index.js';
import type { Schema } from '../../../src/core/schema.js';
import { registerSchema } from '../../../src/schema/index.js';
import { address } from '../address.js';
import { fresh } from '../kafka/world.js';
import { referenceCases, type Strategy, strategies, subjectCases } from './cases/subjects.js';
import { startPython } from './foreign-process.js';
import { decode, encode, type OurClient, openOurs, recordOf, schemaOf } from './our-client.js';

// Confluent's strategies of subjects, and schemas that refer to others, with Confluent's serializers for Python.

const python = startPython();
let ours: OurClient;
beforeAll(async () => {
  ours = await openOurs();
});
afterAll(async () => {
  await ours.close();
  await python.end();
});

const versionsOf = async (subject: string): Promise<number[]> => {
  const response = await fetch(`${address('MILLRACE_REGISTRY')}/subjects/${encodeURIComponent(subject)}/versions`);
  expect(response.status).toBe(200);
  return (await response.json()) as number[];
};
const registered = async (schema: Schema<unknown>) =>
  (await registerSchema(schema, ours.registry)) ?? expect.fail('it was not registered');
const idIn = ({ value }: RawRecord) => Buffer.from(value as Uint8Array).readInt32BE(1);

const each = subjectCases.flatMap((payload) =>
  (Object.keys(strategies) as Strategy[]).map(
    (strategy) => [`${payload.format}, by ${strategy}`, payload, strategy] as const,
  ),
);

describe('subjects', () => {
  it.each(each)('%s: theirs is ours', async (_, payload, strategy) => {
    const { format, schema: text, record, value } = payload;
    const topic = fresh('subjects');
    const subject = strategies[strategy](topic, record);
    await ours.createTopic(topic);
    const cases = [{ format, writer: text, reader: text, value, subject, strategy }];
    await python.ask({ op: 'write', ...{ client: 'confluent', topic, cases } });
    const before = await versionsOf(subject);
    const schema = schemaOf(payload, text, subject);
    const payloads = [await encode(schema, value, ours.registry)];
    await ours.append(topic, payloads.map(recordOf));
    // Of Protobuf they register a descriptor and we the text, which a registry may take for another version.
    if (format !== 'protobuf') expect(await versionsOf(subject)).toEqual(before);
    const records = await ours.readAll(topic);
    for (const each of records) expect(await decode(schema, each, ours.registry)).toEqual(value);
    const read = { op: 'read', ...{ client: 'confluent', topic, cases: [...cases, ...cases] } };
    expect((await python.ask<{ values: unknown[] }>(read)).values).toEqual([value, value]);
  });
});

describe('schemas that refer to others', () => {
  it.each(referenceCases.map((payload) => [payload.format, payload] as const))('%s', async (_, payload) => {
    const { format, schema: text, referred, value } = payload;
    const topic = fresh('references');
    const subject = `${topic}-value`;
    const referredTo = schemaOf(payload, referred.schema, format === 'protobuf' ? referred.name : `${topic}-referred`);
    await ours.createTopic(topic);
    await registered(referredTo);
    const references = [{ name: referred.name, subject: referredTo.subject, text: referred.schema.text }];
    const cases = [{ format, writer: text, reader: text, value, subject, references }];
    await python.ask({ op: 'write', ...{ client: 'confluent', topic, cases } });
    const schema = { ...schemaOf(payload, text, subject), references: { [referred.name]: referredTo } };
    await ours.append(topic, [recordOf(await encode(schema, value, ours.registry))]);
    const records = await ours.readAll(topic);
    for (const each of records) expect(await decode(schema, each, ours.registry)).toEqual(value);
    if (format !== 'protobuf') expect(new Set(records.map(idIn)).size).toBe(1);
    const read = { op: 'read', ...{ client: 'confluent', topic, cases: [...cases, ...cases] } };
    expect((await python.ask<{ values: unknown[] }>(read)).values).toEqual([value, value]);
  });
});
