import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { file } from '../../connectors/file/index.js';
import { http } from '../../connectors/http/index.js';
import { kafka } from '../../connectors/kafka/index.js';
import { behindText, lagOf, planReset, type SourceLag } from '../../src/checkpoints/offsets.js';
import { createSavepoint, restoreSavepoint } from '../../src/checkpoints/savepoints.js';
import { storedTasks, tasksNow } from '../../src/checkpoints/stored-state.js';
import { unfinishedIn } from '../../src/checkpoints/unfinished.js';
import { millis, type Sink } from '../../src/core/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { runTopology } from '../../src/runtime/index.js';
import { json, ndjson } from '../../src/schema/index.js';
import { letterOf } from '../../src/topics/dead-letters.js';
import { readTopic } from '../../src/topics/read-topic.js';
import { replay } from '../../src/topics/replay.js';
import { planState, planText, topology } from '../../src/topology/index.js';
import { noInference } from '../memory.js';
import { millrace, userFolder } from './millrace.js';

// What looks at a topology whose inputs are files, pages and a door for records says what it can, opens nothing for others and
// creates nothing.

interface Row {
  readonly n: number;
  readonly at: number;
}

const dead = { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) };
const toTopic = kafka.sink<Row>({ topic: 'rows', schema: json<Row>() });

/** As a file for the command: a door that would be found taken, and files. */
const flows = (port: number) => `
import { json, ndjson, topology } from 'millrace';
import { file } from 'millrace/connectors/file';
import { http } from 'millrace/connectors/http';
import { kafka } from 'millrace/connectors/kafka';
const dead = { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) };
export const rows = topology('rows', dead, (t) => {
  t.source('rows', file.source({ path: 'in/*.ndjson', schema: ndjson(), eventTime: ({ at }) => at }))
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});
export const clicks = topology('clicks', dead, (t) => {
  t.source('clicks', http.ingestSource({ topic: 'clicks', schema: json(), port: ${port} }))
    .to('out', kafka.sink({ topic: 'clicked', schema: json(), key: ({ user }) => user }));
});
`;

describe('inputs that are no topics', async () => {
  const door = createServer().listen(0, '127.0.0.1');
  await once(door, 'listening');
  const { port } = door.address() as AddressInfo;
  const { folder, remove } = userFolder({
    'flows.mjs': flows(port),
    'in/a.ndjson': '{"n":1,"at":1}\n{"n":2,"at":2}\n{"n":3,"at":3}\nno json\n',
  });
  const data = join(folder, '.millrace');
  const archive = (sink: Sink<Row> | undefined) =>
    topology('archive', dead, (t) => {
      const path = join(folder, 'in/*.ndjson');
      const rows = t.source('rows', file.source({ path, schema: ndjson<Row>(), eventTime: ({ at }) => at }));
      rows.to(sink === undefined ? 'others' : 'files', sink ?? toTopic);
    });
  const flow = archive(file.sink<Row>({ folder: join(folder, 'out'), schema: ndjson<Row>() }));
  const clicks = topology('clicks', dead, (t) => {
    t.source('clicks', http.ingestSource<Row>({ topic: 'clicks', schema: json<Row>(), port })).to('out', toTopic);
  });
  let profile: OpenProfile;

  beforeAll(async () => {
    profile = await openProfile(resolveConfig({ flags: { data }, env: {} }));
    const options = { profile, inference: noInference, bounded: false, epochInterval: millis(20) };
    const running = await runTopology(flow, options);
    while ((await lagOf(profile, flow))[0]?.position !== 4) await new Promise((resolve) => setTimeout(resolve, 20));
    await running.stop(); // stopped, not ended: its file stays open
  });
  afterAll(async () => {
    await profile.close();
    door.close();
    remove();
  });

  it('have a position and a source state in offsets, no end and no lag', async () => {
    const sourceState = { file: join(folder, 'in/a.ndjson'), at: 0, skip: 4 };
    expect(await lagOf(profile, flow)).toMatchObject([
      { source: 'rows', task: 0, position: 4, end: null, lag: null, sourceState },
    ]);
    const pages = topology('pages', dead, (t) => {
      t.source(
        'pages',
        http.pollSource<Row>({ url: 'http://127.0.0.1:1/', schema: json<Row>(), eventTime: () => 0 }),
      ).to('out', toTopic);
    });
    expect(await lagOf(profile, pages)).toMatchObject([{ position: null, end: null, lag: null, sourceState: null }]);
    const known = { ...(await lagOf(profile, pages))[0], lag: 2 } as SourceLag;
    expect(behindText(await lagOf(profile, pages))).toBe('the lag is unknown: no source is a topic');
    expect(behindText([known, ...(await lagOf(profile, pages))])).toBe(
      '2 records behind, not counting sources that are not topics',
    );
    expect(behindText([known])).toBe('2 records behind');
    const moved = await planReset(profile, flow, { to: { offset: 2 }, source: undefined, dropState: false });
    expect(moved.moves).toEqual([{ source: 'rows', task: 0, partition: 0, from: 4, to: 2 }]);
    const latest = planReset(profile, flow, { to: 'latest', source: undefined, dropState: false });
    await expect(latest).rejects.toThrow('only a topic can start');
  });

  it('keep their places in savepoints', async () => {
    const { file: path } = await createSavepoint(profile, flow, { name: 'here', data, nowMs: 0 });
    const before = await lagOf(profile, flow);
    expect(await restoreSavepoint(profile, flow, { file: path, positions: 'keep' })).toMatchObject({ incarnation: 1 });
    expect(await lagOf(profile, flow)).toEqual(before);
  });

  it('are sent back from the dead letters only where they are topics', async () => {
    const letters = async function* () {
      for await (const placed of readTopic(profile, 'dead')) yield letterOf(placed);
    };
    await expect(replay(letters(), 'dead', undefined)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('in/*.ndjson is not a topic'),
      where: 'dead/0/0',
    });
  });

  it('of a door are nothing before the first run made their topic, and no look makes it', async () => {
    await expect(lagOf(profile, clicks)).rejects.toThrow('topic clicks does not exist');
    expect(await tasksNow(profile, clicks)).toBeUndefined();
    await expect(profile.endOffsets('clicks')).rejects.toThrow('does not exist');
  });

  it('of files that nobody would end are named by plan, where their sink is gone or is another one', async () => {
    const planOf = async (changed: typeof flow) =>
      planState(changed, await storedTasks(profile, changed), { unfinished: await unfinishedIn(changed) });
    expect((await planOf(flow)).sinks).toEqual([]);
    for (const [sink, action] of [
      [undefined, 'kept'],
      [toTopic, 'dropped'],
    ] as const) {
      const plan = await planOf(archive(sink));
      const unfinished = { 0: ['part-00000-0-00000000.ndjson (3 rows)'] };
      expect(plan.sinks).toMatchObject([{ sink: 'files', action, unfinished }]);
      expect(planText(plan)).toMatch(
        new RegExp(`sink +files +${action} +0: part-00000-0-00000000\\.ndjson \\(3 rows\\) .*--until-end`),
      );
    }
  });

  it('of complete files that were not shown are named by plan, and what to do about them', async () => {
    const committable = (location: object, rows: number) => ({
      next: 1,
      open: [],
      complete: [{ name: 'part.ndjson', rows, complete: {} }],
      location,
    });
    const without = await unfinishedIn(archive(undefined));
    const place = { connector: 'file', folder };
    expect(without('files', committable(place, 3))).toEqual(['part.ndjson (3 rows, complete, not shown yet)']);
    expect((await unfinishedIn(flow))('files', committable(place, 3))).toEqual([]);
    const unseen = 'complete; shown already, unless the process died before it was';
    expect(without('files', committable({ connector: 's3', folder: 'lake' }, 3))).toEqual([
      `part.ndjson (3 rows, ${unseen})`,
    ]);
    expect(without('files', { of: 'another connector' })).toEqual([]);
    const task = { state: [], topics: {}, partition: 0 };
    const [stored] = await storedTasks(profile, flow);
    const checkpoint = { ...stored?.checkpoint, committables: { files: committable(place, 3) } };
    const plan = planState(archive(undefined), [{ ...task, checkpoint } as never], { unfinished: without });
    expect(planText(plan)).toMatch(
      /sink +files +kept +0: part\.ndjson \(3 rows, complete, not shown yet\) .*--until-end/,
    );
    writeFileSync(join(folder, 'part.ndjson'), '');
    expect(without('files', committable(place, 3))).toEqual([]);
  });

  it('are not verified but as JSON lines; those of a door are, from their topic, without opening it', async () => {
    const call = (...args: string[]) => millrace([...args, '--data', data], { folder });
    const refused = await call('verify', 'flows.mjs#rows');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('has no topic that holds it');
    expect(refused.err).toContain('--input rows=FILE');
    const producer = profile.producer();
    await producer.createTopic('clicks', 1);
    await producer.send('clicks', [{ key: null, value: Buffer.from('{"user":"a"}'), timestampMs: 1 }]);
    await producer.close();
    await profile.close(); // one process at a time
    const read = await call('verify', 'flows.mjs#clicks', '--kills', '0', '--json');
    expect([read.err, JSON.parse(read.out)]).toMatchObject([expect.anything(), { right: true, records: 1 }]);
    profile = await openProfile(resolveConfig({ flags: { data }, env: {} }));
  }, 120_000);

  it('lose no row of a file that was open when its sink left, and that the sink finishes when it comes back', async () => {
    const runToEnd = async (version: typeof flow) =>
      (await runTopology(version, { profile, inference: noInference, bounded: true })).finished;
    writeFileSync(join(folder, 'in/b.ndjson'), '{"n":4,"at":4}\n');
    await runToEnd(archive(undefined));
    writeFileSync(join(folder, 'in/c.ndjson'), '{"n":5,"at":5}\n');
    await runToEnd(flow);
    const out = join(folder, 'out');
    const names = readdirSync(out).filter((name) => name.endsWith('.ndjson'));
    const rows = names.flatMap((name) => readFileSync(join(out, name), 'utf8').trim().split('\n'));
    expect(rows.map((row) => JSON.parse(row).n).sort()).toEqual([1, 2, 3, 5]);
  });
});
