import { expect, it } from 'vitest';
import { type DeadLetter, MillraceError, type Sink, type SinkDriver } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

const fencedSink: Sink<unknown> = { connector: 'fenced', kind: 'fenced.sink', settings: {}, options: {} };
const flow = topology('flow', { deadLetters: memorySink<DeadLetter>() }, (t) => {
  t.source(
    'in',
    memorySource<unknown>('in', (_, timestampMs) => timestampMs),
  ).to('out', fencedSink);
});

/** A target with one fence for each task, which the first write leaves there. */
class Target {
  readonly fences = new Set<number>();
  asked = 0;
  readonly driver: SinkDriver = {
    mode: 'idempotent',
    refuseFences: async (_, { task: { partition } }) => {
      this.asked += 1;
      if (this.fences.has(partition)) throw new MillraceError('config', 'an unknown fence', { permanent: true });
    },
    open: async (_, { task: { partition } }) => ({
      write: () => void this.fences.add(partition),
      close: async () => undefined,
    }),
  };
}

function memory(): MemoryProfile {
  const profile = new MemoryProfile(1);
  const record = (n: number) => ({ key: null, value: Buffer.from(`{"n":${n}}`), timestampMs: n });
  profile.append(
    'in',
    0,
    Array.from({ length: 30 }, (_, n) => record(n)),
  );
  return profile;
}

async function run(profile: MemoryProfile, target: Target, crashes: number): Promise<void> {
  const sinks = { memory: profile.sinks.memory as SinkDriver, fenced: target.driver };
  const running = await runTopology(flow, {
    profile: Object.assign(Object.create(profile) as MemoryProfile, { sinks }),
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
    onPoint: (point) => {
      if (point === 'prepared' && crashes-- > 0) throw new MillraceError('source', 'a crash');
    },
  });
  await running.finished;
}

it('a fence of a task that died in its first epoch is its own, one without a checkpoint is refused', async () => {
  const target = new Target();
  const first = memory();
  await run(first, target, 2);
  await run(first, target, 0);
  expect(target.asked).toBe(1);
  await expect(run(memory(), target, 0)).rejects.toThrow('an unknown fence');
  target.fences.clear();
  await run(memory(), target, 0);
});
