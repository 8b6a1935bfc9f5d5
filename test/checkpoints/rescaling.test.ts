import { afterEach, describe, expect, it } from 'vitest';
import { file } from '../../connectors/file/index.js';
import { openFiles } from '../../connectors/file/open.js';
import { kafka } from '../../connectors/kafka/index.js';
import { lagOf, planReset } from '../../src/checkpoints/offsets.js';
import { rescaled } from '../../src/checkpoints/rescaling.js';
import { savepointFile } from '../../src/checkpoints/savepoint-files.js';
import { createSavepoint, type RestoreOptions, restoreSavepoint } from '../../src/checkpoints/savepoints.js';
import { storedTasks } from '../../src/checkpoints/stored-state.js';
import { stateful } from '../../src/core/index.js';
import { dedupe, hours, json, minutes, topology } from '../../src/index.js';
import { mapCell, valueCell } from '../../src/ml.js';
import { rescale as rescaling } from '../../src/operator.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry } from '../../src/schema/index.js';
import { emptyCheckpoint, positionAt } from '../../src/topics/positions.js';
import type { Topology } from '../../src/topology/index.js';
import { hopping } from '../../src/window.js';
import { freshWorld, runToEnd, textsIn } from '../cli/operations.js';
import { happenings, keyed, type Order, outputs, send } from '../cli/rescaling.js';
import { noInference } from '../memory.js';

const NAME = 'keyed';
const job = keyed(NAME);

type World = Awaited<ReturnType<typeof freshWorld>>;
const worlds: World[] = [];
async function world(): Promise<World> {
  const opened = await freshWorld();
  worlds.push(opened);
  return opened;
}
afterEach(async () => {
  for (const each of worlds.splice(0)) await each.remove();
});

async function finish({ profile }: World, topology: Topology = job): Promise<void> {
  const running = await runTopology(topology, { profile, inference: noInference, bounded: true, final: true });
  await running.finished;
}

/** The same state, were its windows hopping: they are not divided while tasks have closed different ones. */
const hopped = keyed(NAME, hopping({ size: minutes(2), every: minutes(1) }));

const rescale = { assumeKeyed: false };
const into = (to: World, from: World, options: Partial<RestoreOptions> = {}, topology = job) =>
  restoreSavepoint(to.profile, topology, {
    file: savepointFile(from.data, 'drained'),
    positions: 'earliest',
    rescale,
    ...options,
  });

/** What so many tasks had read, as a savepoint. */
async function saved(seed: number, records: number, tasks: number, topology = job): Promise<World> {
  const from = await world();
  await send(from.profile, NAME, happenings(seed, records), tasks);
  await runToEnd(from.profile, topology);
  await createSavepoint(from.profile, topology, { name: 'drained', data: from.data, nowMs: 0 });
  return from;
}

const together = (a: Record<string, string[]>, b: Record<string, string[]>) =>
  Object.fromEntries(Object.entries(a).map(([name, texts]) => [name, [...texts, ...(b[name] ?? [])].sort()]));

describe('a savepoint in another number of tasks', () => {
  it.each([
    [4, 6],
    [6, 3],
    [2, 7],
    [5, 1],
  ])('goes on as if there had always been as many: %i -> %i', async (before, after) => {
    const seed = before * 10 + after;
    const all = happenings(seed, 1_200);
    const whole = await world();
    await send(whole.profile, NAME, all, after);
    await finish(whole);
    const expected = await outputs(whole.profile, NAME);
    for (const texts of Object.values(expected)) expect(texts.length).toBeGreaterThan(20);

    const from = await saved(seed, 700, before);
    const first = await outputs(from.profile, NAME);
    const to = await world();
    await send(to.profile, NAME, [], after);
    expect(await into(to, from)).toEqual({ incarnation: 1, tasks: after });
    await send(to.profile, NAME, all.slice(700), after);
    await finish(to);
    expect(together(first, await outputs(to.profile, NAME))).toEqual(expected);
  });

  it('wants to be asked for it, and changes nothing where it is refused', async () => {
    const from = await saved(1, 300, 4);
    const to = await world();
    await send(to.profile, NAME, [], 6);
    await expect(into(to, from, { rescale: undefined })).rejects.toThrow(
      'the savepoint has 4 tasks, the inputs have 6',
    );
    const differing = await saved(1, 300, 4, hopped);
    await expect(into(to, differing, {}, hopped)).rejects.toMatchObject({
      code: 'state',
      where: 'sum/closed',
      message: expect.stringContaining('tasks differ'),
    });
    expect(await storedTasks(to.profile, job)).toEqual([]);
    const smaller = await world();
    await send(smaller.profile, NAME, [], 3);
    await expect(into(smaller, from, { positions: 'keep' })).rejects.toMatchObject({
      code: 'config',
      where: 'orders',
      hint: expect.stringContaining('--positions'),
    });
  });

  it('does not begin at the end of an input that has none', async () => {
    const rows = file.source({ path: 'in/*.ndjson', schema: json<unknown>(), eventTime: () => 0, partitions: 2 });
    const subtopology = topology(NAME, { deadLetters: kafka.deadLetterSink({ topic: `${NAME}.dead` }) }, (t) => {
      t.source('rows', rows).to('out', kafka.sink<unknown>({ topic: `${NAME}.out`, schema: json<unknown>() }));
    });
    const { profile } = await world();
    const here = { ...profile, sources: { file: openFiles({ schemas: localRegistry() }).source } };
    const checkpoint = { ...emptyCheckpoint('hash'), positions: { rows: positionAt(5) } };
    const stored = [{ partition: 0, checkpoint, state: [], topics: {} }];
    await expect(
      (async () => rescaled(here, subtopology, stored, { tasks: 2, positions: 'latest', assumeKeyed: true }))(),
    ).rejects.toMatchObject({ code: 'config', message: expect.stringContaining('only a topic can start') });
  });

  it('leaves no rows behind in files of a task that goes', async () => {
    const to = await world();
    await send(to.profile, NAME, [], 1);
    const open = [{ name: 'part-00001-0-00000000.ndjson' }];
    const committables = {
      archive: { next: 1, open, complete: [], location: { connector: 'file', folder: 'archive' } },
    };
    const stored = [0, 1].map((partition) => ({
      partition,
      checkpoint: { ...emptyCheckpoint('hash'), committables: partition === 0 ? {} : committables },
      state: [],
      topics: {},
    }));
    const going = rescaled(to.profile, job, stored, { tasks: 1, positions: 'earliest', assumeKeyed: true });
    await expect(going).rejects.toMatchObject({
      code: 'state',
      where: 'archive',
      hint: expect.stringMatching(/until-end/),
    });
  });

  it('from one task needs the word of who knows the keys', async () => {
    const from = await saved(2, 300, 1);
    const to = await world();
    await send(to.profile, NAME, [], 3);
    await expect(into(to, from)).rejects.toMatchObject({
      code: 'state',
      hint: expect.stringContaining('--assume-keyed'),
    });
    expect(await into(to, from, { rescale: { assumeKeyed: true } })).toEqual({ incarnation: 1, tasks: 3 });
  });

  it('is refused where a step goes by another key than its records, or keeps something of the whole task', async () => {
    const source = kafka.source({ topic: `${NAME}.orders`, schema: json<{ id: number; user: string }>() });
    const sink = kafka.sink<unknown>({ topic: `${NAME}.out`, schema: json<unknown>() });
    const other = topology(NAME, { deadLetters: kafka.deadLetterSink({ topic: `${NAME}.dead` }) }, (t) => {
      t.source('orders', source)
        .via('first', dedupe({ key: ({ id }) => id, retention: hours(2), keysMax: 1_000 }))
        .to('out', sink);
    });
    const counted = topology(NAME, { deadLetters: kafka.deadLetterSink({ topic: `${NAME}.dead` }) }, (t) => {
      const cells = { seen: valueCell({ initial: 0 }) };
      t.source('orders', source)
        .via(
          'count',
          stateful<unknown, number, typeof cells>({
            kind: 'count',
            cells,
            open: ({ seen }) => ({
              onRecord(_input, _value, emit) {
                seen.set(seen.get() + 1);
                emit(seen.get());
              },
            }),
          }),
        )
        .to('out', sink);
    });
    for (const [flow, where, message] of [
      [other, 'first/seen', /^the key '\d+' is in task \d, but records with this key are in task \d$/],
      [counted, 'count/seen', /belongs to one task/],
    ] as const) {
      const from = await saved(3, 300, 4, flow);
      const to = await world();
      await send(to.profile, NAME, [], 6);
      await expect(into(to, from, {}, flow)).rejects.toMatchObject({
        code: 'state',
        where,
        message: expect.stringMatching(message),
      });
      expect(await storedTasks(to.profile, flow)).toEqual([]);
    }
  });

  it('must be there before a run: state of other tasks is not gone on with', async () => {
    const { profile } = await saved(4, 200, 3);
    for (const { partition, ...stored } of await storedTasks(profile, job)) {
      expect(stored.checkpoint?.tasks).toBe(3);
      const checkpoint = { ...stored.checkpoint, tasks: 2 } as NonNullable<typeof stored.checkpoint>;
      await profile.checkpoints.replace({ topology: NAME, partition }, { ...stored, checkpoint });
    }
    await expect(runToEnd(profile, job)).rejects.toMatchObject({
      code: 'state',
      message: 'its state is that of one of 2 tasks, the inputs have 3 partitions',
      hint: expect.stringContaining('--rescale'),
    });
  });

  it('takes its sub-topologies along, each into a number of its own', async () => {
    const staged = (partitions: number) =>
      topology('staged', { deadLetters: kafka.deadLetterSink({ topic: 'staged.dead' }) }, (t) => {
        const cells = { byUser: rescaling.byKey(mapCell<string, number>()) };
        const orders = t
          .source('orders', kafka.source({ topic: 'staged.orders', schema: json<Order>() }))
          .via('once', dedupe({ key: ({ id }) => String(id), retention: hours(1_000), keysMax: 10_000 }));
        orders
          .repartition('by-user', { key: ({ user }) => user, schema: json<Order>(), partitions })
          .via(
            'total',
            stateful<Order, string, typeof cells>({
              kind: 'total',
              cells,
              open: ({ byUser }) => ({
                onRecord(_, { user, amount }, emit) {
                  byUser.set(user, (byUser.get(user) ?? 0) + amount);
                  emit(`${user} ${byUser.get(user)}`);
                },
              }),
            }),
          )
          .to('totals', kafka.sink({ topic: 'staged.totals', schema: json<string>() }));
      });
    const records = Array.from({ length: 600 }, (_, n) => {
      const id = n % 10 === 9 ? n - 300 : n; // some were there long before
      const order = { id, user: `user-${id % 17}`, currency: 'c', amount: 1 };
      const value = Buffer.from(JSON.stringify(order));
      return { key: Buffer.from(String(id)), value, timestampMs: 1_700_000_000_000 + n };
    });
    const feed = async ({ profile }: World, from: number, to: number, partitions: number) => {
      const producer = profile.producer();
      await producer.createTopic('staged.orders', partitions);
      await producer.send('staged.orders', records.slice(from, to));
      await producer.close();
    };
    const totalsIn = async ({ profile }: World) => (await textsIn(profile, 'staged.totals')).flat();

    const whole = await world();
    await feed(whole, 0, 600, 3);
    await runToEnd(whole.profile, staged(5));
    const from = await world();
    await feed(from, 0, 400, 4);
    await runToEnd(from.profile, staged(2));
    await createSavepoint(from.profile, staged(2), { name: 'drained', data: from.data, nowMs: 0 });
    const to = await world();
    await feed(to, 0, 0, 3);
    expect(await into(to, from, {}, staged(5))).toEqual({ incarnation: 1, tasks: 3 + 5 });
    await feed(to, 400, 600, 3);
    await runToEnd(to.profile, staged(5));
    const all = [...(await totalsIn(from)), ...(await totalsIn(to))];
    expect(all.length).toBeGreaterThan(500);
    expect(all.sort()).toEqual((await totalsIn(whole)).sort());
  });

  it('is not needed where positions go back with the state dropped, in every partition of a global table too', async () => {
    const { profile } = await saved(5, 300, 3);
    const before = await outputs(profile, NAME);
    const reset = await planReset(profile, job, { to: 'earliest', source: undefined, dropState: true });
    expect(
      reset.moves.filter(({ source }) => source === 'rates').map(({ task, partition }) => [task, partition]),
    ).toEqual([0, 1, 2].flatMap((task) => [0, 1].map((partition) => [task, partition])));
    await reset.apply();
    expect(
      (await lagOf(profile, job)).filter(({ source }) => source === 'rates').every(({ lag }) => Number(lag) > 0),
    ).toBe(true);
    await runToEnd(profile, job);
    expect(await outputs(profile, NAME)).toEqual(together(before, before));
    expect((await lagOf(profile, job)).map(({ lag }) => lag)).toEqual(Array(3 * 3 + 3 * 2).fill(0));
  });
});
