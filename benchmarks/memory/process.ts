import { monitorEventLoopDelay } from 'node:perf_hooks';
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

async function run({ topology }: MemoryCase): Promise<object> {
  const held = monitorEventLoopDelay({ resolution: 5 });
  held.enable();
  const profile = await openProfile(config);
  const inference = createInference();
  const running = await runTopology(topology, { profile, inference, bounded: true });
  await running.finished;
  const counters = Object.fromEntries(
    running.snapshot().counters.map(({ step, name, value }) => [`${step}/${name}`, value]),
  );
  await inference.close();
  await profile.close();
  return { counters, heldMs: Math.round(held.max / 1e6) };
}

const [name = '', work] = process.argv.slice(2);
const chosen = cases[name] as MemoryCase;
process.stdout.write(`${JSON.stringify(work === 'fill' ? await fill(chosen) : await run(chosen)) ?? '{}'}\n`);
process.exit(0); // a model's threads, or a client's timers, are of no account here
