import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definition } from '../../connectors/clickhouse/definition.js';
import { clickhouse } from '../../connectors/clickhouse/index.js';
import type { TableSinkOptions } from '../../connectors/clickhouse/table/options.js';
import { kafka } from '../../connectors/kafka/index.js';
import { deadLetterHeaders, originHeaders } from '../../connectors/kafka/topic-options.js';
import { redis } from '../../connectors/redis/index.js';
import { writtenKeys } from '../../connectors/redis/written.js';
import {
  type Cell,
  hours,
  type Isolation,
  isolatedName,
  type Origin,
  type OutgoingRecord,
  type Sink,
  type StateChange,
  sinkDriver,
} from '../../src/core/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { json } from '../../src/schema/index.js';
import { mapCell, paneCell, timerCell, valueCell } from '../../src/state/index.js';
import { originAt } from '../../src/testing/contract.js';
import { compareState } from '../../src/verify/compare-state.js';
import { compareWritten } from '../../src/verify/compare-written.js';
import type { Differences } from '../../src/verify/differences.js';
import { outputOf } from '../../src/verify/outputs.js';
import type { Run } from '../../src/verify/verification.js';
import { job, namesOf as jobNames } from '../cli/operations.js';
import { tablesOf } from '../profiles/tables.js';

// What two runs left, in the real stores of the embedded profile.

const folder = mkdtempSync(join(tmpdir(), 'millrace-compare-'));
let profile: OpenProfile;
beforeAll(async () => {
  profile = await openProfile(resolveConfig({ flags: { profile: 'embedded', data: folder } }));
});
afterAll(async () => {
  await profile.close();
  rmSync(folder, { recursive: true, force: true });
});

const wrong = ({ counts }: Differences) => Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

const origin = (offset: number, partition = 0): Origin => ({ ...originAt(offset), topic: 'in', partition });

/** What two sinks of one kind wrote, as their connector reads it. */
async function compareSinks(
  sinks: Readonly<Record<Run, Sink<unknown>>>,
  isolation: Pick<Isolation, 'id' | 'step'>,
  ordered: boolean,
): Promise<Differences> {
  const read = async (run: Run) =>
    (await outputOf(profile, sinks[run])).read(sinks[run], { ...isolation, run, partitions: {} }, ordered);
  return compareWritten({ reference: await read('reference'), faulted: await read('faulted') });
}

const inTopic = (topic: string) => kafka.sink<unknown>({ topic, schema: json() }) as Sink<unknown>;

const compareTopics = (topics: Readonly<Record<Run, string>>, ordered: boolean) =>
  compareSinks(
    { reference: inTopic(topics.reference), faulted: inTopic(topics.faulted) },
    { id: 'verify-topics', step: 'out' },
    ordered,
  );

describe('topics', () => {
  let made = 0;
  /** Each word is a record: the number of its task, the offset of its origin, and its value. */
  async function compare(reference: string, faulted: string, ordered = true): Promise<Differences> {
    const topics = { reference: `topic-${made++}`, faulted: `topic-${made++}` };
    const producer = profile.producer();
    for (const [run, text] of [
      ['reference', reference],
      ['faulted', faulted],
    ] as const) {
      await producer.createTopic(topics[run], 1);
      const records = text.split(' ').map((word): OutgoingRecord => {
        const [, task, offset, value = ''] = /^(\d)(\d)(.*)$/.exec(word) ?? [];
        return {
          key: Buffer.from('k'),
          value: Buffer.from(value),
          timestampMs: made, // differs from run to run
          headers: [...originHeaders(origin(Number(offset), Number(task))), ['own', Buffer.from('x')]],
        };
      });
      await producer.append(topics[run], 0, records);
    }
    await producer.close();
    return compareTopics(topics, ordered);
  }

  it.each([
    ['00a 01b 02c', '00a 01b 02c', {}],
    ['00a 01b 02c', '00a 02c', { lost: 1 }],
    ['00a 01b 02c', '00a 01b 00a 01b 02c', { duplicated: 2 }],
    ['00a 01b 02c', '00a 01B 02c', { different: 1 }],
    ['00a 01b 02c', '01b 00a 02c', { outOfOrder: 1 }],
    ['00a 01b', '00a 01b 09z', { unexpected: 1 }],
    ['00a 10x 01b 11y', '10x 11y 00a 01b', {}], // nothing decides the order of two tasks
    ['00a 10x 01b 11y', '11y 10x 00a 01b', { outOfOrder: 1 }],
    ['00a 00b 01c', '00a 00b 01c', {}],
  ])('%s against %s', async (reference, faulted, expected) => {
    expect(wrong(await compare(reference, faulted))).toEqual(expected);
  });

  it('are bags of records where their order means nothing', async () => {
    expect(wrong(await compare('00a 01b 02c', '02a 01c 00b', false))).toEqual({});
    expect(wrong(await compare('00a 01b', '00a 01c', false))).toEqual({ lost: 1, unexpected: 1 });
    expect(wrong(await compare('00a 01b', '00a 01b 02b', false))).toEqual({ duplicated: 1 });
  });

  it('of dead letters differ where a reason does, and by headers of the record itself', async () => {
    const topics = { reference: 'dead-reference', faulted: 'dead-faulted' };
    const producer = profile.producer();
    const letter = (reason: string, own: string): OutgoingRecord => ({
      key: null,
      value: Buffer.from('x'),
      timestampMs: 0,
      headers: [
        [deadLetterHeaders.reason, Buffer.from(reason)],
        ...originHeaders(origin(3)),
        [deadLetterHeaders.topic, Buffer.from(own)], // a header of the record's own, by chance of that name
      ],
    });
    for (const topic of Object.values(topics)) await producer.createTopic(topic, 1);
    await producer.append(topics.reference, 0, [letter('a', 'own'), letter('b', 'own'), letter('c', 'own')]);
    await producer.append(topics.faulted, 0, [letter('a', 'own'), letter('B', 'own'), letter('c', 'other')]);
    await producer.close();
    expect(wrong(await compareTopics(topics, true))).toEqual({ different: 2 });
  });
});

describe('hashes', () => {
  const store = (all: Readonly<Record<string, Record<string, string>>>) => ({
    keys: async (prefix: string) => Object.keys(all).filter((key) => key.startsWith(prefix)),
    read: async (keys: readonly string[]) => keys.map((key) => all[key] ?? {}),
    remove: async () => undefined,
    removeFences: async () => undefined,
  });
  const isolationIn = (run: Run) => ({ id: 'c', run, step: 's', partitions: {} });
  const sink = redis.hashSink<unknown>({ key: String, ttl: hours(1) }) as Sink<unknown>;
  const compareKeys = async (keys: ReturnType<typeof store>, ordered: boolean) => {
    const read = (run: Run) => writtenKeys(keys).read(sink, isolationIn(run), ordered);
    return compareWritten({ reference: await read('reference'), faulted: await read('faulted') });
  };

  it('differ by keys and by fields', async () => {
    const hashes = store({
      'c:reference:s:1': { n: '1' },
      'c:faulted:s:1': { n: '1' },
      'c:reference:s:2': { n: '1' },
      'c:faulted:s:2': { n: '2' },
      'c:reference:s:3': { n: '1', m: '1' },
      'c:faulted:s:3': { n: '1' },
      'c:reference:s:4': { n: '1' },
      'c:faulted:s:5': { n: '1' },
      'e:6': { n: '1' },
    });
    const found = await compareKeys(hashes, true);
    expect(wrong(found)).toEqual({ lost: 1, different: 2, unexpected: 1 });
    expect(found.samples.find(({ kind }) => kind === 'lost')).toMatchObject({ id: '4', reference: '{"n":"1"}' });
    expect(found.compared).toBe(4);
    expect(wrong(await compareKeys(hashes, false))).toEqual({ lost: 1, unexpected: 1 });
  });

  it('are read in pieces', async () => {
    const all = Object.fromEntries(
      Array.from({ length: 2_500 }, (_, n) =>
        [`c:reference:s:${n}`, `c:faulted:s:${n}`].map((key) => [key, { n: String(n) }]),
      ).flat(),
    );
    expect(await compareKeys(store(all), true)).toMatchObject({ compared: 2_500, total: 0 });
  });
});

describe('tables', () => {
  let made = 0;
  interface Row {
    readonly n: number;
    readonly score: number;
    readonly note: string | null;
  }
  const rows = (count: number): Row[] =>
    Array.from({ length: count }, (_, n) => ({ n, score: n / 7, note: n % 3 === 0 ? null : `it's "${n}"` }));

  async function compare(reference: Row[], faulted: Row[], byIdentity = true, more: Row[] = []): Promise<Differences> {
    const id = `verify-t${made++}`;
    const sink = clickhouse.tableSink<Row>({
      table: 'scored',
      columns: { n: 'UInt32', score: 'Float64', note: 'Nullable(String)' },
      exactlyOnce: true,
    });
    const driver = await sinkDriver(profile, sink, 'history');
    const isolated = (run: Run) => {
      const { isolate } = definition.kinds.tableSink.verify;
      const isolation = { id, run, step: 'history', partitions: {} };
      return { ...sink, options: isolate(sink.options as TableSinkOptions, isolation) } as Sink<unknown>;
    };
    const own = { reference: isolated('reference'), faulted: isolated('faulted') };
    for (const [run, values] of [
      ['reference', reference],
      ['faulted', faulted],
    ] as const satisfies readonly (readonly [Run, Row[]])[]) {
      const topology = isolatedName({ id, run });
      const { table } = own[run].options as TableSinkOptions;
      await driver.setUp?.(own[run], { topology, step: 'history', partitions: 1 });
      await (await tablesOf(profile)).command(`SYSTEM STOP MERGES ${table}_rows`);
      const write = async (some: readonly Row[]) => {
        const context = { step: 'history', task: { topology, partition: 0 }, incarnation: 0 };
        const writer = await driver.open(own[run], context);
        await writer.write(
          some,
          some.map(({ n }) => origin(n)),
        );
        await writer.prepare?.();
      };
      await write(values);
      if (run === 'faulted' && more.length > 0) await write(more);
    }
    return compareSinks(own, { id, step: 'history' }, byIdentity);
  }

  it('are the same where every bit is', async () => {
    expect(await compare(rows(300), rows(300))).toMatchObject({ compared: 300, total: 0 });
    expect(await compare(rows(300), rows(300), false)).toMatchObject({ compared: 300, total: 0 });
  });

  it('differ by rows and by the last bit of a number', async () => {
    const other = rows(300).filter(({ n }) => n !== 7);
    const changed = other.map((row) => (row.n === 250 ? { ...row, score: row.score + 2 ** -47 } : row));
    const found = await compare(rows(300), [...changed, { n: 900, score: 0, note: null }]);
    expect(wrong(found)).toEqual({ lost: 1, different: 1, unexpected: 1 });
    expect(found.samples.map(({ id }) => id).sort()).toEqual(['in/0/250#0', 'in/0/7#0', 'in/0/900#0']);
    expect(JSON.parse(found.samples.find(({ kind }) => kind === 'lost')?.reference ?? '')).toEqual([7, 1, 'it\'s "7"']);
    expect(wrong(await compare(rows(300), changed, false))).toEqual({ lost: 2, unexpected: 1 });
  });

  it('hold no row twice where they promise it', async () => {
    const found = await compare(rows(50), rows(50), true, rows(10).slice(2));
    expect(wrong(found)).toEqual({ duplicated: 8 });
  });

  it('are compared piece by piece, however far apart the records are', async () => {
    const spread = rows(100).map((row) => ({ ...row, n: row.n * 1_000 }));
    expect(await compare(spread, spread)).toMatchObject({ compared: 100, total: 0 });
  });
});

describe('state', () => {
  const specs = {
    sum: valueCell({ initial: 0 }),
    byKey: mapCell<string, number>(),
    panes: paneCell<string>({ version: 1, numbers: 1, values: 1 }),
    due: timerCell<string>({ timersMax: 10_000 }),
  };
  const usual = job(jobNames('state'));
  const topology = {
    ...usual,
    steps: usual.steps.map((step) =>
      step.shape.shape === 'stateful' ? { ...step, shape: { ...step.shape, cells: specs } } : step,
    ),
  };

  /** Writes to the cells of the topology's step as its code would, with an end of an epoch after every so many. */
  function stateOf(values: readonly number[], epochEvery: number): StateChange[] {
    const cells = {
      sum: specs.sum.open(),
      byKey: specs.byKey.open(),
      panes: specs.panes.open(),
      due: specs.due.open(),
    };
    const { sum, byKey, panes, due } = cells;
    const stored = new Map<string, StateChange>();
    const take = (cell: string, of: Cell, version: number) => {
      for (const change of of.takeChanges()) {
        if (change.bytes === null) stored.delete(`${cell}/${change.bucket}`);
        else stored.set(`${cell}/${change.bucket}`, { ...change, step: 'totals', cell, version });
      }
    };
    const takeAll = () => {
      for (const [name, cell] of Object.entries(cells)) take(name, cell, 1);
    };
    values.forEach((value, n) => {
      const key = `k${value % 10}`;
      sum.set(sum.get() + value);
      byKey.set(key, (byKey.get(key) ?? 0) + value);
      const pane = panes.open(Math.floor(n / 300) * 300);
      const found = pane.find(key);
      const slot = found < 0 ? pane.add(key) : found;
      pane.numbers[slot] = (pane.numbers[slot] as number) + value;
      pane.values[slot] = { n };
      pane.touch(slot);
      panes.dropBefore(n - 900);
      due.add(n + (value % 700), key);
      due.takeDue(n - 20, () => undefined);
      if (n % epochEvery === 0) takeAll();
    });
    takeAll();
    return [...stored.values()];
  }

  const compare = (reference: StateChange[], faulted: StateChange[]) =>
    compareState(
      {
        checkpoints: {
          ...profile.checkpoints,
          tasks: async () => [0],
          inspect: async ({ topology: name }) => ({
            checkpoint: undefined,
            topics: {},
            state: name === 'reference' ? reference : faulted,
          }),
        },
      },
      { reference: [{ ...topology, name: 'reference' }], faulted: [{ ...topology, name: 'faulted' }] },
    );

  const values = Array.from({ length: 2_000 }, (_, n) => n);

  it('is the same wherever epochs ended, although maps, panes and timers are stored otherwise then', async () => {
    const [reference, faulted] = [stateOf(values, 1_000), stateOf(values, 37)];
    expect(reference.map(({ bytes }) => Buffer.from(bytes ?? []).toString('hex'))).not.toEqual(
      faulted.map(({ bytes }) => Buffer.from(bytes ?? []).toString('hex')),
    );
    expect(wrong(await compare(reference, faulted))).toEqual({});
  });

  it('differs by one value of a cell, and names it', async () => {
    const found = await compare(stateOf(values, 100), stateOf([...values, 3], 100));
    expect(wrong(found)).toEqual({ different: 4 });
    expect(found.samples.map(({ id }) => id)).toEqual([
      'cell sum of step totals in task 0',
      'cell byKey of step totals in task 0',
      'cell panes of step totals in task 0',
    ]);
    expect(wrong(await compare(stateOf(values, 100), []))).toEqual({ different: 4 });
  });
});
