import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { mismatchesOf } from '../../../src/cli/run/config-mismatches.js';
import { needsRegistry, profileProblems } from '../../../src/cli/run/profile-problems.js';
import type { Schema } from '../../../src/core/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { avro, json, registerSchema } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';

type Row = Readonly<Record<string, unknown>>;
const record = (subject: string, ...fields: readonly (readonly [name: string, type: string])[]): Schema<Row> => {
  const definition = { type: 'record', name: 'R', fields: fields.map(([name, type]) => ({ name, type })) };
  return avro<Row>({ subject, definition: JSON.stringify(definition) });
};
const id = ['id', 'long'] as const;

const data = mkdtempSync(join(tmpdir(), 'millrace-problems-'));
let profile: OpenProfile;
beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { data }, env: {} }));
  const producer = profile.producer();
  await producer.createTopic('in', 1);
  await producer.createTopic('two', 2);
  await registerSchema(record('in-value', id), profile.schemas);
  await registerSchema(record('out-value', id), profile.schemas);
});
afterAll(async () => {
  await profile.close();
  rmSync(data, { recursive: true, force: true });
});

interface Ends {
  readonly reads?: Schema<Row>;
  readonly writes?: Schema<Row>;
  readonly topic?: string;
  readonly partitions?: number;
}
const flow = ({ reads = record('in-value', id), writes = record('out-value', id), topic = 'in', partitions }: Ends) =>
  topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const rows = t.source('rows', kafka.source({ topic, schema: reads }));
    const target = partitions === undefined ? { topic: 'out' } : { topic: 'two', partitions };
    rows.to('out', kafka.sink({ ...target, schema: writes }));
    rows
      .repartition('by-id', { key: String, schema: writes })
      .to('moved', kafka.sink({ topic: 'moved', schema: json() }));
  });
const problemsOf = (ends: Ends) => profileProblems(flow(ends), profile);
const schemaProblem = (where: string, reason: string) => [
  { code: 'schema', where, message: expect.stringContaining(reason), hint: expect.any(String) },
];

it('finds nothing where schemas are the same, may read what is registered, or are not registered yet', async () => {
  expect(await problemsOf({})).toEqual([]);
  expect(await problemsOf({ topic: 'two', reads: record('new-value', id) })).toEqual([]);
  const spaced = JSON.stringify(JSON.parse(record('in-value', id).definition as string), null, 2);
  expect(await problemsOf({ reads: avro<Row>({ subject: 'in-value', definition: spaced }) })).toEqual([]);
  expect(await mismatchesOf(flow({}), profile)).toEqual([]);
});

it('names a reader that cannot decode what is registered for its subject, or for its topic', async () => {
  const reads = record('in-value', id, ['amount', 'double']);
  expect(await problemsOf({ reads })).toEqual(schemaProblem('rows', 'version 1 of in-value: amount: '));
  expect(await problemsOf({ reads: record('typo-value', ['id', 'string']) })).toEqual(
    schemaProblem('rows', 'version 1 of in-value: id: '),
  );
  expect(await problemsOf({ reads: json<Row>() })).toEqual(
    schemaProblem('rows', 'version 1 of in-value is avro, and this is json'),
  );
});

it('names a writer whose schema is no next version of the registered one, also of a repartition', async () => {
  const writes = record('out-value', ['id', 'string']);
  expect(await problemsOf({ writes })).toEqual([
    ...schemaProblem('out', 'version 1 of out-value: id: '),
    ...schemaProblem('by-id', 'version 1 of out-value: id: '),
  ]);
});

it('names inputs that are missing or not co-partitioned, and targets with other partitions', async () => {
  expect(await problemsOf({ topic: 'nowhere' })).toEqual([
    {
      code: 'source',
      where: 'rows',
      message: 'topic nowhere does not exist',
      hint: expect.stringContaining('creates it'),
    },
  ]);
  const both = topology('both', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    for (const topic of ['in', 'two'])
      t.source(topic, kafka.source({ topic, schema: json<Row>() })).to(
        `to-${topic}`,
        kafka.sink({ topic: `${topic}.out`, schema: json<Row>() }),
      );
  });
  expect(await profileProblems(both, profile)).toContainEqual(
    expect.objectContaining({ code: 'config', where: 'two', message: expect.stringContaining('co-partitioned') }),
  );
  expect(await mismatchesOf(flow({ partitions: 3 }), profile)).toMatchObject([
    { sink: 'out', setting: 'partitions', declared: '3', actual: '2', refused: true },
  ]);
});

it('needs a registry only for schemas that are in one', () => {
  const bare = avro<Row>({ subject: 'in-value', definition: '"long"', framing: 'none' });
  expect(needsRegistry(flow({ reads: json(), writes: bare }))).toBe(false);
  expect([needsRegistry(flow({ writes: json() })), needsRegistry(flow({ reads: json() }))]).toEqual([true, true]);
});
