/**
 * How much of a plain loop's throughput does the engine keep on real Kafka?
 *
 * Both read and write through the same record-batch codec, with equal transactions every 500 ms, 4 partitions in one
 * process, a broker beside it on the same machine. `pass-through` copies Avro records from topic to topic; `flights` is
 * the whole flight work with two inputs, online learning and ONNX, predictions out to a topic. The engine also keeps its
 * state and counters in the changelog, in the same transactions; the loop keeps none.
 */
import type { Benchmark } from './benchmark.js';
import type { Work } from './kafka/task.js';
import { WorkerProcess } from './kafka/workers.js';
import { load, withBroker } from './kafka/world.js';
import { type Contestant, measurePairs, type Spread, spreadOf } from './pairs.js';
import { flightEvents } from './work/flight-events.js';

const FLIGHTS = 500_000;
const PARTITIONS = 4;
const INTERVAL_MS = 500;

export const benchmark: Benchmark = async (progress) => {
  const events = await flightEvents(FLIGHTS, PARTITIONS);
  return withBroker(progress, async (broker, kafka) => {
    await load(kafka, events);
    progress(`${FLIGHTS} flights are in the topics`);
    const figures: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    for (const work of ['pass-through', 'flights'] satisfies Work[]) {
      const loop = new WorkerProcess();
      const engine = new WorkerProcess();
      let runs = 0;
      const contestant = (by: 'plain loop' | 'engine', worker: WorkerProcess): Contestant => ({
        name: `${work}, ${by}`,
        work: () =>
          worker.do({ broker, work, by, run: String(runs++), partitions: PARTITIONS, intervalMs: INTERVAL_MS }),
      });
      try {
        const pair = [contestant('plain loop', loop), contestant('engine', engine)] as const;
        const { rates, cpuMicros, ratio, runs: measured } = await measurePairs(pair, {}, progress);
        const [loopRuns = [], engineRuns = []] = Object.values(measured);
        for (const [name, rate] of Object.entries(rates)) {
          figures[`${name}, records/s`] = rate;
          figures[`${name}, us of CPU a record`] = cpuMicros[name] as Spread;
        }
        ratios[`${work}: records/s, engine through loop`] = ratio;
        ratios[`${work}: records per CPU second, engine through loop`] = spreadOf(
          engineRuns.map((run, n) => {
            const other = loopRuns[n] ?? run;
            return run.records / run.cpuSeconds / (other.records / other.cpuSeconds);
          }),
        );
      } finally {
        loop.end();
        engine.end();
      }
    }
    return { unit: 'as named', figures, ratios };
  });
};
