/**
 * How does Millrace compare with Kafka Streams 4.4 at the same work, both exactly-once, on one broker?
 *
 * Both read one topic of JSON flights in 4 partitions and commit every 500 ms. `pass-through` copies bytes; `count` counts
 * by key and passes every new count on; `flights` parses JSON, drops copies, makes 11 dense and 7 hashed features,
 * predicts and learns by FTRL, scores by ONNX in batches of up to 256, and writes JSON. All state is logged. One process
 * stands against one stream thread, or `--threads` of each; what both write is compared in the warm-up, and its number
 * after every run.
 */
import { strict as assert } from 'node:assert';
import type { Benchmark } from './benchmark.js';
import { cpuOf, measureInTurn, rateOf, ratioOf, type Spread, spreadOf } from './pairs.js';
import { compare, type Written, writtenBy } from './peers/check.js';
import { kafkaStreamsCommand, millraceCommand } from './peers/commands.js';
import { FlightLog } from './peers/flights.js';
import { type Order, works } from './peers/order.js';
import { Side, type Task } from './peers/side.js';
import { withWorld } from './peers/world.js';

const PARTITIONS = 4;
const WARM_UP = 'bench.flights.warm-up';
const INPUT = 'bench.flights';

export const options = { records: 5_000_000, pairs: 3, commitMs: 500, threads: 1 };

export const benchmark: Benchmark<typeof options> = async (progress, { records, pairs, commitMs, threads }) => {
  const kafkaStreams = await kafkaStreamsCommand(progress);
  return withWorld(progress, async (world) => {
    const log = await FlightLog.open(records);
    const warmUpSizes = await world.load(WARM_UP, log, Math.ceil(0.4 * records), PARTITIONS);
    const sizes = await world.load(INPUT, log, records, PARTITIONS);
    progress(`${records.toLocaleString('en-US')} flights are in the topic`);

    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const work of works) {
      const theirs = new Side('Kafka Streams', world, '', kafkaStreams);
      const ours = new Side('Millrace', world, 'millrace.', millraceCommand, threads);
      const sides = [theirs, ours] as const;
      const task: Task = { work, input: INPUT, sizes, threads, commitMs };
      try {
        const written: Written[] = [];
        for (const side of sides) {
          await side.run({ ...task, input: WARM_UP, sizes: warmUpSizes }, async (order) => {
            written.push(await writtenBy(world, order));
          });
        }
        progress(`${work}: ${compare(written[0] as Written, written[1] as Written)}`);

        const counts = new Set<number>();
        const count = async ({ output }: Order) => {
          counts.add(await world.read(output, () => undefined));
        };
        const contestants = sides.map((side) => ({ name: side.name, work: () => side.run(task, count) }));
        const { runs, rates, cpuMicros } = await measureInTurn(contestants, { rounds: pairs, warmUps: 0 }, progress);
        assert.equal(counts.size, 1, `${work}: every run has written the same number of records`);

        for (const { name, brokerMicros } of sides) {
          figures[`${work}, ${name}, records/s`] = rates[name] as Spread;
          figures[`${work}, ${name}, us of CPU a record`] = cpuMicros[name] as Spread;
          figures[`${work}, ${name}, us of the broker's CPU a record`] = spreadOf(brokerMicros.slice(-pairs));
        }
        const through = (figure: typeof rateOf) => ratioOf(runs, ours.name, theirs.name, figure);
        ratios[`${work}: records/s, Millrace through Kafka Streams`] = through(rateOf);
        ratios[`${work}: CPU a record, Millrace through Kafka Streams`] = through(cpuOf);
      } finally {
        for (const side of sides) side.end();
      }
    }
    return { unit: 'as named', figures, ratios };
  });
};
