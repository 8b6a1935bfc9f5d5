/**
 * How does Millrace compare with Kafka Streams 4.4 at the same work, both exactly-once, on one broker?
 *
 * Both read one topic of JSON flights in 4 partitions and commit every 500 ms. `pass-through` copies bytes; `count` counts
 * by key and passes every new count on; `flights` parses JSON, drops copies, makes 11 dense and 7 hashed features,
 * predicts and learns by FTRL, scores by ONNX in batches of up to 256, and writes JSON. All state is logged. One process
 * stands against one stream thread, or `--threads` of each; what both write is compared in the warm-up, and its number
 * after every run.
 */
import type { Benchmark } from './benchmark.js';
import type { Spread } from './pairs.js';
import { compare, writtenBy } from './peers/check.js';
import { kafkaStreamsCommand } from './peers/commands.js';
import { besideKafkaStreams } from './peers/contest.js';
import { FlightLog } from './peers/flights.js';
import { type Order, works } from './peers/order.js';
import { withWorld } from './peers/world.js';

const PARTITIONS = 4;

export const options = { records: 5_000_000, pairs: 3, commitMs: 500, threads: 1 };

export const benchmark: Benchmark<typeof options> = async (progress, { records, pairs, commitMs, threads }) => {
  const kafkaStreams = await kafkaStreamsCommand(progress);
  return withWorld(progress, async (world) => {
    const log = await FlightLog.open(records);
    const load = (topic: string, size: number) => world.load(topic, log.parts(size, PARTITIONS), PARTITIONS);
    const warmUp = await load('bench.flights.warm-up', Math.ceil(0.4 * records));
    const input = await load('bench.flights', records);
    progress(`${records.toLocaleString('en-US')} flights are in the topic`);

    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const work of works) {
      const contest = {
        task: { work, inputs: [input], threads, commitMs },
        warmUp: { work, inputs: [warmUp], threads, commitMs },
        written: (order: Order) => writtenBy(world, order),
        compare,
        fingerprint: ({ output }: Order) => world.read(output, () => undefined),
      };
      const compared = await besideKafkaStreams(world, kafkaStreams, contest, pairs, progress);
      Object.assign(figures, compared.figures);
      Object.assign(ratios, compared.ratios);
    }
    return { unit: 'as named', figures, ratios };
  });
};
