/**
 * What do two processes cost against one, on the two partitions of one topic?
 *
 * The same work, exactly-once, shared out by the consumer group. With four cores or more the rate should come near to
 * twice as much; where the broker and both processes share two cores, only the CPU a record says something: what the
 * group, the second connection and the second process cost.
 */
import type { Benchmark } from './benchmark.js';
import { cpuOf, measureInTurn, rateOf, ratioOf, type Spread } from './pairs.js';
import { millraceCommand } from './peers/commands.js';
import { FlightLog } from './peers/flights.js';
import { Side, type Task } from './peers/side.js';
import { withWorld } from './peers/world.js';

const PARTITIONS = 2;
const INPUT = 'bench.flights';

export const options = { records: 2_000_000, pairs: 5 };

export const benchmark: Benchmark<typeof options> = (progress, { records, pairs }) =>
  withWorld(progress, async (world) => {
    const log = await FlightLog.open(records);
    const input = await world.load(INPUT, log.parts(records, PARTITIONS), PARTITIONS);
    progress(`${records.toLocaleString('en-US')} flights are in the topic`);
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const work of ['count', 'flights'] as const) {
      const one = new Side('one process', world, millraceCommand, 1);
      const two = new Side('two processes', world, millraceCommand, 2);
      const task: Task = { work, inputs: [input], threads: 1, commitMs: 500 };
      try {
        const contestants = [one, two].map((side) => ({ name: side.name, work: () => side.run(task) }));
        const { runs, rates, cpuMicros } = await measureInTurn(contestants, { rounds: pairs }, progress);
        for (const { name } of contestants) {
          figures[`${work}, ${name}, records/s`] = rates[name] as Spread;
          figures[`${work}, ${name}, us of CPU a record`] = cpuMicros[name] as Spread;
        }
        const recordsPerCpuSecond = (run: Parameters<typeof cpuOf>[0]) => 1 / cpuOf(run);
        ratios[`${work}: records/s, two processes through one`] = ratioOf(runs, two.name, one.name, rateOf);
        ratios[`${work}: records per CPU second, two processes through one`] = ratioOf(
          runs,
          two.name,
          one.name,
          recordsPerCpuSecond,
        );
      } finally {
        one.end();
        two.end();
      }
    }
    return { unit: 'as named', figures, ratios };
  });
