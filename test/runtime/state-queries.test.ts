import { describe, expect, it } from 'vitest';
import { millis, type SinkDriver, seconds, stateful } from '../../src/core/index.js';
import type { GroupMember, Membership } from '../../src/core/profile.js';
import { type QueryResult, type Running, runTopology } from '../../src/runtime/index.js';
import { mapCell } from '../../src/state/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

const source = memorySource<{ readonly key: string }>('events', () => 0);

const counting = stateful({
  kind: 'counting',
  cells: { counts: mapCell<string, number>() },
  open: ({ counts }) => ({
    onRecord(_, { key }: { readonly key: string }, emit) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      emit({ key } as never);
    },
    query: (key) => counts.get(key),
  }),
});
const counts = topology('counts', { deadLetters: memorySink() }, (t) => {
  t.source('events', source).via('count', counting).to('out', memorySink());
});

function profileWith(records: number): MemoryProfile {
  const profile = new MemoryProfile(1);
  const value = new TextEncoder().encode('{"key":"a"}');
  profile.append(
    'events',
    0,
    Array.from({ length: records }, () => ({ key: null, value, timestampMs: 0 })),
  );
  return profile;
}

describe('questions about state', () => {
  it('are answered with what the checkpoint of their epoch holds, never with what is still being worked on', async () => {
    const profile = profileWith(500);
    const committed = new Map<number, number>();
    const replies: Promise<QueryResult>[] = [];
    let running: Running | undefined;
    running = await runTopology(counts, {
      profile,
      inference: noInference,
      clock: new VirtualClock(),
      bounded: true,
      roundMax: 7,
      epochInterval: millis(0),
      onPoint(point) {
        if (point === 'pushed') replies.push((running as Running).query('count', 'a'));
        if (point !== 'stored') return;
        const checkpoint = profile.checkpointOf(0);
        committed.set(checkpoint?.epoch ?? -1, checkpoint?.positions.events?.offset ?? -1);
      },
    });
    await running.finished;
    const seen = await Promise.all(replies);
    expect(seen.length).toBeGreaterThan(50);
    for (const reply of seen) {
      if (reply.kind === 'retry') expect(reply.why).toBe('the task is stopping');
      else expect(reply).toMatchObject({ kind: 'answer', value: committed.get('epoch' in reply ? reply.epoch : -1) });
    }
    expect(seen.filter(({ kind }) => kind === 'answer').length).toBeGreaterThan(50);
  });

  it('are told to retry by a task that hangs, though it never closes', async () => {
    const memory = profileWith(1);
    const never = new Promise<never>(() => undefined);
    const hanging: SinkDriver = { mode: 'append', open: async () => ({ write: () => never, close: () => never }) };
    const profile = Object.assign(Object.create(memory) as MemoryProfile, { sinks: { memory: hanging } });
    const clock = new VirtualClock();
    const running = await runTopology(counts, { profile, inference: noInference, clock, stallMax: seconds(40) });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (running.snapshot().tasks[0]?.recordsInFlight !== 1) await turn();
    let reply: QueryResult | undefined;
    void running.query('count', 'a').then((said) => {
      reply = said;
    });
    for (let second = 0; second < 80 && !reply; second++) {
      clock.advance(1_000);
      await turn();
    }
    expect(reply).toEqual({ kind: 'retry', why: 'the task has ended' });
    void running.stop(); // its successor hangs as well
  });

  it('are told to retry by a task that another process has taken', async () => {
    const profile = profileWith(20);
    let reply: Promise<QueryResult> | undefined;
    let running: Running | undefined;
    running = await runTopology(counts, {
      profile,
      inference: noInference,
      clock: new VirtualClock(),
      bounded: true,
      onPoint(point) {
        if (point !== 'pushed') return;
        reply ??= (running as Running).query('count', 'a');
        void profile.openLedger({ topology: 'counts', partition: 0 });
      },
    });
    await expect(running.finished).rejects.toThrow(/another owner/);
    expect(await reply).toEqual({ kind: 'retry', why: 'the task has ended' });
  });

  it('are sent to the process that has the task, if it has an address', async () => {
    const addresses = [undefined, 'http://here', 'http://there'];
    const profile = Object.assign(new MemoryProfile(3), {
      join: async ({ onAssigned }: GroupMember): Promise<Membership> => {
        onAssigned([]);
        return { addressOf: (partition) => addresses[partition], leave: async () => undefined };
      },
    });
    const running = await runTopology(counts, {
      ...{ profile, inference: noInference, clock: new VirtualClock(), address: 'http://here' },
    });
    const elsewhere = { kind: 'elsewhere', address: 'http://there', partition: 2 };
    expect(await running.query('count', 'a', 2)).toEqual(elsewhere);
    for (const partition of [0, 1])
      expect(await running.query('count', 'a', partition)).toMatchObject({
        kind: 'retry',
        why: expect.stringContaining('does not run'),
      });
    expect(running.elsewhere?.()).toEqual([
      { subtopology: 'counts', partition: 0, address: undefined },
      { subtopology: 'counts', partition: 2, address: 'http://there' },
    ]);
    await running.stop();
  });

  it('name the steps that can be asked, and the partitions there are', async () => {
    const profile = profileWith(20);
    const asked: Promise<unknown>[] = [];
    let running: Running | undefined;
    running = await runTopology(counts, {
      profile,
      inference: noInference,
      clock: new VirtualClock(),
      bounded: true,
      onPoint(point) {
        if (point !== 'pushed') return;
        for (const [step, partition] of [
          ['cuont', 0],
          ['count', 1],
        ] as const)
          asked.push((running as Running).query(step, 'a', partition).catch((error: unknown) => error));
      },
    });
    await running.finished;
    expect(await Promise.all(asked)).toEqual([
      expect.objectContaining({ code: 'config', where: 'cuont', hint: 'these can: count' }),
      expect.objectContaining({ code: 'config', message: 'there is no partition 1' }),
    ]);
  });
});
