/**
 * What does a record cost from dedupe to learn, and how much of that is the engine?
 *
 * The steps of the flights topology over both of its topics, in the runtime's pipeline, against a plain loop over the
 * same features, learner and scores. A record is one event of either topic. Not in it: reading, decoding, inference,
 * sinks. `with changelog` also takes what each epoch would write, every 12,500 records of a task.
 */
import type { Benchmark } from './benchmark.js';
import { type Contestant, measurePairs, type Run, type Spread } from './pairs.js';
import { type FlightEvent, flightEvents } from './work/flight-events.js';
import { openFlightsTask, roundOf } from './work/flights-by-engine.js';
import { FlightsByHand } from './work/flights-by-hand.js';

const FLIGHTS = 250_000;
const PARTITIONS = 4;
const ROUND = 1_000;
const ROUNDS_AN_EPOCH = 12;

/** Adds up time and CPU of some parts of a run. */
class Stopwatch {
  private seconds = 0;
  private cpuSeconds = 0;

  time(part: () => void): void {
    const startedMs = performance.now();
    const before = process.cpuUsage();
    part();
    const { user, system } = process.cpuUsage(before);
    this.seconds += (performance.now() - startedMs) / 1_000;
    this.cpuSeconds += (user + system) / 1e6;
  }

  run(records: number): Run {
    return { records, seconds: this.seconds, cpuSeconds: this.cpuSeconds };
  }
}

function loopOver(loop: FlightsByHand, events: readonly FlightEvent[]): void {
  for (const event of events) {
    if (event.departed) loop.departed(event.departed, event.timeMs);
    else loop.arrived(event.arrived, event.timeMs);
  }
}

export const benchmark: Benchmark = async (progress) => {
  const events = await flightEvents(FLIGHTS, PARTITIONS);
  const records = events.sizes.reduce((sum, size) => sum + size, 0);
  const rounds = Math.ceil(Math.max(...events.sizes) / ROUND);
  /** Every round of every task in turn. The events are made just before, as by decoding, and that is not counted. */
  const eachRound = (use: (part: FlightEvent[], task: number, round: number) => void) => {
    for (let round = 0; round < rounds; round++)
      for (const task of events.sizes.keys()) {
        const part = events.slice(task, round * ROUND, (round + 1) * ROUND);
        if (part.length > 0) use(part, task, round);
      }
  };

  const byHand: Contestant = {
    name: 'plain loop',
    work: () => {
      const watch = new Stopwatch();
      const loops = events.sizes.map(() => new FlightsByHand());
      eachRound((part, task) => watch.time(() => loopOver(loops[task] as FlightsByHand, part)));
      return watch.run(records);
    },
  };
  let busy = new Map<string, number>();
  const byEngine = (name: string, changelog: boolean): Contestant => ({
    name,
    work: async () => {
      const watch = new Stopwatch();
      const tasks = await Promise.all(events.sizes.map((_, task) => openFlightsTask(task)));
      eachRound((part, task, round) => {
        const pushed = roundOf(part, task, round * ROUND);
        watch.time(() => {
          tasks[task]?.push(pushed);
          if (changelog && round % ROUNDS_AN_EPOCH === 0) tasks[task]?.takeChanges();
        });
      });
      busy = new Map();
      for (const task of tasks) for (const [step, ms] of task.busyMs) busy.set(step, (busy.get(step) ?? 0) + ms);
      await Promise.all(tasks.map((task) => task.close()));
      return watch.run(records);
    },
  });

  const steps = await measurePairs([byHand, byEngine('engine', false)], {}, progress);
  const perStep = [...busy].map(([step, ms]) => `${step} ${((ms * 1e3) / records).toFixed(2)}`);
  progress(`in the steps, us a record, last run: ${perStep.join(', ')}`);
  const stored = await measurePairs([byEngine('without', false), byEngine('with changelog', true)], {}, progress);
  const perFlight = ({ median, low, high }: Spread): Spread => {
    const eventsAFlight = records / FLIGHTS;
    return { median: median * eventsAFlight, low: low * eventsAFlight, high: high * eventsAFlight };
  };
  const cpu = (of: typeof steps, name: string) => of.cpuMicros[name] as Spread;
  return {
    unit: 'us of CPU',
    figures: {
      'plain loop, a record': cpu(steps, 'plain loop'),
      'engine, a record': cpu(steps, 'engine'),
      'engine, a departed flight': perFlight(cpu(steps, 'engine')),
      'engine with changelog, a record': cpu(stored, 'with changelog'),
    },
    ratios: { 'engine through plain loop, records/s': steps.ratio, 'with changelog through without': stored.ratio },
  };
};
