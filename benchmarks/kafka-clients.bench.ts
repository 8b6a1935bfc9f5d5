/**
 * What does a record cost through the Kafka clients' own producers and consumers, beside our record batches?
 *
 * Values of 100 bytes with keys of 8, 4 partitions, no compression, acknowledged by all replicas, chunks of 10,000. Keys choose
 * the partition by murmur2 on all sides. Joining a group does not count.
 * Then each reads a topic with aborted transactions, from each of its offsets: how often did it give records that were aborted?
 */
import type { Benchmark } from './benchmark.js';
import { withBroker } from './kafka/world.js';
import { abortedIn, leaksOf } from './kafka-clients/aborted.js';
import { type Carrier, Meter, PARTITIONS, records } from './kafka-clients/carrier.js';
import { byKafkajs } from './kafka-clients/kafkajs.js';
import { byMillrace } from './kafka-clients/millrace.js';
import { byPlatformatic } from './kafka-clients/platformatic.js';
import { cpuOf, type Measured, measureInTurn, type Run, ratioOf, type Spread, spreadOf } from './pairs.js';

export const options = { records: 400_000, rounds: 5 };

async function measured(read: Carrier['read'], topic: string, count: number): Promise<Run> {
  const meter = new Meter(count);
  await read(topic, meter);
  return meter.whole;
}

export const benchmark: Benchmark<typeof options> = (progress, { records: count, rounds }) =>
  withBroker(progress, async (broker, kafka) => {
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    const carriers: readonly Carrier[] = [
      await byMillrace(broker, kafka),
      await byKafkajs(broker),
      await byPlatformatic(broker),
    ];
    const note = (way: string, { rates, cpuMicros, runs }: Measured) => {
      for (const { name } of carriers) {
        figures[`${way}, ${name}: records/s`] = rates[name] as Spread;
        figures[`${way}, ${name}: us of CPU a record`] = cpuMicros[name] as Spread;
      }
      const [ours, ...others] = carriers.map(({ name }) => name) as [string, ...string[]];
      for (const other of others)
        ratios[`${way}: CPU a record, ${other} through ${ours}`] = ratioOf(runs, other, ours, cpuOf);
    };
    try {
      const all = records(count);
      const [wanted, offered] = ['bench-in', 'bench-out'] as const;
      for (const topic of [wanted, offered]) await kafka.createTopic(topic, PARTITIONS);
      const [ours] = carriers as readonly [Carrier];
      await ours.write(wanted, all);
      const turns = { rounds, warmUps: 1 };
      note(
        'write',
        await measureInTurn(
          carriers.map(({ name, write }) => ({ name, work: () => write(offered, all) })),
          turns,
          progress,
        ),
      );
      note(
        'read',
        await measureInTurn(
          carriers.map(({ name, read }) => ({ name, work: () => measured(read, wanted, count) })),
          turns,
          progress,
        ),
      );
      const offsets = await abortedIn(broker, kafka, 'bench-aborted');
      for (const { name, read } of carriers) {
        const leaks = await Promise.all(offsets.map((from) => leaksOf(read, 'bench-aborted', from)));
        const count = leaks.filter((leaked) => leaked > 0).length;
        figures[`aborted records given, ${name}: of ${offsets.length} offsets`] = spreadOf([count]);
      }
    } finally {
      for (const { close } of carriers) await close();
    }
    return { unit: 'as named', figures, ratios };
  });
