/**
 * What do commits cost: epochs of 100 ms, 500 ms and 2 s against a run that commits once, at its end?
 *
 * Millrace has no at-least-once mode on Kafka. A run of a single epoch stands for it and is more than it: outputs leave
 * as they come, nothing drains, and neither state nor positions are written before the end; an at-least-once mode
 * would have to write both at its own intervals. So the ratios are lower bounds.
 */
import { hours } from '../src/core/index.js';
import type { Benchmark } from './benchmark.js';
import { cpuOf, measureInTurn, rateOf, ratioOf, type Spread } from './pairs.js';
import { millraceCommand } from './peers/commands.js';
import { FlightLog } from './peers/flights.js';
import { Side } from './peers/side.js';
import { withWorld } from './peers/world.js';

const PARTITIONS = 4;
const epochs = { 'one epoch': hours(1), '2 s': 2_000, '500 ms': 500, '100 ms': 100 } as const;

export const options = { records: 1_000_000, rounds: 3 };

export const benchmark: Benchmark<typeof options> = (progress, { records, rounds }) =>
  withWorld(progress, async (world) => {
    // The faster work gets more of it, so that a run lasts for some epochs of 2 s.
    const works = { 'pass-through': 5 * records, flights: records } as const;
    const log = await FlightLog.open(5 * records);
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const [work, size] of Object.entries(works) as [keyof typeof works, number][]) {
      const input = await world.load(`bench.${work}`, log.parts(size, PARTITIONS), PARTITIONS);
      progress(`${size.toLocaleString('en-US')} flights are in the topic`);
      const side = new Side('Millrace', world, millraceCommand);
      try {
        const contestants = Object.entries(epochs).map(([name, commitMs]) => ({
          name,
          work: () => side.run({ work, inputs: [input], threads: 1, commitMs }),
        }));
        const { runs, rates, cpuMicros } = await measureInTurn(contestants, { rounds }, progress);
        for (const name of Object.keys(epochs)) {
          figures[`${work}, ${name}, records/s`] = rates[name] as Spread;
          figures[`${work}, ${name}, us of CPU a record`] = cpuMicros[name] as Spread;
          if (name === 'one epoch') continue;
          ratios[`${work}: records/s, ${name} through one epoch`] = ratioOf(runs, name, 'one epoch', rateOf);
          ratios[`${work}: CPU a record, ${name} through one epoch`] = ratioOf(runs, name, 'one epoch', cpuOf);
        }
      } finally {
        side.end();
      }
    }
    return { unit: 'as named', figures, ratios };
  });
