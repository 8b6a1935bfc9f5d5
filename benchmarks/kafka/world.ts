import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kafka, openKafka } from '../../connectors/kafka/open.js';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { localRegistry, openCodec } from '../../src/schema/index.js';
import { stackStatus, startStack } from '../../stack/stack.js';
import type { FlightEvents } from '../work/flight-events.js';
import { topics } from './task.js';

const PARTITIONS = 4;
const CHUNK = 20_000;

/** Runs `use` beside a broker of its own, on a free port and in a new folder, and takes both away. */
export async function withBroker<T>(
  log: (line: string) => void,
  use: (broker: string, kafka: Kafka, brokerPid: number, dataDir: string) => Promise<T>,
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const stack = await startStack({ services: ['kafka'], ports: 0, dataDir, log });
  try {
    const broker = stack.env.MILLRACE_KAFKA as string;
    const status = await stackStatus(dataDir);
    const brokerPid = status.find(({ name }) => name === 'kafka')?.pid ?? -1;
    const kafka = await openKafka({ brokers: [broker], registry: localRegistry() });
    try {
      return await use(broker, kafka, brokerPid, dataDir);
    } finally {
      await kafka.close();
    }
  } finally {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Writes both topics of the flights and creates those that the work writes. */
export async function load(kafka: Kafka, events: FlightEvents): Promise<void> {
  for (const topic of Object.values(topics)) await kafka.createTopic(topic, PARTITIONS);
  const registry = localRegistry();
  const departedCodec = await openCodec(FlightDepartedV1, registry);
  const arrivedCodec = await openCodec(FlightArrivedV1, registry);
  const producer = kafka.producer();
  const origins = new Map<number, Uint8Array>();
  for (const [partition, size] of events.sizes.entries()) {
    for (let from = 0; from < size; from += CHUNK) {
      const part = events.slice(partition, from, from + CHUNK);
      const departed = part.flatMap((event) => (event.departed ? [event.departed] : []));
      for (const { flightId, origin } of departed) origins.set(flightId, Buffer.from(origin ?? ''));
      await producer.send(
        topics.departed,
        departed.map((flight) => ({
          key: origins.get(flight.flightId) ?? null,
          value: departedCodec.encode(flight),
          timestampMs: flight.departedAt,
        })),
      );
      await producer.send(
        topics.arrived,
        part.flatMap((event) => {
          if (event.departed) return [];
          const { arrived } = event;
          const key = origins.get(arrived.flightId) ?? null;
          origins.delete(arrived.flightId);
          return [{ key, value: arrivedCodec.encode(arrived), timestampMs: arrived.arrivedAt }];
        }),
      );
    }
  }
  await producer.close();
}
