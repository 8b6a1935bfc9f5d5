import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type Lookup,
  type LookupAnswer,
  type LookupReader,
  MillraceError,
  millis,
  type Profile,
  seconds,
} from '../../../src/core/index.js';
import { type LookupOptions, lookup } from '../../../src/operators/basic/lookup.js';
import { type RunOptions, runTopology } from '../../../src/runtime/index.js';
import { MemoryProfile } from '../../../src/testing/memory-profile.js';
import { topology } from '../../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../../memory.js';

// A whole run on the real clock, with a store that is asked by all of its tasks.

interface Event {
  readonly id: number;
}
const TASKS = 2;
const source = memorySource<Event>('events', ({ id }) => id);
const sink = <T>(connector: string) => memorySink<T>({ connector });
const store: Lookup<string> = { connector: 'store', kind: 'store', settings: {}, options: {} };
type Options = Partial<LookupOptions<Event, string, 'name', never, never>>;

const flowOf = (options: Options) =>
  topology('flow', { deadLetters: sink('dead') }, (t) => {
    t.source('events', source)
      .via('names', lookup({ from: store, key: (e) => e.id, as: 'name', ...options }))
      .to('rows', sink('table'));
  });

function worldOf(reader: Partial<LookupReader>, events = 500) {
  const memory = new MemoryProfile(TASKS, { table: 'idempotent' });
  for (let task = 0; task < TASKS; task++) {
    const ids = Array.from({ length: events }, (_, id) => id * TASKS + task);
    memory.append(
      'events',
      task,
      ids.map((id, timestampMs) => ({ key: null, value: Buffer.from(JSON.stringify({ id })), timestampMs })),
    );
  }
  const opened: string[] = [];
  const world = { memory, opened, closed: 0, profile: undefined as unknown as Profile };
  world.profile = Object.assign(Object.create(memory) as Profile, {
    lookups: {
      store: {
        open: async (_: unknown, step: string): Promise<LookupReader> => {
          opened.push(step);
          return {
            keysMax: 1_000,
            get: async (keys) => keys.map(nameOf),
            ping: async () => undefined,
            close: async () => {
              world.closed += 1;
            },
            ...reader,
          };
        },
      },
    },
  });
  return world;
}
const nameOf = (key: string): LookupAnswer => ({ kind: 'found', value: `n${key}` });

const start = (profile: Profile, options: Options, more: Partial<RunOptions> = {}) =>
  runTopology(flowOf(options), {
    profile,
    inference: noInference,
    bounded: true,
    roundMax: 50,
    epochInterval: millis(20),
    random: () => 0,
    ...more,
  });

const rowsOf = (memory: MemoryProfile) =>
  memory
    .outputOf('rows')
    .map(({ value }) => value as Event & { name: string })
    .sort((a, b) => a.id - b.id);

const all = (events = 500) => Array.from({ length: events * TASKS }, (_, id) => ({ id, name: `n${id}` }));

describe('lookups of a run', () => {
  it('are made through one reader for all tasks, which is closed at the end', async () => {
    const world = worldOf({});
    const running = await start(world.profile, {});
    await running.finished;
    expect(rowsOf(world.memory)).toEqual(all());
    expect(world.opened).toEqual(['names']);
    expect(world.closed).toBe(1);
  });

  it('wait for a store that is down: nothing is lost, nothing read meanwhile, and the outage is told', async () => {
    let down = false;
    let asked = 0;
    const warnings: string[] = [];
    const world = worldOf({
      get: async (keys) => {
        asked += 1;
        if (asked === 3) down = true;
        if (down) throw new Error('connection refused');
        return keys.map(nameOf);
      },
      ping: async () => {
        if (down) throw new MillraceError('lookup', 'connection refused');
      },
    });
    const running = await start(
      world.profile,
      { attemptsMax: 2, batchMax: 10 },
      { onWarning: (message) => warnings.push(message) },
    );
    await expect.poll(() => running.snapshot().outages, { timeout: 5_000 }).toMatchObject([{ sink: 'names' }]);
    await sleep(300); // tasks that were under way have failed by now
    const then = asked;
    await sleep(700);
    expect(asked).toBe(then);
    down = false;
    await running.finished;
    expect(rowsOf(world.memory)).toEqual(all());
    expect(warnings[0]).toBe(
      "lookup 'names' is down, its tasks wait for it: the store does not answer: connection refused",
    );
    expect(warnings.at(-1)).toMatch(/^lookup 'names' answers again after/);
  });

  it('stop the run where the store will say the same at every try', async () => {
    const world = worldOf({
      get: async () => {
        throw new MillraceError('lookup', 'wrong password', { permanent: true });
      },
    });
    const running = await start(world.profile, {});
    await expect(running.finished).rejects.toThrow('wrong password');
    expect(world.closed).toBe(1);
  });

  it('that are slow are not taken for hung, as long as they get on', async () => {
    const warnings: string[] = [];
    const world = worldOf(
      {
        keysMax: 1,
        get: async (keys) => {
          await sleep(10);
          return keys.map(nameOf);
        },
      },
      100,
    );
    const running = await start(
      world.profile,
      { concurrencyMax: 1 },
      { stallMax: millis(200), roundMax: 100, onWarning: (message) => warnings.push(message) },
    );
    await running.finished; // two seconds for two rounds
    expect(warnings).toEqual([]);
    expect(rowsOf(world.memory)).toEqual(all(100));
  });

  it('are drained when the run is told to stop: what was read is answered and committed', async () => {
    const world = worldOf({
      get: async (keys) => {
        await sleep(30);
        return keys.map(nameOf);
      },
    });
    const running = await start(world.profile, { batchMax: 20, waitMax: seconds(30) }, { epochInterval: seconds(60) });
    await sleep(100);
    await running.stop();
    const read = [0, 1].reduce(
      (sum, task) => sum + (world.memory.checkpointOf(task)?.positions.events?.offset ?? 0),
      0,
    );
    expect(read).toBeGreaterThan(0);
    expect(rowsOf(world.memory)).toHaveLength(read);
    expect(world.closed).toBe(1);
  });

  it('need a profile that has such a store', async () => {
    const memory = worldOf({}).profile;
    const running = await start(Object.assign(Object.create(memory), { lookups: { other: {} } }) as Profile, {});
    await expect(running.finished).rejects.toMatchObject({
      code: 'config',
      where: 'names',
      hint: expect.stringContaining('the profile itself has other'),
    });
  });
});
