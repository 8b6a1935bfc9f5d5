import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { Metric, Origin, Sink } from '../../../src/core/index.js';

interface Row {
  readonly id: number;
  readonly at: number;
  readonly name: string | null;
  readonly score: number;
}

let folder: string;
let engine: ClickHouse;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-clickhouse-'));
  engine = await openClickHouse({ path: folder });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const origin = (offset: number, partition = 0): Origin => ({
  topic: 't',
  partition,
  offset,
  eventTimeMs: 0,
  receivedAtMs: 0,
  key: null,
  raw: null,
  headers: undefined,
  order: 0,
});

const sinkOf = (
  table: string,
  columns = { id: 'UInt32', at: 'DateTime64(3)', name: 'Nullable(String)', score: 'Float64' },
) => clickhouse.table<Row>({ table, columns, orderBy: ['at'] }) as Sink<unknown>;

async function openWriter(sink: Sink<unknown>, incarnation = 0) {
  await engine.tableSink.setUp?.(sink, { topology: 'test', step: 'rows', partitions: 1 });
  return engine.tableSink.open(sink, { step: 'rows', task: { topology: 'test', partition: 0 }, incarnation });
}

const row = (id: number, name: string | null = 'a', score = 0.5): Row => ({
  id,
  at: 978_307_200_123 + id,
  name,
  score,
});

describe('clickhouse.table', () => {
  it('writes values as they are: times, NULL, separators inside strings, NaN', async () => {
    const writer = await openWriter(sinkOf('plain'));
    const rows = [row(1), row(2, null), row(3, 'tab\tline\nback\\slash'), row(4, 'x', Number.NaN)];
    await writer.write(
      rows,
      rows.map((_, i) => origin(i)),
    );
    await writer.prepare?.();
    const found = await engine.query<{ id: number; at: string; name: string | null; score: number | null }>(
      'SELECT * FROM plain ORDER BY id',
    );
    expect(found.map(({ id, name }) => [id, name])).toEqual([
      [1, 'a'],
      [2, null],
      [3, 'tab\tline\nback\\slash'],
      [4, 'x'],
    ]);
    expect(found[0]?.at).toBe('2001-01-01 00:00:00.124');
    expect(await engine.query('SELECT id FROM plain WHERE isNaN(score)')).toEqual([{ id: 4 }]);
  });

  it('sets times that cannot be written to the nearer end', async () => {
    const writer = await openWriter(sinkOf('times'));
    const times = [-1, 0, 999, 253_402_300_800_000, Number.NaN];
    await writer.write(
      times.map((at, id) => ({ ...row(id), at })),
      times.map((_, i) => origin(i)),
    );
    await writer.prepare?.();
    const found = await engine.query<{ ms: string }>(
      'SELECT toString(toUnixTimestamp64Milli(at)) AS ms FROM times ORDER BY id',
    );
    expect(found.map(({ ms }) => Number(ms))).toEqual([0, 0, 999, 9_999_999_999_999, 0]);
  });

  it('shows nothing before prepare that a crash could take away, and each row once after any replay', async () => {
    const sink = sinkOf('replayed');
    const rows = Array.from({ length: 45_000 }, (_, i) => row(i));
    const first = await openWriter(sink);
    await first.write(
      rows.slice(0, 30_000),
      rows.slice(0, 30_000).map((_, i) => origin(i)),
    );
    await first.prepare?.();
    // The checkpoint was not stored: everything comes again, cut differently.
    const second = await openWriter(sink);
    for (let at = 0; at < rows.length; at += 7_000) {
      const piece = rows.slice(at, at + 7_000);
      await second.write(
        piece,
        piece.map((_, i) => origin(at + i)),
      );
    }
    await second.prepare?.();
    await second.commit?.();
    expect(await engine.query('SELECT toUInt32(count()) AS n, toUInt32(uniqExact(id)) AS ids FROM replayed')).toEqual([
      { n: 45_000, ids: 45_000 },
    ]);
  });

  it('keeps several rows of one record apart', async () => {
    const writer = await openWriter(sinkOf('several'));
    const one = origin(7);
    await writer.write([row(1), row(2)], [one, one]);
    await writer.write([row(3)], [one]);
    await writer.write([row(4)], [origin(8)]);
    await writer.prepare?.();
    expect(await engine.query('SELECT id FROM several ORDER BY id')).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
      { id: 4 },
    ]);
  });

  it('lets a later incarnation replace a row, and never an earlier one', async () => {
    const sink = sinkOf('incarnations');
    for (const [incarnation, name] of [
      [1, 'new'],
      [0, 'zombie'],
    ] as const) {
      const writer = await openWriter(sink, incarnation);
      await writer.write([{ ...row(1), name }], [origin(0)]);
      await writer.prepare?.();
    }
    expect(await engine.query('SELECT name FROM incarnations')).toEqual([{ name: 'new' }]);
  });

  it('says what differs where the table is there already', async () => {
    await openWriter(sinkOf('differing'));
    await expect(
      openWriter(
        sinkOf('differing', { id: 'UInt64', at: 'DateTime64(3)', name: 'Nullable(String)', score: 'Float64' }),
      ),
    ).rejects.toMatchObject({
      code: 'config',
      where: 'differing_rows',
      message: expect.stringContaining('id is UInt32, declared UInt64'),
    });
  });

  it('refuses a type it cannot write, by its column', async () => {
    const sink = sinkOf('unknown_type', {
      id: 'AggregateFunction(sum, UInt64)',
      at: 'DateTime64(3)',
      name: 'String',
      score: 'Float64',
    });
    await expect(
      engine.tableSink.open(sink, { step: 'rows', task: { topology: 't', partition: 0 }, incarnation: 0 }),
    ).rejects.toMatchObject({
      code: 'config',
      where: 'id',
    });
  });

  it('reports a refused insert with the table and the reason', async () => {
    const sink = sinkOf('dropped');
    const writer = await openWriter(sink);
    await engine.command('DROP TABLE dropped_rows');
    await writer.write([row(1)], [origin(0)]);
    await expect(writer.prepare?.()).rejects.toMatchObject({
      code: 'sink',
      message: expect.stringContaining('dropped_rows'),
    });
  });
});

describe('clickhouse.metrics', () => {
  it('keeps the newest value of each name and point of event time, written after the checkpoint', async () => {
    const sink = clickhouse.metrics({ table: 'metrics' }) as Sink<unknown>;
    const writer = await openWriter(sink);
    const metric = (name: string, value: number): Metric => ({
      topology: 'test',
      step: 's',
      task: 0,
      name,
      eventTimeMs: 3_600_000,
      value,
    });
    await writer.write([metric('a', 1), metric('b', 1)], []);
    await writer.prepare?.();
    expect(await engine.query('SELECT * FROM metrics')).toEqual([]);
    await writer.commit?.();
    await writer.write([metric('a', 2)], []);
    await writer.commit?.();
    expect(await engine.query('SELECT name, value FROM metrics ORDER BY name')).toEqual([
      { name: 'a', value: 2 },
      { name: 'b', value: 1 },
    ]);
  });
});
