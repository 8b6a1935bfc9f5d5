/**
 * What do queries of Nexmark cost an event beside Kafka Streams 4.4, both exactly-once, on one broker?
 *
 * Each query reads about `records` events in Avro from 4 partitions a topic and commits every 500 ms: bids, or persons and auctions.
 * Millrace runs `topologies/nexmark`; the other side is written with Kafka Streams' own operators, where it has them, and all its stores are
 * in memory and logged. What both write must be the same rows in every run: of a window the last ones, since Kafka Streams
 * corrects what it has said. `--only q5` runs one query.
 */
import { topics } from '../topologies/nexmark/sources.js';
import type { Benchmark } from './benchmark.js';
import type { Spread } from './pairs.js';
import { kafkaStreamsCommand } from './peers/commands.js';
import { besideKafkaStreams } from './peers/contest.js';
import { type Kind, lapsOf, NexmarkLog } from './peers/nexmark-log.js';
import { compareRows, rowsOf } from './peers/nexmark-rows.js';
import { type Input, type Order, type Query, queries, recordsOf } from './peers/order.js';
import { withWorld } from './peers/world.js';

const PARTITIONS = 4;

const BIDS: readonly Kind[] = ['bids'];
const SALES: readonly Kind[] = ['persons', 'auctions'];
const inputsOf: Readonly<Record<Query, readonly Kind[]>> = {
  q0: BIDS,
  q1: BIDS,
  q2: BIDS,
  q3: SALES,
  q5: BIDS,
  q8: SALES,
};

/** `only` runs the queries whose names contain it. */
export const options = { records: 1_000_000, pairs: 5, commitMs: 500, threads: 1, only: '' };

export const benchmark: Benchmark<typeof options> = async (progress, { records, pairs, commitMs, threads, only }) => {
  const chosen = queries.filter((query) => query.includes(only));
  const kafkaStreams = await kafkaStreamsCommand(progress);
  return withWorld(progress, async (world) => {
    const log = await NexmarkLog.open();
    const loaded = new Map<readonly Kind[], readonly Input[]>();
    for (const kinds of new Set(chosen.map((query) => inputsOf[query]))) {
      const laps = lapsOf(records, kinds);
      const inputs: Input[] = [];
      for (const kind of kinds)
        inputs.push(await world.load(topics[kind], log.parts(kind, laps, PARTITIONS), PARTITIONS));
      progress(`${recordsOf(inputs).toLocaleString('en-US')} ${kinds.join(' and ')} are in their topics`);
      loaded.set(kinds, inputs);
    }

    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const work of chosen) {
      const task = { work, inputs: loaded.get(inputsOf[work]) ?? [], threads, commitMs };
      const contest = {
        ...{ task, warmUp: task, compare: compareRows },
        written: (order: Order) => rowsOf(world, order),
        fingerprint: async (order: Order) => (await rowsOf(world, order)).checksum,
      };
      const compared = await besideKafkaStreams(world, kafkaStreams, contest, pairs, progress);
      Object.assign(figures, compared.figures);
      Object.assign(ratios, compared.ratios);
    }
    return { unit: 'as named', figures, ratios };
  });
};
