import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { definition as clickhouse } from '../../../connectors/clickhouse/definition.js';
import { kafka } from '../../../connectors/kafka/index.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import { sourceDriver } from '../../../src/core/profile.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../../src/profiles/profiles.js';
import { avro, json, openCodec } from '../../../src/schema/index.js';
import { followTopic, readTopic } from '../../../src/topics/read-topic.js';

let data: string;
let owner: OpenProfile;
let beside: OpenProfile;
const opened = (options = {}) => openProfile(resolveConfig({ flags: { data } }), options);

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'millrace-beside-'));
  owner = await opened();
  beside = await opened({ besideOwner: true });
});
afterEach(async () => {
  await beside.close();
  await owner.close();
  rmSync(data, { recursive: true });
});

const records = (from: number, count: number, bytes = 1) =>
  Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(`k${from + i}`),
    value: Buffer.alloc(bytes, from + i),
    timestampMs: from + i,
    headers: [['h', Buffer.from('x')]] as const,
  }));

async function keysIn(profile: OpenProfile, topic: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { record } of readTopic(profile, topic)) keys.push(Buffer.from(record.key ?? []).toString());
  return keys.sort();
}

describe('a command beside the process that has the embedded store', () => {
  it('writes what that process reads, and reads what it writes', async () => {
    await beside.producer().createTopic('events', 3);
    await beside.producer().createTopic('events', undefined); // with as many partitions as it has
    await beside.producer().send('events', records(0, 50));
    await owner.producer().send('events', records(50, 50));
    await beside.producer().append('events', 2, records(100, 1));
    const expected = Array.from({ length: 101 }, (_, i) => `k${i}`).sort();
    expect(await keysIn(owner, 'events')).toEqual(expected);
    expect(await keysIn(beside, 'events')).toEqual(expected);
    expect(await beside.endOffsets('events')).toEqual(await owner.endOffsets('events'));
    for (const point of ['earliest', 'latest', { timestampMs: 60 }] as const)
      expect(await beside.offsetsAt('events', point)).toEqual(await owner.offsetsAt('events', point));
  });

  it('writes records as they are: without a key, without a value, with headers, of any size', async () => {
    await beside.producer().createTopic('events', 1);
    const sent = [
      { key: null, value: Buffer.from('no key'), timestampMs: 1 },
      { key: Buffer.from('gone'), value: null, timestampMs: -2.5 },
      { key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs: 3, headers: [['a', Buffer.alloc(0)]] as const },
      ...records(4, 2, 300_000),
    ];
    await beside.producer().send('events', sent.slice(0, 3));
    await beside.producer().append('events', 0, sent.slice(3));
    const read = [];
    for await (const { record } of readTopic(owner, 'events')) {
      const { key, value, timestampMs, headers } = record;
      read.push({ key, value, timestampMs, headers });
    }
    expect(read).toEqual(sent.map((record) => ({ headers: undefined, ...record })));
  });

  it('writes more than one call takes, in its order', async () => {
    await beside.producer().createTopic('large', 1);
    await beside.producer().send('large', records(0, 100, 2 ** 20));
    const read: number[] = [];
    for await (const { record } of readTopic(beside, 'large')) read.push(record.timestampMs);
    expect(read).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('follows a topic', async () => {
    await owner.producer().createTopic('events', 2);
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { record } of followTopic(beside, 'events', 'latest', stop.signal)) {
        seen.push(Buffer.from(record.key ?? []).toString());
        if (seen.length === 20) stop.abort();
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await owner.producer().send('events', records(0, 20));
    await following;
    expect(seen.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `k${i}`).sort());
  });

  it('has readers that are opened at once, each at its own partition', async () => {
    await owner.producer().createTopic('events', 3);
    for (const partition of [0, 1, 2]) await owner.producer().append('events', partition, records(partition, 1));
    const source = kafka.source({ topic: 'events', schema: json() });
    const driver = await sourceDriver(beside, source, 'test');
    const task = { topology: 'test', partition: 0 };
    const at = { task, offset: EARLIEST, bounded: true, step: 'test' };
    const readers = await Promise.all([0, 1, 2].map((partition) => driver.open(source, { ...at, partition })));
    const polled = await Promise.all(readers.map((reader) => reader.poll(10)));
    expect(polled.map(({ records }) => records.map(({ timestampMs }) => timestampMs))).toEqual([[0], [1], [2]]);
  });

  it('shares its registry: what one registers, the other decodes', async () => {
    const schema = avro<{ n: number }>({
      subject: 'n-value',
      definition: JSON.stringify({ type: 'record', name: 'N', fields: [{ name: 'n', type: 'int' }] }),
    });
    const bytes = (await openCodec(schema, beside.schemas)).encode({ n: 5 });
    expect((await openCodec(schema, owner.schemas)).decode(bytes)).toEqual({ n: 5 });
    expect(await beside.schemas.latest('n-value')).toEqual(await owner.schemas.latest('n-value'));
    expect(await beside.schemas.latest('none')).toBeUndefined();
  });

  it('queries its tables, and may read only where it asks so', async () => {
    const { tables } = await beside.connect(clickhouse);
    await tables.command('CREATE TABLE t (n Int64) ENGINE = MergeTree ORDER BY n');
    await tables.command('INSERT INTO t VALUES (1), (2)');
    expect(await (await owner.connect(clickhouse)).tables.query('SELECT sum(n) AS s FROM t')).toEqual([{ s: 3 }]);
    expect(await tables.query('SELECT {x:Int64} AS x', { x: 7 })).toEqual([{ x: 7 }]);
    expect(await tables.queryReadOnly('SELECT count() AS c FROM t')).toEqual([{ c: 2 }]);
    await expect(tables.queryReadOnly('DROP TABLE t')).rejects.toMatchObject({ code: 'sink' });
    await expect(tables.queryReadOnly("SELECT * FROM file('/etc/passwd', 'LineAsString')")).rejects.toThrow();
  });

  it('changes no checkpoint and owns no task', async () => {
    const inUse = { code: 'config', message: expect.stringContaining('in use') };
    await expect(beside.openLedger({ topology: 't', partition: 0 })).rejects.toMatchObject(inUse);
    await expect(beside.checkpoints.mustBeStopped('t')).rejects.toMatchObject(inUse);
    expect(await beside.checkpoints.tasks('t')).toEqual([]);
    await expect(beside.checkpoints.replace({ topology: 't', partition: 0 }, {} as never)).rejects.toMatchObject(inUse);
  });

  it('sees the positions of a task without its state', async () => {
    const task = { topology: 't', partition: 0 };
    const ledger = await owner.openLedger(task);
    await ledger.restore();
    const positions = { events: { offset: 7, mergeTimeMs: 1 } };
    const checkpoint = { epoch: 3, incarnation: 0, watermarkMs: 1, positions, counters: [], layout: [] } as never;
    await ledger.commit(checkpoint, [{ step: 's', cell: 'c', version: 1, bucket: 0, bytes: Buffer.alloc(2 ** 20) }]);
    await ledger.close();
    expect(await beside.checkpoints.tasks('t')).toEqual([0]);
    const { state, ...seen } = await beside.checkpoints.inspect(task);
    const { state: whole, ...stored } = await owner.checkpoints.inspect(task);
    expect([seen, state, whole.length]).toEqual([stored, [], 1]);
    expect(seen.checkpoint?.positions).toEqual(positions);
  });

  it('fails once that process has gone, and the socket is its user’s alone', async () => {
    expect(statSync(join(data, 'log/commands.sock')).mode & 0o777).toBe(0o600);
    await owner.close();
    await expect(beside.endOffsets('events')).rejects.toMatchObject({ code: 'source', hint: 'run the command again' });
    expect(existsSync(join(data, 'log/commands.sock'))).toBe(false);
    owner = await opened();
  });

  it('takes the store itself where its last owner was killed', async () => {
    await beside.close();
    await owner.close();
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('profile-and-stay.ts', import.meta.url)), data],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const other = await opened({ besideOwner: true });
    await expect(other.openLedger({ topology: 't', partition: 0 })).rejects.toThrow('in use');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await other.close();
    owner = await opened({ besideOwner: true });
    await (await owner.openLedger({ topology: 't', partition: 0 })).close();
    beside = await opened({ besideOwner: true });
  });
});
