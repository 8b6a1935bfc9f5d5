import { request as httpRequest } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { producingOver } from '../../connectors/kafka/batch-sender.js';
import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../connectors/kafka/connection/connection-pool.js';
import { openKafka } from '../../connectors/kafka/open.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import { createInference } from '../../src/inference/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry } from '../../src/schema/index.js';
import { getOrInsert } from '../../src/util/maps.js';
import { cases, type MemoryCase, MIB, PARTITIONS, TOPIC } from './cases.js';

// A process of `memory.bench.ts`: writes what a case reads, or runs its topology over it, and says what it counted.

const config = resolveConfig({ env: process.env });

async function fill({ records, batches }: MemoryCase): Promise<void> {
  if (config.profile === 'cluster') await createTopic();
  const profile = await openProfile(config);
  const producer = profile.producer();
  if (config.profile === 'embedded') await producer.createTopic(TOPIC, PARTITIONS);
  const send = async () => {
    let held: OutgoingRecord[] = [];
    for (const record of records()) {
      held.push(record);
      if (held.length < 4) continue;
      await producer.send(TOPIC, held);
      held = [];
    }
    await producer.send(TOPIC, held);
  };
  await send();
  if (batches) {
    for (const batch of batches()) await append(batch);
    await send();
  }
  await producer.close();
  await profile.close();
}

const brokers = () => (process.env.MILLRACE_KAFKA ?? '').split(',');

async function createTopic(): Promise<void> {
  const kafka = await openKafka({ brokers: brokers(), registry: localRegistry() });
  await kafka.createTopic(TOPIC, PARTITIONS, { 'max.message.bytes': String(16 * MIB) });
  await kafka.close();
}

/** As no client of ours would write it. */
async function append(bytes: Buffer): Promise<void> {
  const cluster = await Cluster.open({ brokers: brokers() });
  const connections = new ConnectionPool(cluster.linkOptions);
  const produce = await producingOver(connections, null)((await cluster.leader(TOPIC, 0)).address);
  await produce([{ topic: TOPIC, partition: 0, bytes }]);
  await connections.close();
  await cluster.close();
}

/** To the end of what is there, or until it is told to stop. */
async function run({ topology }: MemoryCase, bounded: boolean): Promise<object> {
  const held = monitorEventLoopDelay({ resolution: 5 });
  held.enable();
  const profile = await openProfile(config);
  const inference = createInference();
  const running = await runTopology(topology, { profile, inference, bounded });
  if (!bounded) process.once('SIGTERM', () => void running.stop());
  await running.finished;
  const counters = Object.fromEntries(
    running.snapshot().counters.map(({ step, name, value }) => [`${step}/${name}`, value]),
  );
  await inference.close();
  await profile.close();
  return { counters, heldMs: Math.round(held.max / 1e6) };
}

/** Posts the bodies, all at once, and says how many answers had which status. */
async function post({ bodies }: MemoryCase): Promise<object> {
  const port = Number(process.env.MEMORY_PORT);
  const packed = new Map<string, Buffer>();
  const all = [...(bodies?.each() ?? [])].map((body) => getOrInsert(packed, body, () => gzipSync(body)));
  while (!(await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))) await sleep(100);
  const statuses: Record<string, number> = {};
  const one = (body: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'content-encoding': 'gzip', 'content-length': body.length };
      const request = httpRequest({ port, method: 'POST', headers }, (response) => {
        const status = String(response.statusCode);
        statuses[status] = (statuses[status] ?? 0) + 1;
        response.resume().once('end', resolve);
      });
      request.once('error', reject).end(body);
    });
  const atOnce = bodies?.atOnce ?? 1;
  for (let at = 0; at < all.length; at += atOnce) await Promise.all(all.slice(at, at + atOnce).map(one));
  return { statuses, packedBytes: [...packed.values()].map(({ length }) => length) };
}

const [name = '', work] = process.argv.slice(2);
const chosen = cases[name] as MemoryCase;
const works: Readonly<Record<string, (of: MemoryCase) => Promise<unknown>>> = {
  fill,
  post,
  run: (of) => run(of, true),
  serve: (of) => run(of, false),
};
process.stdout.write(`${JSON.stringify(await works[work ?? 'run']?.(chosen)) ?? '{}'}\n`);
process.exit(0); // a model's threads, or a client's timers, are of no account here
