import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPLAYED } from '../../connectors/kafka/topic-options.js';
import { lagOf, planReset } from '../../src/checkpoints/offsets.js';
import { listSavepoints, readSavepoint, savepointFile } from '../../src/checkpoints/savepoint-files.js';
import { createSavepoint, restoreSavepoint } from '../../src/checkpoints/savepoints.js';
import { storedTasks } from '../../src/checkpoints/stored-state.js';
import type { OpenProfile } from '../../src/profiles/profiles.js';
import { countLetters, type FoundLetter, letterOf, preview } from '../../src/topics/dead-letters.js';
import { followTopic, offsetsOf, parseStart, readTopic } from '../../src/topics/read-topic.js';
import { replay } from '../../src/topics/replay.js';
import { planState, topologyHash } from '../../src/topology/index.js';
import { events, feed, freshWorld, job, namesOf, PARTITIONS, runToEnd, textsIn } from './operations.js';

const names = namesOf('ops');
const ops = job(names);
let profile: OpenProfile;
let data: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ profile, data, remove } = await freshWorld());
  await feed(profile, names, events(0, 400));
});
afterEach(() => remove());

const nowMs = Date.UTC(2026, 0, 31, 12);
const save = (name: string) => createSavepoint(profile, ops, { name, data, nowMs });
const restore = (name: string, positions: 'keep' | 'earliest' | 'latest' = 'keep', topology = ops) =>
  restoreSavepoint(profile, topology, { file: savepointFile(data, name), positions });

async function* lettersIn(topic: string): AsyncGenerator<FoundLetter> {
  for await (const placed of readTopic(profile, topic)) yield letterOf(placed);
}

describe('savepoints', () => {
  it('let a run go on as if nothing had happened since', async () => {
    await runToEnd(profile, ops);
    const first = await textsIn(profile, names.output);
    await save('middle');
    await feed(profile, names, events(400, 700));
    await runToEnd(profile, ops);
    const second = (await textsIn(profile, names.output)).map((all, p) => all.slice(first[p]?.length));
    expect(second.flat().length).toBeGreaterThan(200);

    expect(await restore('middle')).toEqual({ incarnation: 1, tasks: PARTITIONS });
    await runToEnd(profile, ops);
    const all = await textsIn(profile, names.output);
    expect(all).toEqual(first.map((texts, p) => [...texts, ...(second[p] ?? []), ...(second[p] ?? [])]));
    for (const { checkpoint } of await storedTasks(profile, ops)) expect(checkpoint?.incarnation).toBe(1);

    // Each restore is above all earlier ones, also of the savepoint itself.
    expect((await restore('middle')).incarnation).toBe(2);
  });

  it('are as portable as a file: another store with the same log goes on from them', async () => {
    await runToEnd(profile, ops);
    const first = await textsIn(profile, names.output);
    await save('middle');
    const other = await freshWorld();
    try {
      await feed(other.profile, names, events(0, 400));
      for (const records of [events(400, 700)]) {
        await feed(profile, names, records);
        await feed(other.profile, names, records);
      }
      await restoreSavepoint(other.profile, ops, { file: savepointFile(data, 'middle'), positions: 'keep' });
      await runToEnd(profile, ops);
      await runToEnd(other.profile, ops);
      const whole = await textsIn(profile, names.output);
      const rest = await textsIn(other.profile, names.output);
      expect(first.map((texts, p) => [...texts, ...(rest[p] ?? [])])).toEqual(whole);
    } finally {
      await other.remove();
    }
  });

  it('take the state away that was made since, and know tasks that had none', async () => {
    await runToEnd(profile, ops);
    const before = await storedTasks(profile, ops);
    await save('early');
    const more = job(names, 'again');
    await feed(profile, names, events(400, 500));
    await expect(runToEnd(profile, more)).rejects.toThrow('  + step again');
    await runToEnd(profile, more, true);
    expect((await storedTasks(profile, ops)).flatMap(({ state }) => state).some(({ step }) => step === 'again')).toBe(
      true,
    );
    await restore('early');
    const after = await storedTasks(profile, ops);
    const plain = (tasks: typeof before) =>
      tasks.map(({ state, checkpoint }) => ({
        positions: checkpoint?.positions,
        state: state.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes ?? []).toString('hex') })),
      }));
    expect(plain(after)).toEqual(plain(before));
  });

  it('leave state behind that the topology has no reader for', async () => {
    await runToEnd(profile, job(names, 'again'));
    await save('wide');
    await restore('wide');
    const steps = (await storedTasks(profile, ops)).flatMap(({ state }) => state.map(({ step }) => step));
    expect(new Set(steps)).toEqual(new Set(['$counters', 'dedupe', 'totals']));
  });

  it('begin at either end of another log', async () => {
    await runToEnd(profile, ops);
    await save('middle');
    await restore('middle', 'earliest');
    expect((await lagOf(profile, ops)).map(({ position, lag }) => [position, lag])).toEqual([
      [0, 200],
      [0, 200],
    ]);
    await restore('middle', 'latest');
    expect((await lagOf(profile, ops)).map(({ lag }) => lag)).toEqual([0, 0]);
  });

  it('refuse positions that the log does not have, and another number of partitions, before anything is written', async () => {
    await runToEnd(profile, ops);
    await save('middle');
    const other = await freshWorld();
    try {
      await feed(other.profile, names, events(0, 10));
      const file = savepointFile(data, 'middle');
      const refused = restoreSavepoint(other.profile, ops, { file, positions: 'keep' });
      await expect(refused).rejects.toMatchObject({ code: 'config', where: 'events' });
      expect(await other.profile.checkpoints.tasks('ops')).toEqual([]);
      const wide = namesOf('wide');
      await other.profile.producer().createTopic(wide.input, 3);
      const moved = restoreSavepoint(other.profile, job({ ...names, input: wide.input }), {
        file,
        positions: 'latest',
      });
      await expect(moved).rejects.toThrow('the savepoint has 2 tasks, the inputs have 3 partitions');
    } finally {
      await other.remove();
    }
  });

  it('are whole or refused', async () => {
    await runToEnd(profile, ops);
    const { file } = await save('middle');
    const bytes = readFileSync(file);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(restore('middle')).rejects.toMatchObject({ code: 'state' });
    for (const { checkpoint } of await storedTasks(profile, ops)) expect(checkpoint?.incarnation).toBe(0);
  });

  it('are listed, named once and made only of something', async () => {
    await expect(save('empty')).rejects.toThrow("no checkpoint of 'ops'");
    await runToEnd(profile, ops);
    await save('b');
    await save('a');
    await expect(save('a')).rejects.toThrow("a savepoint 'a' already exists");
    await expect(save('../a')).rejects.toMatchObject({ code: 'config' });
    await expect(restore('missing')).rejects.toThrow("no savepoint 'missing'");
    const { savepoints: listed } = listSavepoints(data);
    expect(listed.map(({ manifest }) => manifest.name)).toEqual(['a', 'b']);
    expect(listed[0]?.manifest).toMatchObject({
      topology: 'ops',
      topologyHash: topologyHash(ops),
      createdAt: '2026-01-31T12:00:00.000Z',
      topics: { events: names.input },
      partitions: PARTITIONS,
    });
    expect(readSavepoint(savepointFile(data, 'a')).tasks).toHaveLength(PARTITIONS);
  });
});

describe('a folder of savepoints with other files', () => {
  /** Its bytes match their digests, whatever they say. */
  const withManifest = (text: string) => {
    const body = Buffer.from(text);
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(body.length));
    return Buffer.concat([Buffer.from('MRSAVE01'), head, createHash('sha256').update(body).digest(), body]);
  };

  it('lists the others, and says what is wrong with each', async () => {
    await runToEnd(profile, ops);
    const { file } = await save('whole');
    const folder = dirname(file);
    writeFileSync(join(folder, 'a-text.mrsp'), 'hello');
    mkdirSync(join(folder, 'b-folder.mrsp'));
    writeFileSync(join(folder, 'c-no-json.mrsp'), withManifest('{'));
    writeFileSync(join(folder, 'd-empty.mrsp'), withManifest('{}'));
    const { savepoints, damaged } = listSavepoints(data);
    expect(savepoints.map(({ manifest }) => manifest.name)).toEqual(['whole']);
    expect(damaged.map(({ file: at, reason }) => [basename(at), reason])).toEqual([
      ['a-text.mrsp', 'the file is not a savepoint'],
      ['b-folder.mrsp', 'the savepoint is not a file'],
      ['c-no-json.mrsp', 'the savepoint is damaged: a part of it is not JSON'],
      ['d-empty.mrsp', 'the savepoint is damaged: its manifest is incomplete'],
    ]);
  });

  it.each(['a-text', 'b-folder', 'c-no-json', 'd-empty'])('does not restore %s', async (name) => {
    const file = savepointFile(data, name);
    mkdirSync(name === 'b-folder' ? file : dirname(file), { recursive: true });
    if (name === 'a-text') writeFileSync(file, 'hello');
    if (name === 'c-no-json') writeFileSync(file, withManifest('{'));
    if (name === 'd-empty') writeFileSync(file, withManifest('{}'));
    await expect(restore(name)).rejects.toMatchObject({ code: 'state', where: file, hint: expect.any(String) });
  });
});

describe('a plan over a real ledger', () => {
  it('reuses what is there and begins what is not', async () => {
    await runToEnd(profile, ops);
    const fates = planState(job(names, 'again'), await storedTasks(profile, ops)).cells.map(
      ({ step, cell, action }) => `${step}/${cell} ${action}`,
    );
    expect(fates).toContain('totals/sum reused');
    expect(fates).toContain('totals/byKey reused');
    expect(fates).toContain('again/seen new');
    expect(fates).toContain('$counters/counters reused');
    expect(fates.filter((fate) => /dropped|refused|migrated/.test(fate))).toEqual([]);
  });
});

describe('offsets', () => {
  it('show how far each task has read', async () => {
    expect((await lagOf(profile, ops)).map(({ position, end, lag }) => [position, end, lag])).toEqual([
      [null, 200, 200],
      [null, 200, 200],
    ]);
    await runToEnd(profile, ops);
    await feed(profile, names, events(400, 411));
    expect((await lagOf(profile, ops)).map(({ position, end, lag }) => [position, end, lag])).toEqual([
      [200, 206, 6],
      [200, 205, 5],
    ]);
  });

  it('move back with the state dropped: the same outputs once more', async () => {
    await runToEnd(profile, ops);
    const once = await textsIn(profile, names.output);
    const reset = await planReset(profile, ops, { to: 'earliest', source: undefined, dropState: true });
    expect(reset.moves[0]).toEqual({ source: 'events', task: 0, partition: 0, from: 200, to: 0 });
    expect((await lagOf(profile, ops)).map(({ lag }) => lag)).toEqual([0, 0]); // nothing has happened yet
    await reset.apply();
    await runToEnd(profile, ops);
    expect(await textsIn(profile, names.output)).toEqual(once.map((texts) => [...texts, ...texts]));
    for (const { checkpoint } of await storedTasks(profile, ops)) expect(checkpoint?.incarnation).toBe(1);
  });

  it('move back to where time began, although a source that was removed had been ahead', async () => {
    await runToEnd(profile, ops);
    const once = await textsIn(profile, names.output);
    for (const task of await storedTasks(profile, ops)) {
      const { partition, checkpoint } = task;
      if (checkpoint === undefined) throw new Error('every task has a checkpoint');
      const positions = { ...checkpoint.positions, gone: { offset: 9, mergeTimeMs: 4e12 } };
      const topics = { ...task.topics, gone: 'gone' };
      const stored = { ...task, topics, checkpoint: { ...checkpoint, positions } };
      await profile.checkpoints.replace({ topology: ops.name, partition }, stored);
    }
    await (await planReset(profile, ops, { to: 'earliest', source: undefined, dropState: true })).apply();
    for (const { checkpoint } of await storedTasks(profile, ops))
      expect(checkpoint?.positions.gone).toEqual({ offset: 9, mergeTimeMs: -8.64e15 });
    await runToEnd(profile, ops);
    expect(await textsIn(profile, names.output)).toEqual(once.map((texts) => [...texts, ...texts]));
  });

  it('move back with the state kept: what was seen is a duplicate', async () => {
    await runToEnd(profile, ops);
    const once = await textsIn(profile, names.output);
    await (await planReset(profile, ops, { to: 'earliest', source: 'events', dropState: false })).apply();
    await runToEnd(profile, ops);
    expect(await textsIn(profile, names.output)).toEqual(once);
  });

  it.each([
    [{ offset: 7 }, 7],
    [{ offset: 7_000 }, 200],
    [{ timestampMs: 1_700_000_000_000 + 100_000 }, 50],
    [{ timestampMs: 0 }, 0],
    [{ timestampMs: 9e15 }, 200],
    ['latest' as const, 200],
  ])('find %j', async (start, expected) => {
    expect((await offsetsOf(profile, names.input, start))[0]).toBe(expected);
  });

  it('understand points of a log', () => {
    expect(parseStart('earliest')).toBe('earliest');
    expect(parseStart('17')).toEqual({ offset: 17 });
    expect(parseStart('2026-01-31T12:00:00Z')).toEqual({ timestampMs: nowMs });
    for (const text of ['', 'yesterday', '-1', '1.5', '2026-99-99']) expect(parseStart(text)).toBeUndefined();
  });
});

describe('dead letters', () => {
  it('are counted by reason and step', async () => {
    await runToEnd(profile, ops);
    const counts = await countLetters(lettersIn(names.dead));
    expect(counts).toEqual([
      { reason: 'not-json', step: 'events', count: 16, replayed: 0, last: '2023-11-14T22:19:59.000Z' },
    ]);
  });

  it('go back to where they were, as they were, and are known when they fail again', async () => {
    await runToEnd(profile, ops);
    const letters: FoundLetter[] = [];
    for await (const letter of lettersIn(names.dead)) letters.push(letter);
    const dry = await replay(lettersIn(names.dead), names.dead, undefined);
    expect(dry.reduce((sum, { records }) => sum + records, 0)).toBe(16);
    expect(await profile.endOffsets(names.input)).toEqual([200, 200]);

    expect(await replay(lettersIn(names.dead), names.dead, profile.producer())).toEqual(dry);
    const sent: { partition: number; value: string; header: string; others: number; timestampMs: number }[] = [];
    for await (const { partition, record } of readTopic(profile, names.input, { offset: 200 })) {
      const [[name, bytes] = ['', new Uint8Array()], ...others] = record.headers ?? [];
      expect(name).toBe(REPLAYED);
      sent.push({
        partition,
        value: Buffer.from(record.value ?? []).toString(),
        header: Buffer.from(bytes).toString(),
        others: others.length,
        timestampMs: record.timestampMs,
      });
    }
    expect(sent).toEqual(
      letters.map(({ partition, offset, origin, value, timestampMs }) => ({
        partition: origin?.partition,
        value: Buffer.from(value ?? []).toString(),
        header: `${names.dead}/${partition}/${offset}`,
        others: 0,
        timestampMs,
      })),
    );

    await runToEnd(profile, ops);
    expect(await countLetters(lettersIn(names.dead))).toMatchObject([{ count: 32, replayed: 16 }]);
  });

  it('are nothing that can be sent back where no topology wrote them', async () => {
    await expect(replay(lettersIn(names.input), names.input, undefined)).rejects.toMatchObject({ code: 'config' });
  });

  it('are shown as text, or as digits where they are none', () => {
    expect(preview(null)).toBeNull();
    expect(preview(Buffer.from('grün\n'))).toBe('grün\n');
    expect(preview(Uint8Array.of(0, 255, 16))).toBe('0x00ff10');
    expect(preview(Buffer.from('x'.repeat(300)))).toBe(`${'x'.repeat(256)} ... (300 bytes)`);
  });
});

describe('following a topic', () => {
  it('gives what comes later too, from all partitions, until it is stopped', async () => {
    const stop = new AbortController();
    const seen: [number, number][] = [];
    const following = (async () => {
      for await (const { partition, record } of followTopic(profile, names.input, 'latest', stop.signal)) {
        seen.push([partition, record.offset]);
        if (seen.length === 12) stop.abort();
      }
    })();
    await feed(profile, names, events(400, 412));
    await following;
    expect(seen).toHaveLength(12);
    for (const partition of [0, 1]) {
      const offsets = seen.filter(([each]) => each === partition).map(([, offset]) => offset);
      expect(offsets).toEqual([200, 201, 202, 203, 204, 205]);
    }
  });
});
