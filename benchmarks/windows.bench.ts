/**
 * What does a record cost in a window, whatever its kind and overlap, and does the state of a million keys stay flat?
 *
 * The operator alone, without reading, decoding or sinks: records of 1,000 keys a second of event time, the watermark
 * with every record, state changes taken every 12,500 records as by an epoch. The plain loop counts in a Map and emits
 * once a minute. Hopping windows are two and sixty minutes long, one every minute: both emit about as much. Then hourly and
 * daily windows of many keys at once: memory and changelog by the hour.
 */
import { count } from '../src/aggregates/index.js';
import { days, hours, minutes, seconds } from '../src/core/index.js';
import { window } from '../src/operators/index.js';
import { hopping, session, tumbling, type WindowSpec } from '../src/window.js';
import type { Benchmark } from './benchmark.js';
import { type Contestant, cpuOf, measureInTurn, ratioOf, type Spread } from './pairs.js';
import { StepAlone } from './work/step-alone.js';

export const options = { records: 2_000_000, keys: 1_000, 'state-keys': 1_000_000, 'state-hours': 60 };

const EPOCH = 12_500;
const DISORDER_MS = 1_000;

interface Trip {
  readonly station: string;
}

const windowed = (spec: WindowSpec, keysMax: number) =>
  window({ key: (trip: Trip) => trip.station, window: spec, aggregate: { trips: count() }, keysMax });

/** Values as a decoder makes them, a string of its own each; times that wander half a second about their order. */
function tripsOf(keys: number): { readonly values: readonly Trip[]; readonly wanderMs: readonly number[] } {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const values = Array.from({ length: 1 << 16 }, () => JSON.parse(`{"station":"${stationOf(random() * keys)}"}`));
  return { values, wanderMs: values.map(() => Math.floor(random() * 500)) };
}

const stationOf = (n: number): string => `station-${String(Math.floor(n)).padStart(7, '0')}`;

function byOperator(name: string, spec: WindowSpec, records: number, keys: number): Contestant {
  const { values, wanderMs } = tripsOf(keys);
  return {
    name,
    work: () => {
      const step = new StepAlone(windowed(spec, keys), DISORDER_MS);
      for (let i = 0; i < records; i++) {
        step.record(values[i & 0xffff], i + (wanderMs[i & 0xffff] as number));
        if (i % EPOCH === 0) step.epoch();
      }
      return records;
    },
  };
}

function byHand(records: number, keys: number): Contestant {
  const { values, wanderMs } = tripsOf(keys);
  return {
    name: 'plain loop',
    work: () => {
      let emitted = 0;
      let counts = new Map<string, number>();
      let endMs = 60_000;
      for (let i = 0; i < records; i++) {
        const { station } = values[i & 0xffff] as Trip;
        counts.set(station, (counts.get(station) ?? 0) + 1);
        if (i + (wanderMs[i & 0xffff] as number) < endMs) continue;
        emitted += counts.size;
        counts = new Map();
        endMs += 60_000;
      }
      return emitted > 0 ? records : 0;
    },
  };
}

const mega = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Hourly and daily windows of as many records an hour as there are keys. */
function stateByTheHour(keys: number, hoursLong: number, progress: (line: string) => void) {
  const steps = [tumbling(hours(1)), tumbling(days(1))].map((spec) => new StepAlone(windowed(spec, keys), DISORDER_MS));
  const course: { hour: number; heapMb: number; changelogMb: number; writtenMb: number; emitted: number }[] = [];
  const spacingMs = hours(1) / keys;
  for (let hour = 1; hour <= hoursLong; hour++) {
    for (let i = 0; i < keys; i++) {
      // Every key once an hour, far apart from its neighbours.
      const trip: Trip = { station: stationOf((i * 7_919) % keys) };
      for (const step of steps) step.record(trip, (hour - 1) * hours(1) + Math.floor(i * spacingMs));
      if (i % EPOCH === 0) for (const step of steps) step.epoch();
    }
    if (hour % 6 !== 0) continue;
    globalThis.gc?.();
    const sum = (of: (step: StepAlone) => number) => steps.reduce((so, step) => so + of(step), 0);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const now = {
      hour,
      heapMb: mega(heapUsed + arrayBuffers),
      changelogMb: mega(sum(({ kept }) => kept)),
      writtenMb: mega(sum(({ written }) => written)),
      emitted: sum(({ emitted }) => emitted),
    };
    course.push(now);
    progress(
      `hour ${hour}: ${now.heapMb} MB of memory, changelog ${now.changelogMb} MB (${now.writtenMb} MB written), ${now.emitted} results`,
    );
  }
  return course;
}

export const benchmark: Benchmark<typeof options> = async (progress, given) => {
  const { records, keys } = given;
  const contestants = [
    byHand(records, keys),
    byOperator('tumbling 1m', tumbling(minutes(1)), records, keys),
    byOperator('hopping x2', hopping({ size: minutes(2), every: minutes(1) }), records, keys),
    byOperator('hopping x60', hopping({ size: hours(1), every: minutes(1) }), records, keys),
    byOperator('session', session({ gap: seconds(5) }), records, keys),
  ];
  const { runs, cpuMicros } = await measureInTurn(contestants, {}, progress);
  const cpu = (name: string) => cpuMicros[name] as Spread;
  const figures = Object.fromEntries(contestants.map(({ name }) => [`${name}, a record`, cpu(name)]));
  const course = stateByTheHour(given['state-keys'], given['state-hours'], progress);
  return {
    unit: 'us of CPU',
    figures,
    ratios: {
      'hopping x60 through x2, CPU': ratioOf(runs, 'hopping x60', 'hopping x2', cpuOf),
      'tumbling through plain loop, CPU': ratioOf(runs, 'tumbling 1m', 'plain loop', cpuOf),
    },
    details: { state: course },
  };
};
