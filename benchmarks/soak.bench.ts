/**
 * Does memory stay as it is under full load, and does an outage of a sink lose anything?
 *
 * The flights topology on real Kafka, Redis and ClickHouse, in a process whose heap is measured after a collection once a
 * minute. A feeder stays ahead of it. ClickHouse is killed for two minutes in the middle. At the end plain clients count
 * what lies in the topic, the tables and the hashes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definition as clickhouseTables } from '../connectors/clickhouse/definition.js';
import { definition as kafka } from '../connectors/kafka/definition.js';
import { openKafka } from '../connectors/kafka/open.js';
import { definition as redis } from '../connectors/redis/definition.js';
import { resolveConfig } from '../src/profiles/config.js';
import { confluentRegistry } from '../src/schema/index.js';
import { stackStatus, startStack, stopStack } from '../stack/stack.js';
import type { Benchmark } from './benchmark.js';
import { type Spread, spreadOf } from './pairs.js';
import { check } from './soak/check.js';
import { follow, heapGrowthOf, planOf } from './soak/course.js';
import type { FeederServices } from './soak/feeder.js';
import { Remote } from './soak/remote.js';
import type { WorkerServices } from './soak/running.js';
import { PARTITIONS, topics } from './soak/topology.js';

export const options = { minutes: 20, flights: 100_000, ahead: 200_000 };

export const benchmark: Benchmark<typeof options> = async (progress, { minutes, flights, ahead }) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-soak-'));
  const stack = await startStack({ ports: 0, dataDir, log: progress });
  const feeder = new Remote<FeederServices>(new URL('./soak/feeder.ts', import.meta.url));
  const worker = new Remote<WorkerServices>(new URL('./soak/worker.ts', import.meta.url));
  try {
    const env = { ...stack.env, MILLRACE_PROFILE: 'cluster' };
    const { registry, valuesOf } = resolveConfig({ env });
    const reached = {
      ...valuesOf(kafka.settings),
      ...valuesOf(redis.settings),
      ...valuesOf(clickhouseTables.settings),
    };
    const { kafka: broker, clickhouse } = reached;
    const cluster = await openKafka({ brokers: [broker], registry: confluentRegistry({ url: registry }) });
    for (const topic of Object.values(topics)) await cluster.createTopic(topic, PARTITIONS);
    await cluster.close();

    await feeder.ask.start({ broker, registry, flights, aheadMax: ahead });
    await worker.ask.start({ env, bounded: false });
    const port = Number(new URL(clickhouse).port);
    const course = await follow(planOf(minutes), {
      status: worker.ask.status,
      measure: worker.ask.measure,
      advance: feeder.ask.advance,
      progress,
      endClickHouse: () => endClickHouse(dataDir),
      startClickHouse: async () => {
        await startStack({ services: ['clickhouse'], ports: { clickhouse: port }, dataDir });
      },
    });
    const { warnings } = await worker.ask.status();
    const fed = await feeder.ask.finish(join(dataDir, 'slots.json'));
    await worker.ask.stop();
    await worker.ask.start({ env, bounded: true });
    await worker.ask.finish();
    const verdict = await check(reached, fed);
    const right = Object.values(verdict.wrong).every((count) => count === 0);
    const growth = heapGrowthOf(course);
    progress(`${right ? 'nothing lost, nothing doubled' : 'WRONG'}: ${JSON.stringify(verdict)}`);
    if (!right || growth >= 1) process.exitCode = 1;

    const loaded = course.filter(({ outage }) => !outage);
    const rates = loaded.map(({ rate }) => rate);
    return {
      unit: 'as named',
      figures: {
        'records/s, by the minute': spreadOf(rates),
        'heap after a collection, MiB': spreadOf(loaded.map(({ heap }) => heap)),
        'heap growth over the last 15 minutes, MiB a minute': single(growth),
        'resident memory, MiB': spreadOf(course.map(({ residentMax }) => residentMax)),
      },
      ratios: {
        'records/s, last three minutes through the first three': single(
          mean(rates.slice(-3)) / mean(rates.slice(0, 3)),
        ),
      },
      details: { right, verdict, warnings, course },
    };
  } finally {
    feeder.end();
    worker.end();
    await stopStack(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  }
};

async function endClickHouse(dataDir: string): Promise<void> {
  const found = (await stackStatus(dataDir)).find(({ name }) => name === 'clickhouse');
  if (found?.pid === undefined) throw new Error('ClickHouse does not run');
  process.kill(found.pid, 'SIGKILL');
}

const single = (value: number): Spread => ({ median: value, low: value, high: value });
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
