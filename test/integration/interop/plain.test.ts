import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawRecord } from '../../../src/core/index.js';
import { fresh } from '../kafka/world.js';
import { isRefusal } from './case.js';
import { plainCases } from './cases/plain.js';
import { startPython } from './foreign-process.js';
import { kcatReads, kcatWrites } from './kcat.js';
import { decode, encode, type OurClient, openOurs, recordOf } from './our-client.js';

// CSV, JSON, NDJSON, text and bytes, in both directions.

const python = startPython();
let ours: OurClient;
beforeAll(async () => {
  ours = await openOurs();
});
afterAll(async () => {
  await ours.close();
  await python.end();
});

const named = (cases: typeof plainCases) =>
  cases.map((each, at) => [`${each.format}: ${each.what}`, each, at] as const);
const task = (op: 'read' | 'write', topic: string, cases: typeof plainCases) => ({
  op,
  ...{ client: 'standard', topic, cases: cases.map(({ format, theirs }) => ({ format, value: theirs })) },
});

describe('what the modules of Python write, and kcat, byte by byte', () => {
  const fromPython = plainCases.filter(({ theirs }) => theirs !== undefined);
  const topics = { python: fresh('plain-python'), kcat: fresh('plain-kcat') };
  let records: Record<keyof typeof topics, RawRecord[]>;
  beforeAll(async () => {
    await ours.createTopic(topics.python);
    await ours.createTopic(topics.kcat);
    await python.ask(task('write', topics.python, fromPython));
    await kcatWrites(
      topics.kcat,
      plainCases.map((each) => each.bytes),
    );
    records = { python: await ours.readAll(topics.python), kcat: await ours.readAll(topics.kcat) };
  });
  it.each(named(fromPython))('Python, %s', async (_, { schema, ours: expected }, at) => {
    expect(await decode(schema, records.python[at] as RawRecord, ours.registry)).toEqual(expected);
  });
  it.each(named(plainCases))('kcat, %s', async (_, { schema, ours: expected }, at) => {
    expect(await decode(schema, records.kcat[at] as RawRecord, ours.registry)).toEqual(expected);
  });
});

describe('what we write', () => {
  const written = plainCases.filter(({ ours: value }) => !isRefusal(value));
  const topic = fresh('plain-out');
  let payloads: Uint8Array[] = [];
  let read: unknown[] = [];
  beforeAll(async () => {
    await ours.createTopic(topic);
    payloads = await Promise.all(written.map((each) => encode(each.schema, each.ours, ours.registry)));
    await ours.append(topic, payloads.map(recordOf));
    read = (await python.ask<{ values: unknown[] }>(task('read', topic, written))).values;
  });
  it.each(named(written))('is read by Python, %s', (_, { theirs }, at) => {
    expect(read[at]).toEqual(theirs);
  });
  it('is printed by kcat byte by byte', async () => {
    expect(await kcatReads(topic)).toEqual(payloads.map((payload) => Buffer.from(payload)));
  });
});
