import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { infer, json, millis, topology } from '../../../src/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { type App, start } from '../../../src/run.js';
import { openCodec } from '../../../src/schema/index.js';
import { OwnServer } from './own-server.js';

// What a run keeps of its models in a Redis: their newest batches, and their answers for all processes.

let server: OwnServer;
let client: Client;
let folder: string;
beforeAll(async () => {
  server = await OwnServer.start();
  client = server.client();
  folder = mkdtempSync(join(tmpdir(), 'millrace-answers-'));
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Reading {
  readonly n: number;
}
const ReadingV1 = json<Reading>();
const model = fileURLToPath(new URL('../../inference/models/identity.onnx', import.meta.url));

const flow = topology('readings', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('readings', kafka.source({ topic: 'readings', schema: ReadingV1 }))
    .via(
      'score',
      infer({
        ...{ model, as: 'scored', batchMax: 16, waitMax: millis(5), providers: ['cpu'], cacheBytesMax: 1e6 },
        inputs: { x: ({ n }: Reading) => ({ shape: [4], data: Float32Array.of(n, n / 3, -n, 1) }) },
      }),
    )
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});

const ROWS = 100;

/** A process with a folder of its own, which reads all there is: the numbers that it wrote, and what became of the model's rows. */
async function run(name: string, from: number) {
  const data = join(folder, name);
  const settings = { flags: { data } };
  const before = await openProfile(resolveConfig(settings));
  const codec = await openCodec(ReadingV1, before.schemas);
  const producer = before.producer();
  await producer.createTopic('readings', 1);
  const values = Array.from({ length: ROWS }, (_, i) => codec.encode({ n: from + i }));
  await producer.send(
    'readings',
    values.map((value, i) => ({ key: null, value, timestampMs: i })),
  );
  await producer.close();
  await before.close();

  const warnings: string[] = [];
  const app: App = await start(flow, {
    ...{ data, untilEnd: true, inferenceHashes: 'batches:', inferenceCacheSeconds: 3_600, inferencePrice: 1 },
    env: { MILLRACE_REDIS: `redis://127.0.0.1:${server.port}` },
    onWarning: (message) => void warnings.push(message),
  });
  await app.finished;
  const [stats] = app.snapshot().models;
  return { stats, warnings };
}

it('keeps the newest batches, and answers for other processes, which ask the model no more', async () => {
  const first = await run('first', 0);
  expect(first.warnings).toEqual([]);
  expect(first.stats?.cache).toEqual({ hits: 0, shared: 0, misses: ROWS });
  const hashes = await client.keys('batches:readings:identity.onnx:*');
  const rows = await Promise.all(hashes.map((key) => client.hgetall(key)));
  expect(rows.reduce((sum, row) => sum + Number(row.rows), 0)).toBe(ROWS);
  for (const row of rows) {
    expect(row).toMatchObject({ topology: 'readings', model: 'identity.onnx', provider: 'cpu' });
    expect(Number(row.costPer1000)).toBeCloseTo(Number(row.workerSeconds) / 3.6 / Number(row.rows), 9);
  }
  expect(await client.ttl(hashes[0] as string)).toBeGreaterThan(0);
  const answers = await client.keys('millrace:answer:*');
  expect(answers).toHaveLength(ROWS);
  expect(await client.ttl(answers[0] as string)).toBeGreaterThan(3_500);

  const second = await run('second', ROWS / 2);
  expect(second.stats).toMatchObject({ rows: ROWS / 2, cache: { hits: ROWS / 2, shared: ROWS / 2, misses: ROWS / 2 } });
});

it('goes on without a Redis, and says what is missing', async () => {
  await server.kill();
  const { stats, warnings } = await run('alone', 0);
  expect(stats).toMatchObject({ rows: ROWS, cache: { hits: 0, shared: 0, misses: ROWS } });
  expect(warnings.filter((each) => each.startsWith('answers of models are not shared in Redis now'))).toHaveLength(1);
  expect(warnings.some((each) => each.startsWith('the batches of models are not in Redis under batches: yet'))).toBe(
    true,
  );
});
