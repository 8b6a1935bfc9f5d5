import { describe, expect, it } from 'vitest';
import { batched, type Origin, type Profile, type SourceDriver, seconds, transform } from '../../src/core/index.js';
import { hours, innerJoin } from '../../src/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { type Picture, pictures } from '../../src/server/live.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';
import { EventClock } from './event-clock.js';

interface Event {
  readonly key: string;
  readonly timeMs: number;
}
const source = (topic: string) => memorySource<Event>(topic, ({ timeMs }) => timeMs);
const RECORDS = 60_000;
/** Records of a round, and so of a write. */
const ROUND = 100;

/** How a run is slow, in virtual milliseconds. */
interface Slow {
  readonly partitions?: number;
  /** Of a write to the sink. */
  readonly writeMs?: number;
  /** Topics that bring no records. */
  readonly quiet?: readonly string[];
  /** Called when a write is done. */
  onWritten?(origins: readonly Origin[]): void;
  /** The partition of a record; by default they are dealt in turn. */
  partitionOf?(n: number): number;
}

/** The pictures of some seconds of a run. */
async function watched(topology: Topology, clock: EventClock, slow: Slow): Promise<readonly Picture[]> {
  const { partitions = 1, writeMs = 0, quiet = [], partitionOf = (n) => n % partitions } = slow;
  const memory = new MemoryProfile(partitions);
  const encoder = new TextEncoder();
  for (const { source } of topology.sources)
    for (let n = 0; n < RECORDS && !quiet.includes(source.topic); n++)
      memory.append(source.topic, partitionOf(n), [
        { key: null, value: encoder.encode(JSON.stringify({ key: String(n), timeMs: n })), timestampMs: n },
      ]);
  const usual = memory.sources.memory as SourceDriver;
  const profile: Profile = {
    name: 'slow',
    schemas: memory.schemas,
    openLedger: (task) => memory.openLedger(task),
    close: () => memory.close(),
    sources: {
      memory: {
        partitions: async () => partitions,
        async open(of, ...rest) {
          const reader = await usual.open(of, ...rest);
          const waits = async () => {
            await clock.sleep(50);
            return { records: [], ended: false };
          };
          return quiet.includes(of.topic) ? { ...reader, poll: waits } : reader;
        },
      },
    },
    sinks: {
      memory: {
        mode: 'transactional',
        open: async () => ({
          write: async (_, origins) => {
            if (writeMs > 0) await clock.sleep(writeMs);
            slow.onWritten?.(origins);
          },
          close: async () => undefined,
        }),
      },
    },
  };
  const running = await runTopology(topology, {
    ...{ profile, clock, inference: noInference, roundMax: ROUND, inFlightMax: 5 * ROUND, epochInterval: seconds(60) },
  });
  const picture = pictures(
    topology,
    running.snapshot,
    () => true,
    () => [],
    () => clock.now(),
  );
  const seen: Picture[] = [];
  for (let second = 0; second <= 4; second++) {
    await clock.until(second * 1_000);
    seen.push(picture());
  }
  const stopped = running.stop();
  let isOver = false;
  stopped.then(() => {
    isOver = true;
  });
  for (let second = 5; !isOver; second++) await clock.until(second * 1_000);
  await stopped;
  return seen.slice(1);
}

/** A step that takes this long for a hundred records, on the thread. */
const onTheThread = (clock: EventClock, msOf: (event: Event) => number) =>
  transform<Event, Event>({
    kind: 'work',
    open: () => (event, emit) => {
      clock.work(msOf(event));
      emit(event);
    },
  });

const about = (share: number) => ({ asymmetricMatch: (value: number) => Math.abs(value - share) <= 0.02 });

function addUp(seen: readonly Picture[]): void {
  for (const { nodes } of seen)
    for (const { shares } of Object.values(nodes)) {
      if (!shares) continue;
      expect(Math.abs(shares.busy + shares.backpressured + shares.idle - 1)).toBeLessThanOrEqual(0.02);
      expect(Math.min(shares.busy, shares.backpressured, shares.idle)).toBeGreaterThanOrEqual(0);
    }
}

describe('the bottleneck of a run', () => {
  it('is the sink that takes 20 ms for what a step does in 4', async () => {
    const clock = new EventClock();
    const slow = topology('slow-sink', { deadLetters: memorySink() }, (t) => {
      t.source('events', source('events'))
        .via(
          'work',
          onTheThread(clock, () => 0.04),
        )
        .to('out', memorySink());
    });
    const seen = await watched(slow, clock, { writeMs: 20 });
    for (const { bottleneck, nodes } of seen) {
      expect(bottleneck).toEqual({ kind: 'wait', id: 'out', share: about(0.8), task: 0, isSkewed: false });
      expect(nodes.work?.shares).toEqual({ busy: about(0.2), backpressured: about(0.8), idle: about(0), task: 0 });
      expect(nodes.out?.shares).toEqual({ busy: about(1), backpressured: 0, idle: about(0), task: 0 });
      expect(nodes.events?.shares).toMatchObject({ busy: 0, backpressured: about(0.8) });
    }
    addUp(seen);
  });

  it('is the step that takes the thread', async () => {
    const clock = new EventClock();
    const slow = topology('slow-step', { deadLetters: memorySink() }, (t) => {
      t.source('events', source('events'))
        .via(
          'quick',
          onTheThread(clock, () => 0.01),
        )
        .via(
          'slow',
          onTheThread(clock, () => 0.19),
        )
        .to('out', memorySink());
    });
    const seen = await watched(slow, clock, { writeMs: 5 });
    for (const { bottleneck, nodes } of seen) {
      expect(bottleneck).toMatchObject({ kind: 'busy', id: 'slow', share: about(0.95) });
      expect(nodes.quick?.shares).toMatchObject({ busy: about(0.05), backpressured: about(0) });
    }
    addUp(seen);
  });

  it('is the batched step that others wait for, not the sink behind it', async () => {
    const clock = new EventClock();
    const scored = topology('slow-batches', { deadLetters: memorySink() }, (t) => {
      t.source('events', source('events'))
        .via(
          'work',
          onTheThread(clock, () => 0.01),
        )
        .via(
          'score',
          batched<Event, Event>({
            kind: 'score',
            open: async () => {
              // One model: batches one after another.
              let last = Promise.resolve();
              return {
                onBatch: async (values) => {
                  last = last.then(() => clock.sleep(10));
                  await last;
                  return values;
                },
              };
            },
          }),
        )
        .to('out', memorySink());
    });
    const seen = await watched(scored, clock, { writeMs: 2 });
    for (const { bottleneck, nodes } of seen) {
      expect(bottleneck).toMatchObject({ kind: 'wait', id: 'score' });
      expect(nodes.score?.shares).toMatchObject({ busy: about(1) });
      expect(nodes.out?.shares).toMatchObject({ busy: about(0.2), backpressured: 0 });
      expect(nodes.work?.shares).toMatchObject({ busy: about(0.1), backpressured: about(0.9) });
    }
    addUp(seen);
  });

  it('is the input that brings no records while another has some', async () => {
    const clock = new EventClock();
    const joined = topology('late-input', { deadLetters: memorySink() }, (t) => {
      const labels = t.source('labels', source('labels'));
      t.source('events', source('events'))
        .via(
          'join',
          { right: labels },
          innerJoin({
            keys: { left: ({ key }) => key, right: ({ key }) => key },
            within: { before: hours(1), after: hours(1) },
            combine: (event) => event,
            entriesMax: 1_000,
          }),
        )
        .to('out', memorySink());
    });
    const seen = await watched(joined, clock, { quiet: ['labels'] });
    for (const { bottleneck, nodes } of seen) {
      expect(bottleneck).toMatchObject({ kind: 'late', id: 'labels', share: about(1) });
      expect(nodes.join?.shares).toMatchObject({ idle: about(1) });
    }
    addUp(seen);
  });

  it('is named with the task that has the most frequent key', async () => {
    const clock = new EventClock();
    const skewed = topology('skewed', { deadLetters: memorySink() }, (t) => {
      t.source('events', source('events'))
        .via(
          'work',
          onTheThread(clock, () => 0.1),
        )
        .to('out', memorySink());
    });
    // Of 15 records task 2 has 12, the others one each. After 1.6 seconds the others are at their ends.
    const seen = await watched(skewed, clock, {
      partitions: 4,
      partitionOf: (n) => (n % 15 < 3 ? ([0, 1, 3][n % 15] as number) : 2),
    });
    const { bottleneck, nodes } = seen[2] as Picture;
    expect(bottleneck).toMatchObject({ kind: 'busy', id: 'work', share: about(1), task: 2, isSkewed: true });
    expect(nodes.work?.shares).toMatchObject({ busy: about(1), task: 2 });
    addUp(seen);
  });
});

describe('the latency of a run', () => {
  it('is that of each step and sink, and within the error of the bins', async () => {
    const clock = new EventClock();
    const scored = topology('latency', { deadLetters: memorySink() }, (t) => {
      t.source('events', source('events'))
        .via(
          'work',
          onTheThread(clock, () => 0.01),
        )
        .via(
          'score',
          batched<Event, Event>({
            kind: 'score',
            open: async () => ({
              onBatch: async (values) => {
                await clock.sleep(30);
                return values;
              },
            }),
          }),
        )
        .to('out', memorySink());
    });
    const exact: number[] = [];
    const seen = await watched(scored, clock, {
      writeMs: 7,
      onWritten: (origins) => exact.push(...origins.map(({ receivedAtMs }) => clock.now() - receivedAtMs)),
    });
    const { nodes, latency } = seen.at(-1) as Picture;
    exact.sort((a, b) => a - b);
    for (const [q, found] of [
      [0.5, latency?.p50],
      [0.99, latency?.p99],
    ] as const) {
      const at = (rank: number) => exact[Math.min(exact.length - 1, Math.floor(rank * exact.length))] as number;
      // Of a chunk 16 records are timed, so a rank may be missed by a hundredth.
      expect(found).toBeGreaterThanOrEqual(at(q - 0.01));
      expect(found).toBeLessThanOrEqual(1.19 * at(q + 0.01));
    }
    expect(nodes.out?.latency).toEqual(latency);
    const p50 = (id: string) => nodes[id]?.latency?.p50 ?? 0;
    expect(p50('score') - p50('work')).toBeGreaterThan(15);
    expect(p50('out')).toBeGreaterThan(p50('score'));
  });
});
