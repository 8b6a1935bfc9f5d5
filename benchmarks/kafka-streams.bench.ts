/**
 * How does Millrace compare with Kafka Streams 4.4 at the same work, both exactly-once, on one broker?
 *
 * Both read one topic of JSON flights in 4 partitions and commit every 500 ms. `pass-through` copies bytes; `count` counts
 * by key and passes every new count on; `flights` parses JSON, drops copies, makes 11 dense and 7 hashed features,
 * predicts and learns by FTRL, scores by ONNX in batches of up to 256, and writes JSON. All state is logged. One process
 * stands against one stream thread; what both write is compared in the warm-up, and its number after every run.
 */
import { strict as assert } from 'node:assert';
import type { Benchmark } from './benchmark.js';
import { measurePairs, type Spread, spreadOf } from './pairs.js';
import { compare, type Written, writtenBy } from './peers/check.js';
import { kafkaStreamsCommand, millraceCommand } from './peers/commands.js';
import { FlightLog } from './peers/flights.js';
import type { PeerRun } from './peers/measure.js';
import { works } from './peers/order.js';
import { Side, type Task } from './peers/side.js';
import { withWorld } from './peers/world.js';

const PARTITIONS = 4;
const WARM_UP = 'bench.flights.warm-up';
const INPUT = 'bench.flights';

export const options = { records: 5_000_000, pairs: 3, commitMs: 500 };

export const benchmark: Benchmark<typeof options> = async (progress, { records, pairs, commitMs }) => {
  const kafkaStreams = await kafkaStreamsCommand(progress);
  return withWorld(progress, async (world) => {
    const log = await FlightLog.open(records);
    const warmUpSizes = await world.load(WARM_UP, log, Math.ceil(0.4 * records), PARTITIONS);
    const sizes = await world.load(INPUT, log, records, PARTITIONS);
    progress(`${records.toLocaleString('en-US')} flights are in the topic`);

    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const work of works) {
      const task: Task = { work, input: INPUT, sizes, threads: 1, commitMs, guarantee: 'exactly_once_v2' };
      const sides = [
        new Side('Kafka Streams', world, '', kafkaStreams),
        new Side('Millrace', world, 'millrace.', millraceCommand),
      ] as const;
      try {
        const written: Written[] = [];
        for (const side of sides) {
          await side.run({ ...task, input: WARM_UP, sizes: warmUpSizes }, async (order) => {
            written.push(await writtenBy(world, order));
          });
        }
        const [theirs, ours] = written as [Written, Written];
        progress(`${work}: ${compare(theirs, ours)}`);

        const counts = new Set<number>();
        const runs = new Map<string, PeerRun[]>(sides.map(({ name }) => [name, []]));
        const contestant = (side: Side) => ({
          name: side.name,
          work: async () => {
            const run = await side.run(task, async ({ output }) => {
              counts.add(await world.read(output, () => undefined));
            });
            runs.get(side.name)?.push(run);
            return run;
          },
        });
        const [first, second] = sides;
        const pair = [contestant(first), contestant(second)] as const;
        const { rates, cpuMicros, ratio } = await measurePairs(pair, { pairs, warmUps: 0 }, progress);
        assert.equal(counts.size, 1, `${work}: all runs have written the same number of records`);

        for (const { name } of sides) {
          const brokerMicros = runs.get(name)?.map((run) => (run.brokerCpuSeconds * 1e6) / run.records) ?? [];
          figures[`${work}, ${name}, records/s`] = rates[name] as Spread;
          figures[`${work}, ${name}, us of CPU a record`] = cpuMicros[name] as Spread;
          figures[`${work}, ${name}, us of the broker's CPU a record`] = spreadOf(brokerMicros);
        }
        const cpuOf = (name: string, n: number) => {
          const run = runs.get(name)?.[n] as PeerRun;
          return run.cpuSeconds / run.records;
        };
        ratios[`${work}: records/s, Millrace through Kafka Streams`] = ratio;
        ratios[`${work}: CPU a record, Millrace through Kafka Streams`] = spreadOf(
          Array.from({ length: pairs }, (_, n) => cpuOf(second.name, n) / cpuOf(first.name, n)),
        );
      } finally {
        for (const side of sides) side.end();
      }
    }
    return { unit: 'as named', figures, ratios };
  });
};
