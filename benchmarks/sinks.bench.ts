/**
 * What do the sinks keep of the throughput that their clients have by hand?
 *
 * Predictions of 13 fields, in chunks of 1,000, an epoch every half second and at the end, on both sides: the same values,
 * sizes of batches and requests under way, and as durable at each epoch. A sink does more: each of its writes carries the
 * identity of its record, or is fenced or shown by a checkpoint, so that a replay changes nothing. By hand a crash doubles.
 */
import type { Benchmark } from './benchmark.js';
import { cpuOf, measurePairs, ratioOf, type Spread } from './pairs.js';
import { contests as buckets } from './sinks/buckets.js';
import { contests as clickhouse } from './sinks/clickhouse.js';
import type { Contest } from './sinks/contest.js';
import { contests as files } from './sinks/files.js';
import { load } from './sinks/load.js';
import { contests as postgres } from './sinks/postgres.js';
import { contests as redis } from './sinks/redis.js';
import { withServices } from './sinks/services.js';
import { drive, type Load } from './sinks/side.js';
import { contests as topics } from './sinks/topics.js';
import { contests as webhooks } from './sinks/webhooks.js';

const contests: readonly Contest[] = [
  ...topics,
  ...redis,
  ...clickhouse,
  ...postgres,
  ...files,
  ...buckets,
  ...webhooks,
];

/** `only` runs those whose names contain it. */
export const options = { pairs: 5, only: '' };

export const benchmark: Benchmark<typeof options> = (progress, { pairs, only }) => {
  const chosen = contests.filter(({ name }) => name.includes(only));
  const whole = load(Math.max(...chosen.map(({ records }) => records)));
  const needs = new Set(chosen.flatMap((contest) => contest.needs));
  return withServices(needs, progress, async (services) => {
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const { name, records, needs, open } of chosen) {
      const missing = needs.find((server) => services[server] === '');
      if (missing !== undefined) {
        progress(`${name} is left out: there is no ${missing} here`);
        continue;
      }
      const { values, origins } = whole;
      const part: Load = { values: values.slice(0, records), origins: origins.slice(0, records) };
      const sides = await open(services);
      let runs = 0;
      const contestant = (by: 'byHand' | 'sink') => ({
        name: `${name}: ${by === 'sink' ? 'sink' : 'by hand'}`,
        async work() {
          const side = await sides[by](String(runs++));
          const cpuBefore = process.cpuUsage();
          const startedMs = performance.now();
          await drive(side, part);
          const seconds = (performance.now() - startedMs) / 1_000;
          const { user, system } = process.cpuUsage(cpuBefore);
          await side.close();
          return { records, seconds, cpuSeconds: (user + system) / 1e6 };
        },
      });
      const [byHand, sink] = [contestant('byHand'), contestant('sink')] as const;
      try {
        const { rates, cpuMicros, ratio, runs: measured } = await measurePairs([byHand, sink], { pairs }, progress);
        for (const each of [byHand.name, sink.name]) {
          figures[`${each}, records/s`] = rates[each] as Spread;
          figures[`${each}, us of CPU a record`] = cpuMicros[each] as Spread;
        }
        ratios[`${name}: records/s, sink through by hand`] = ratio;
        ratios[`${name}: records per CPU second, sink through by hand`] = ratioOf(
          measured,
          sink.name,
          byHand.name,
          (run) => 1 / cpuOf(run),
        );
      } finally {
        await sides.close();
      }
    }
    const details = { byHand: Object.fromEntries(chosen.map((contest) => [contest.name, contest.byHand])) };
    return { unit: 'as named', figures, ratios, details };
  });
};
