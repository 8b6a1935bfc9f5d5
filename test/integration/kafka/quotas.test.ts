import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  alterClientQuotasV1,
  ClientQuotaEntityTypes,
  ClientQuotaKeys,
  type ClientQuotaKeyValue,
  type Connection,
  ConnectionPool,
} from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import type { Profile } from '../../../src/core/profile.js';
import { map } from '../../../src/operators/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { broker, foreignRead, fresh, json, open } from './world.js';

const name = fresh('quotas');
const RECORDS = 6_000;
const FILLER = 'f'.repeat(400);
/** Bytes a second, a fraction of what is read and written. */
const RATE = 200_000;

async function setQuotas(clientId: string, rate: number | undefined): Promise<void> {
  const [host = '', port = ''] = broker().split(':');
  const pool = new ConnectionPool('test', {});
  const connection = await pool.get({ host, port: Number(port) });
  const keys: ClientQuotaKeyValue[] = [ClientQuotaKeys.PRODUCER_BYTE_RATE, ClientQuotaKeys.CONSUMER_BYTE_RATE];
  const ops = keys.map((key) =>
    rate === undefined ? ({ key, remove: true } as const) : ({ key, value: rate, remove: false } as const),
  );
  const entities = [{ entityType: ClientQuotaEntityTypes.CLIENT_ID, entityName: clientId }];
  await alterClientQuotasV1.api.async(connection, [{ entities, ops }], false);
  await pool.close();
}

let plain: Kafka;
beforeAll(async () => {
  plain = await open({ prefix: name });
  await plain.createTopic(`${name}.in`, 2);
  const producer = plain.producer();
  const records = Array.from({ length: RECORDS }, (_, n) => ({
    key: Buffer.from(`${n % 10}`),
    value: Buffer.from(JSON.stringify({ n, filler: FILLER })),
    timestampMs: 1_000 + n,
  }));
  await producer.send(`${name}.in`, records);
  await producer.close();
});
afterAll(async () => {
  await setQuotas(name, undefined);
  for (const each of ['in', 'limited', 'free', 'dead']) await plain.deleteTopic(`${name}.${each}`);
  for (const each of ['limited', 'free']) await plain.forget(`${name}-${each}`);
  await plain.close();
});

const copyTo = (out: string) =>
  topology(`${name}-${out}`, { deadLetters: specs.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
    t.source('in', specs.source({ topic: `${name}.in`, schema: json }))
      .via(
        'same',
        map((value) => value),
      )
      .to('out', specs.sink({ topic: `${name}.${out}`, schema: json }));
  });

async function run(kafka: Kafka, out: string) {
  const profile: Profile = {
    name: 'test',
    sources: { kafka: kafka.source },
    sinks: { kafka: kafka.topicSink },
    openLedger: kafka.openLedger,
    throttledMs: () => kafka.throttledMs(),
    schemas: localRegistry(),
    close: async () => undefined,
  };
  const began = performance.now();
  const running = await runTopology(copyTo(out), { profile, inference: noInference, bounded: true });
  await running.finished;
  const { throttledMs, health } = running.snapshot();
  return {
    tookMs: performance.now() - began,
    throttledMs,
    restarts: health.reduce((sum, task) => sum + task.restarts, 0),
  };
}

const numbersIn = async (out: string) =>
  (await foreignRead(`${name}.${out}`))
    .map(({ value }) => (JSON.parse(value ?? '') as { n: number }).n)
    .sort((a, b) => a - b);

interface Call {
  readonly connection: Connection;
  readonly result?: { readonly throttleTimeMs?: number };
}

/** Counts requests on connections that a broker has just said not to use. */
function watchful() {
  const held = new Map<Connection, number>();
  let early = 0;
  const started = (message: unknown) => {
    if ((held.get((message as Call).connection) ?? 0) > performance.now() + 5) early += 1;
  };
  const answered = (message: unknown) => {
    const { connection, result } = message as Call;
    if (result?.throttleTimeMs) held.set(connection, performance.now() + result.throttleTimeMs);
  };
  subscribe('tracing:plt:kafka:connections:api:start', started);
  subscribe('tracing:plt:kafka:connections:api:asyncStart', answered);
  return {
    connections: () => held.size,
    early: () => early,
    end() {
      unsubscribe('tracing:plt:kafka:connections:api:start', started);
      unsubscribe('tracing:plt:kafka:connections:api:asyncStart', answered);
    },
  };
}

it('a client over its quota is slower, told of, and right: brokers that throttle are left alone until they say', async () => {
  const free = await run(plain, 'free');
  expect(free).toMatchObject({ throttledMs: 0, restarts: 0 });

  await setQuotas(name, RATE);
  const warnings: string[] = [];
  const limited = await open({ prefix: name, clientId: name, onWarning: (message) => warnings.push(message) });
  const watch = watchful();
  try {
    const slow = await run(limited, 'limited');
    process.stdout.write(
      `quota: ${Math.round(slow.tookMs)} ms, of them throttled ${Math.round(slow.throttledMs)}, without ${Math.round(free.tookMs)}\n`,
    );
    expect(slow.throttledMs).toBeGreaterThan(500);
    expect(slow.tookMs).toBeGreaterThan(free.tookMs + 500);
    expect(slow.restarts).toBe(0);
    expect(watch.connections()).toBeGreaterThan(0);
    expect(watch.early()).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('exceeds a quota')]);
  } finally {
    watch.end();
    await limited.close();
  }
  const everything = Array.from({ length: RECORDS }, (_, n) => n);
  expect(await numbersIn('free')).toEqual(everything);
  expect(await numbersIn('limited')).toEqual(everything);
});
