import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadLetterHeaders } from '../../connectors/kafka/topic-options.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { openDeadLetterDesk } from '../../src/run/dead-letter-desk.js';
import { readTopic } from '../../src/topics/read-topic.js';
import { orders } from '../server/orders.js';

let folder: string;
let profile: OpenProfile;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-desk-'));
  profile = await openProfile(resolveConfig({ flags: { data: folder } }));
  await profile.producer().createTopic('orders.v1', 2);
  await profile.producer().createTopic('orders.dead', 2);
});
afterEach(async () => {
  await profile.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Letter {
  readonly value: unknown;
  readonly reason: string;
  readonly topic?: string;
  readonly replayed?: boolean;
}

/** Writes dead letters as a topology does. */
const written = (partition: number, letters: readonly Letter[]) =>
  profile.producer().append(
    'orders.dead',
    partition,
    letters.map(({ value, reason, topic = 'orders.v1', replayed }, i) => ({
      key: Buffer.from('k'),
      value: Buffer.from(JSON.stringify(value)),
      timestampMs: 1_700_000_000_000 + i * 1_000,
      headers: Object.entries({
        [deadLetterHeaders.reason]: reason,
        [deadLetterHeaders.detail]: `not ${JSON.stringify(value)}`,
        [deadLetterHeaders.step]: 'dedupe',
        [deadLetterHeaders.topic]: topic,
        [deadLetterHeaders.partition]: String(i % 2),
        [deadLetterHeaders.offset]: String(i),
        ...(replayed ? { 'millrace.replayed': 'orders.dead/0/0' } : {}),
      }).map(([name, text]) => [name, Buffer.from(text)] as const),
    })),
  );

function opened(showsValues = false, producer = () => profile.producer()) {
  const lines: string[] = [];
  const onAction = (line: string) => void lines.push(line);
  const desk = openDeadLetterDesk({
    topology: orders,
    profile: { ...profile, producer },
    deadLetterKey: '',
    showsValues,
    onAction,
  });
  const ended = (id: string, state: string) =>
    expect.poll(() => desk.replays().find((each) => each.id === id)?.state, { interval: 5 }).toBe(state);
  return { desk, lines, ended };
}

/** What is in the topic that the records came from. */
async function back(): Promise<string[]> {
  const found: string[] = [];
  for await (const { partition, record } of readTopic(profile, 'orders.v1')) {
    const from = record.headers?.find(([name]) => name === 'millrace.replayed')?.[1] ?? '';
    found.push(`${partition} ${record.value && Buffer.from(record.value)} ${Buffer.from(from)}`);
  }
  return found;
}

describe('the desk of dead letters', () => {
  it('shows the newest of them with their groups, and their values only where that is allowed', async () => {
    await written(0, [
      { value: { id: 'a' }, reason: 'range:at' },
      { value: { id: 'b' }, reason: 'truncated' },
      { value: { id: 'c' }, reason: 'range:at', replayed: true },
    ]);
    const { desk, lines } = opened();
    const seen = await desk.look({}, 'ada');
    expect(seen).toMatchObject({ topic: 'orders.dead', entries: 3, scanned: 3 });
    expect(seen.groups.map(({ reason, count, replayed }) => [reason, count, replayed])).toEqual([
      ['range:at', 2, 1],
      ['truncated', 1, 0],
    ]);
    expect(seen.letters).toEqual([
      {
        ...{ place: '0/1', timestamp: '2023-11-14T22:13:21.000Z', reason: 'truncated', step: 'dedupe' },
        ...{ origin: 'orders.v1/1/1', replayed: false, bytes: 10, values: undefined },
      },
      expect.objectContaining({ place: '0/0' }),
    ]);
    expect((await desk.look({ again: true, reason: 'range:at' }, 'ada')).letters.map(({ place }) => place)).toEqual([
      '0/2',
      '0/0',
    ]);
    expect(lines).toEqual([]);

    const open = opened(true);
    expect((await open.desk.look({ reason: 'truncated' }, 'ada')).letters[0]?.values).toEqual({
      detail: 'not {"id":"b"}',
      key: 'k',
      record: '{"id":"b"}',
    });
    expect(open.lines).toEqual(['ada looks at the values of all dead letters, with reason "truncated" in orders.dead']);
  });

  it('counts what a replay would send, and sends exactly that, once', async () => {
    await written(0, [
      { value: 1, reason: 'x' },
      { value: 2, reason: 'x' },
      { value: 3, reason: 'y' },
    ]);
    await written(1, [
      { value: 4, reason: 'x' },
      { value: 5, reason: 'x', replayed: true },
    ]);
    const { desk, lines, ended } = opened();
    expect(desk.count({ reason: 'x' }, 'ada')).toMatchObject({ id: 'replay-1', state: 'counting' });
    expect(() => desk.count({}, 'ada')).toThrow('another replay is under way');
    expect(() => desk.send('replay-1', 'ada')).toThrow('another replay is under way');
    await ended('replay-1', 'counted');
    expect(desk.replays()[0]).toMatchObject({
      found: 3,
      sent: 0,
      records: [
        { topic: 'orders.v1', partition: 0, records: 2 },
        { topic: 'orders.v1', partition: 1, records: 1 },
      ],
    });
    expect(await back()).toEqual([]);

    await written(0, [{ value: 6, reason: 'x' }]); // too late for what was counted
    desk.send('replay-1', 'bob');
    await ended('replay-1', 'sent');
    expect(await back()).toEqual(['0 1 orders.dead/0/0', '0 4 orders.dead/1/0', '1 2 orders.dead/0/1']);
    expect(desk.replays()[0]).toMatchObject({ sent: 3, read: 1 });
    expect(() => desk.send('replay-1', 'bob')).toThrow('replay-1 is sent');
    expect(() => desk.send('replay-9', 'bob')).toThrow("there is no replay 'replay-9'");
    expect(lines).toEqual([
      'bob replays all dead letters, with reason "x" of orders.dead: replay-1, 3 records',
      'replay-1 sent: 3 records sent',
    ]);
  });

  it('sends single ones, and again what had been sent before', async () => {
    await written(0, [
      { value: 1, reason: 'x' },
      { value: 2, reason: 'x', replayed: true },
      { value: 3, reason: 'x' },
    ]);
    const { desk, ended } = opened();
    desk.count({ places: ['0/1', '0/2', '1/0'], again: true }, 'ada');
    await ended('replay-1', 'counted');
    desk.send('replay-1', 'ada');
    await ended('replay-1', 'sent');
    expect(await back()).toEqual(['0 3 orders.dead/0/2', '1 2 orders.dead/0/1']);
  });

  it('says why letters cannot be sent, before it has sent one', async () => {
    await written(0, [
      { value: 1, reason: 'x' },
      { value: 2, reason: 'x', topic: 's3://bucket/object' },
    ]);
    const { desk, ended } = opened();
    desk.count({}, 'ada');
    await ended('replay-1', 'failed');
    expect(desk.replays()[0]?.error).toContain('s3://bucket/object is not a topic');
    expect(() => desk.send('replay-1', 'ada')).toThrow('replay-1 is failed');
    expect(await back()).toEqual([]);
  });

  it('stops where it is told to, or when the run ends, and says how far it came', async () => {
    for (let batch = 0; batch < 3; batch++)
      await written(
        0,
        Array.from({ length: 1_000 }, (_, i) => ({ value: batch * 1_000 + i, reason: 'x' })),
      );
    let goOn = () => {};
    const isHeld = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { desk, lines, ended } = opened(false, () => {
      const producer = profile.producer();
      return { ...producer, append: (...batch) => isHeld.then(() => producer.append(...batch)) };
    });
    desk.count({}, 'ada');
    await ended('replay-1', 'counted');
    desk.send('replay-1', 'ada');
    const stopped = desk.stop('replay-1', 'bob');
    goOn();
    const { state, sent } = await stopped;
    expect(state).toBe('stopped');
    expect(await back()).toHaveLength(sent);
    expect(sent).toBeLessThan(3_000);
    expect(lines.slice(1)).toEqual(['bob stops replay-1', expect.stringContaining('replay-1 stopped')]);
    await expect(desk.stop('replay-1', 'bob')).rejects.toThrow('replay-1 is stopped');
    desk.count({}, 'ada');
    await desk.close();
    expect(desk.replays()[1]?.state).toBe('stopped');
  });
});
