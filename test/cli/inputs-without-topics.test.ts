import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { millrace, startMillrace, userFolder } from './millrace.js';

// Commands that look at a topology whose inputs are files, pages and a door for records: they say what they can, open nothing for
// others and create nothing.

const topologyFile = (outputs: string) => `
import { json, ndjson, topology } from 'millrace';
import { file } from 'millrace/connectors/file';
import { http } from 'millrace/connectors/http';
import { kafka } from 'millrace/connectors/kafka';
const dead = { deadLetters: kafka.deadLetters({ topic: 'dead' }) };
export const archive = topology('archive', dead, (t) => {
  const rows = t.source('rows', file.source({ path: 'in/*.ndjson', schema: ndjson(), eventTime: ({ at }) => at }));
  ${outputs}
});
export const pages = topology('pages', dead, (t) => {
  t.source('pages', http.poll({ url: 'http://127.0.0.1:1/', schema: json(), eventTime: () => 0 }))
    .to('out', kafka.sink({ topic: 'paged', schema: json() }));
});
export const clicks = topology('clicks', dead, (t) => {
  t.source('clicks', http.ingest({ topic: 'clicks', schema: json(), port: Number(process.env.PORT ?? 1) }))
    .to('out', kafka.sink({ topic: 'clicked', schema: json(), key: ({ user }) => user }));
});
`;
const toFiles = "rows.to('files', file.sink({ folder: 'out', schema: ndjson() }));";
const toTopic = "rows.to('sums', kafka.sink({ topic: 'rows', schema: json() }));";
const replaced = "rows.to('files', kafka.sink({ topic: 'rows', schema: json() }));";

describe('commands over inputs that are no topics', () => {
  const { folder, remove } = userFolder({
    'flow.mjs': topologyFile(toFiles),
    'without.mjs': topologyFile(toTopic),
    'replaced.mjs': topologyFile(replaced),
    'in/a.ndjson': [1, 2, 3]
      .map((n) => `${JSON.stringify({ n, at: n })}\n`)
      .concat('no json\n')
      .join(''),
  });
  const call = (args: readonly string[], env: Record<string, string> = {}) => millrace(args, { folder, env });
  const asJson = async (...args: string[]) => {
    const { code, out, err } = await call([...args, '--json']);
    expect([args, code, err]).toEqual([args, 0, '']);
    return JSON.parse(out);
  };
  const fails = async (args: readonly string[], env: Record<string, string> = {}) => {
    const { code, err } = await call(args, env);
    expect([args, code]).toEqual([args, 1]);
    return err;
  };

  beforeAll(async () => {
    // Stopped, not ended: its file stays open.
    const { process: running, ended } = startMillrace(['run', 'flow.mjs#archive'], { folder });
    const parts = join(folder, 'out/.millrace');
    while (!existsSync(parts) || readdirSync(parts).length === 0) await sleep(50);
    running.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 0 });
  }, 60_000);
  afterAll(remove);

  it('offsets says how many records were read and where the next one lies', async () => {
    const { lag, tasks } = await asJson('offsets', 'flow.mjs#archive');
    expect(lag).toBe(0);
    expect(tasks).toMatchObject([
      { source: 'rows', task: 0, position: 4, end: null, lag: null, place: { file: 'in/a.ndjson', skip: 4 } },
    ]);
    expect((await call(['offsets', 'flow.mjs#archive'])).out).toMatch(/rows .* file in\/a\.ndjson, at 0, skip 4\n/);
    expect((await asJson('offsets', 'flow.mjs#pages')).tasks).toMatchObject([{ position: null, place: null }]);
    const move = ['offsets', 'reset', 'flow.mjs#archive', '--to'];
    expect((await asJson(...move, '2')).moves).toMatchObject([{ source: 'rows', from: 4, to: 2 }]);
    expect(await fails([...move, 'latest'])).toContain('only in topics');
  }, 60_000);

  it('plan names the files that nobody would end, where their sink is gone or is another one', async () => {
    expect((await asJson('plan', 'flow.mjs#archive')).sinks).toEqual([]);
    for (const [name, sink] of [
      ['without.mjs#archive', 'files'],
      ['replaced.mjs#archive', 'files'],
    ] as const) {
      expect((await asJson('plan', name)).sinks).toMatchObject([
        { sink, fate: 'dropped', lost: { 0: ['part-00000-0-00000000.ndjson (3 rows)'] } },
      ]);
    }
    const { out } = await call(['plan', 'without.mjs#archive']);
    expect(out).toMatch(/sink +files +dropped +0: part-00000-0-00000000\.ndjson \(3 rows\) +it is lost: .*--until-end/);
  }, 60_000);

  it('a savepoint keeps their places', async () => {
    expect(await asJson('savepoint', 'create', 'here', 'flow.mjs#archive')).toMatchObject({ partitions: 1 });
    expect(await asJson('savepoint', 'restore', 'here', 'flow.mjs#archive')).toMatchObject({ incarnation: 1 });
    expect((await asJson('offsets', 'flow.mjs#archive')).tasks).toMatchObject([{ position: 4, place: { skip: 4 } }]);
  }, 60_000);

  it('verify asks for them as JSON lines, and then reads those', async () => {
    for (const [name, source] of [
      ['without.mjs#archive', 'rows'],
      ['flow.mjs#pages', 'pages'],
    ] as const) {
      const told = await fails(['verify', name]);
      expect(told).toContain('has no topic that holds it');
      expect(told).toContain(`--input ${source}=FILE`);
    }
    writeFileSync(join(folder, 'rows.ndjson'), '{"n":1,"at":1}\n{"n":2,"at":2}\n');
    const verified = await call(['verify', 'without.mjs#archive', '--input', 'rows.ndjson', '--kills', '0', '--json']);
    expect([verified.code, JSON.parse(verified.out)]).toMatchObject([0, { right: true, records: 2 }]);
  }, 120_000);

  it('records of files are not sent back from the dead letters', async () => {
    expect((await asJson('dlq', 'list', 'flow.mjs#archive')).letters).toMatchObject([{ step: 'rows', count: 1 }]);
    const told = await fails(['dlq', 'replay', 'flow.mjs#archive', '--yes']);
    expect(told).toContain('in/*.ndjson is no topic');
  }, 60_000);

  describe('with a door', () => {
    it('create no topic, open no door, and say that there is nothing yet', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => taken.once('listening', resolve));
      const PORT = String((taken.address() as AddressInfo).port); // whoever opened the door would find it taken
      try {
        expect(await fails(['offsets', 'flow.mjs#clicks'], { PORT })).toContain('topic clicks does not exist');
        expect((await call(['plan', 'flow.mjs#clicks'], { PORT })).code).toBe(0);
        expect(await fails(['verify', 'flow.mjs#clicks'], { PORT })).toContain('topic clicks does not exist');
        expect(await fails(['tail', 'clicks'], { PORT })).toContain('topic clicks does not exist');

        const input = '{"user":"a"}\n{"user":"b"}\n';
        expect((await millrace(['produce', 'clicks'], { folder, input })).code).toBe(0);
        expect(JSON.parse((await call(['offsets', 'flow.mjs#clicks', '--json'], { PORT })).out)).toMatchObject({
          lag: 2,
        });
        const verified = await call(['verify', 'flow.mjs#clicks', '--kills', '0', '--json'], { PORT });
        expect([verified.code, verified.err, JSON.parse(verified.out)]).toMatchObject([
          0,
          expect.anything(),
          { right: true, records: 2 },
        ]);
        expect(await fails(['run', 'flow.mjs#clicks', '--until-end'], { PORT })).toContain('cannot listen');
      } finally {
        taken.close();
      }
    }, 120_000);
  });
});
