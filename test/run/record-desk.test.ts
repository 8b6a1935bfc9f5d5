import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadLetterHeaders, originHeaders } from '../../connectors/kafka/topic-options.js';
import { noRecord } from '../../src/core/record.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { openRecordDesk } from '../../src/run/record-desk.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from '../server/orders.js';

let folder: string;
let profile: OpenProfile;
const lines: string[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-records-'));
  profile = await openProfile(resolveConfig({ flags: { data: folder } }));
  for (const topic of ['orders.v1', 'payments.v1', 'orders.paid.v1', 'orders.dead'])
    await profile.producer().createTopic(topic, 2);
  await write('orders.v1', 1, [order('a', 1), order('b', 2)]);
  await write('payments.v1', 0, [{ ...order('b', 3), key: null }]);
  const of = { ...noRecord('orders.v1'), partition: 1, offset: 1 };
  await write('orders.paid.v1', 0, [{ ...order('x', 4), headers: originHeaders(of) }]);
  const letter = [
    [deadLetterHeaders.reason, Buffer.from('range:at')],
    [deadLetterHeaders.step, Buffer.from('large')],
    ...originHeaders(of),
  ] as const;
  await write('orders.dead', 1, [{ ...order('y', 5), headers: letter }]);
});
afterEach(async () => {
  lines.length = 0;
  await profile.close();
  rmSync(folder, { recursive: true, force: true });
});

const order = (id: string, seconds: number) => ({
  key: Buffer.from(`key-${id}`),
  value: Buffer.from(JSON.stringify({ id, at: seconds })),
  timestampMs: seconds * 1_000,
});
const write = (
  topic: string,
  partition: number,
  records: Parameters<ReturnType<OpenProfile['producer']>['append']>[2],
) => profile.producer().append(topic, partition, records);

/** The position of the task of partition 1 in orders. */
let position = Number.MAX_SAFE_INTEGER;
const running = {
  snapshot: () => {
    const [task] = someSnapshot().tasks;
    const positions = { orders: { offset: position, mergeTimeMs: 0 } };
    return { ...someSnapshot(), tasks: task ? [{ ...task, partition: 1, positions }] : [] };
  },
};

const desk = (showsValues: boolean) =>
  openRecordDesk({
    ...{ topology: orders, profile, running, deadLetterKey: '', showsValues },
    onAction: (line) => void lines.push(line),
  });
const found = async (id: string, showsValues = false) => {
  const { topics } = await desk(showsValues).find(id, 'ada');
  return topics.flatMap(({ role, node, records }) => records.map(({ place }) => `${role} ${node}: ${place}`));
};

const TRAIL = [
  'source orders: orders.v1/1/1',
  'dead letters dead letters: orders.dead/1/0',
  'sink history: orders.paid.v1/0/0',
];

describe('the records of a run', () => {
  it('are found by their key, and what comes from them by their place', async () => {
    expect(await found('key-b')).toEqual(TRAIL);
    expect(await found('orders.v1/1/1')).toEqual(TRAIL);
    expect(await found('orders.v1/1/7')).toEqual([]);
    expect(await found('orders.v1/9/1')).toEqual([]);
    expect(await found('orders.v1/1/x')).toEqual([]);
  });

  it('are found by a field of their value only where values may be shown, and each such look is told', async () => {
    expect(await found('b')).toEqual([]);
    expect(lines).toEqual([]);
    expect(await found('b', true)).toEqual(['source payments: payments.v1/0/0', ...TRAIL]);
    expect(lines).toEqual([
      'ada looks at the values of 4 records: payments.v1/0/0, orders.v1/1/1, orders.dead/1/0, orders.paid.v1/0/0',
    ]);
  });

  it('come without values unless these may be shown, and with reason, step and origin', async () => {
    const letterOf = async (showsValues: boolean) => {
      const { topics } = await desk(showsValues).find('key-b', 'ada');
      return topics.find(({ role }) => role === 'dead letters');
    };
    const shown = {
      ...{ place: 'orders.dead/1/0', partition: 1, offset: 0, timestamp: '1970-01-01T00:00:05.000Z', bytes: 17 },
      ...{ origin: 'orders.v1/1/1', letter: { reason: 'range:at', step: 'large' } },
    };
    expect(await letterOf(false)).toMatchObject({ entries: 1, scanned: 1, found: 1, records: [shown] });
    expect((await letterOf(false))?.records[0]?.values).toBeUndefined();
    expect((await letterOf(true))?.records[0]?.values).toEqual({ key: 'key-y', record: '{"id":"y","at":5}' });
  });

  it('of a source say where they go to, and what steps do with them only where values may be shown', async () => {
    const wayOf = async (showsValues: boolean) => {
      const { topics } = await desk(showsValues).find('key-b', 'ada');
      return topics.flatMap(({ records }) => records.flatMap(({ way = [] }) => way));
    };
    const sinks = 'to history (kafka.sink), newest (redis.hashSink) unless a step drops it before';
    expect(await wayOf(false)).toEqual([`then dedupe, large, paid; ${sinks}`]);
    expect(await wayOf(true)).toEqual([`passes dedupe (unless its key came before), large; then paid; ${sinks}`]);
  });

  it('are read from the newest 10,000 entries of a topic, and the newest ten are shown', async () => {
    const many = Array.from({ length: 6_000 }, (_, i) => ({ ...order('b', 100 + i), headers: [] }));
    await write('orders.v1', 1, many);
    const { topics, isCut } = await desk(false).find('key-b', 'ada');
    const trail = topics.find(({ node }) => node === 'orders');
    expect(trail).toMatchObject({ entries: 6_002, scanned: 5_000, found: 5_000 });
    expect(trail?.records.map(({ offset }) => offset)).toEqual(Array.from({ length: 10 }, (_, i) => 5_992 + i));
    expect(isCut).toBe(false);

    // A run that is far behind: 5,000 about its position, of which 1,250 are not read yet.
    position = 1_000;
    const behind = (await desk(false).find('key-b', 'ada')).topics.find(({ node }) => node === 'orders');
    expect(behind).toMatchObject({ entries: 6_002, scanned: 2_250, found: 2_249 });
    expect(behind?.records.at(-1)?.offset).toBe(2_249);
    expect(await found('orders.v1/1/6001')).toEqual(['source orders: orders.v1/1/6001']);
    position = Number.MAX_SAFE_INTEGER;
  });

  it('are looked for by two at a time', async () => {
    const one = desk(false);
    const looks = ['a', 'b', 'c'].map((id) => one.find(id, 'ada'));
    const refused = looks.pop();
    await expect(refused).rejects.toMatchObject({ code: 'config', hint: 'try again in a moment' });
    await Promise.all(looks);
    await one.find('c', 'ada');
  });
});
