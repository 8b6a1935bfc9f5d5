/**
 * What does each query of Nexmark cost an event?
 *
 * The whole runtime with decoding, steps, state changes at every epoch and topics between stages; logs, checkpoints and
 * outputs are in memory, and what a query emits is counted and dropped. Events of all three streams count, those that
 * a query does not read left out. A query that reads a few of them runs as many times as make up all: V8 would still be compiling it in a
 * short run. One task, one thread. The first run of each query is warm-up.
 */
import type { OutgoingRecord, Profile, SinkDriver } from '../src/core/index.js';
import { INTERNAL } from '../src/core/internal.js';
import { runTopology } from '../src/runtime/index.js';
import { openCodec } from '../src/schema/index.js';
import { MemoryProfile } from '../src/testing/memory-profile.js';
import type { Topology } from '../src/topology/index.js';
import { type NexmarkEvent, nexmarkEvents } from '../topologies/nexmark/generator.js';
import * as queries from '../topologies/nexmark/index.js';
import type { Benchmark } from './benchmark.js';
import { type Contestant, measureInTurn, type Spread } from './pairs.js';

/** `only` runs the queries whose names contain it. */
export const options = { events: 500_000, rounds: 3, only: '' };

/** A thousand events a second, up to two seconds out of order. */
const generated = (events: number) =>
  nexmarkEvents({ events, seed: 1, everyMs: 1, disorderMs: 2_000, startMs: 1_750_000_000_000 });

const nowhere: SinkDriver = {
  mode: 'transactional',
  open: async () => ({ write: () => undefined, close: async () => undefined }),
};

/** A profile in memory whose outputs nobody keeps. */
function forgetful(memory: MemoryProfile): Profile {
  return {
    name: 'memory',
    sources: memory.sources,
    sinks: new Proxy({}, { get: (_, name) => (name === INTERNAL ? memory.sinks[INTERNAL] : nowhere), has: () => true }),
    openLedger: (task) => memory.openLedger(task),
    schemas: memory.schemas,
    close: async () => undefined,
  };
}

async function encoded(topology: Topology, events: readonly NexmarkEvent[]): Promise<Map<string, OutgoingRecord[]>> {
  const { schemas } = new MemoryProfile(1);
  const logs = new Map<string, OutgoingRecord[]>();
  for (const { id, source } of topology.sources) {
    const codec = await openCodec(source.schema, schemas);
    const records = events
      .filter(({ kind }) => kind === id)
      .map(({ value, arrivalMs }) => ({ key: null, value: codec.encode(value), timestampMs: arrivalMs }));
    logs.set(source.topic, records);
  }
  return logs;
}

async function contestantOf(topology: Topology, events: readonly NexmarkEvent[]): Promise<Contestant> {
  const logs = await encoded(topology, events);
  const records = [...logs.values()].reduce((sum, { length }) => sum + length, 0);
  const times = Math.round(events.length / records);
  return {
    name: topology.name.replace('nexmark-', ''),
    async work() {
      for (let i = 0; i < times; i++) await runOnce(topology, logs);
      return times * records;
    },
  };
}

async function runOnce(topology: Topology, logs: ReadonlyMap<string, OutgoingRecord[]>): Promise<void> {
  const memory = new MemoryProfile(1);
  for (const [topic, records] of logs) memory.append(topic, 0, records);
  const inference = { open: () => Promise.reject(new Error('no model here')), close: async () => undefined };
  const profile = forgetful(memory);
  const running = await runTopology(topology, { profile, inference, bounded: true, final: true });
  await running.finished;
}

export const benchmark: Benchmark<typeof options> = async (progress, { events, rounds, only }) => {
  const all = generated(events);
  const figures: Record<string, Spread> = {};
  const rates: Record<string, Spread> = {};
  for (const topology of Object.values(queries).filter(({ name }) => name.includes(only))) {
    const contestant = await contestantOf(topology, all);
    const { rates: rate, cpuMicros } = await measureInTurn([contestant], { rounds }, progress);
    figures[`${contestant.name}, an event`] = cpuMicros[contestant.name] as Spread;
    rates[contestant.name] = rate[contestant.name] as Spread;
  }
  return { unit: 'us of CPU', figures, ratios: {}, details: { 'events a second': rates } };
};
