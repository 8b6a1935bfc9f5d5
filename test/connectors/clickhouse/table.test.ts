import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../connectors/clickhouse/engine/engine.js';
import { metricsLayout, tableLayout } from '../../../connectors/clickhouse/table/layout.js';
import type { TableSinkOptions } from '../../../connectors/clickhouse/table/options.js';
import { differencesOf, hintFor, setUpTable } from '../../../connectors/clickhouse/table/table.js';
import { tableView } from '../../../connectors/clickhouse/table/table-view.js';
import { setUpViews } from '../../../connectors/clickhouse/table/views.js';
import { days, millis } from '../../../src/core/index.js';

// Statements that the engine in this process never gets: it has settings of its own, one storage policy, and views that are not stored.

/** A server of which questions that contain these words are answered with these rows, and the statements that it got. */
function serverOf(answers: Readonly<Record<string, object>> = {}, tableSettings?: Engine['tableSettings']) {
  const commands: string[] = [];
  const engine: Partial<Engine> = {
    ...{ where: 'here', tableSettings },
    query: async (sql) => {
      const [, row] = Object.entries(answers).find(([words]) => sql.includes(words)) ?? [];
      return row === undefined ? '' : JSON.stringify(row);
    },
    command: async (sql) => void commands.push(sql),
  };
  return { engine: engine as Engine, commands };
}

const layout = (more: Partial<TableSinkOptions> = {}) =>
  tableLayout({ table: 'flights', columns: { id: 'UInt32', at: 'DateTime' }, orderBy: ['at'], ...more });

describe('a table', () => {
  const lines = async (more: Partial<TableSinkOptions>, settings?: Engine['tableSettings']) => {
    const { engine, commands } = serverOf({}, settings);
    await setUpTable(engine, layout(more));
    return commands[0]?.split('\n');
  };
  const identity = '`_source` LowCardinality(String), `_offset` UInt64, `_n` UInt32, `_incarnation` UInt64';
  const plain = [
    `CREATE TABLE IF NOT EXISTS \`flights_rows\` (\`id\` UInt32, \`at\` DateTime, ${identity})`,
    'ENGINE = ReplacingMergeTree(_incarnation)',
    'ORDER BY (`at`, `_source`, `_offset`, `_n`)',
  ];

  it('is made of what is declared, and of nothing else', async () => {
    expect(await lines({})).toEqual(plain);
    const ttl = { since: 'at', after: days(1), to: { volume: "co'ld" } };
    const [create, engine, ...rest] =
      (await lines({ insertedAt: 'storedAt', partitionBy: 'toYYYYMM(at)', ttl, storagePolicy: 'tiers' }, { a: 1 })) ??
      [];
    expect(create).toContain('`storedAt` DateTime64(3) DEFAULT now64(3), `_source`');
    expect([engine, ...rest]).toEqual([
      plain[1],
      'PARTITION BY toYYYYMM(at)',
      plain[2],
      "TTL at + toIntervalSecond(86400) TO VOLUME 'co\\'ld'",
      "SETTINGS a = 1, storage_policy = 'tiers'",
    ]);
    expect(await lines({ ttl: { since: 'at', after: millis(1_001), to: { disk: 'slow' } } })).toContain(
      "TTL at + toIntervalSecond(2) TO DISK 'slow'",
    );
  });

  it('remembers blocks, unless its engine does, or a repeated block may be another one', async () => {
    const statements = async (found: object, of = layout()) => {
      const { engine, commands } = serverOf({ 'engine_full AS full': found });
      await setUpTable(engine, of);
      return commands.filter((sql) => sql.startsWith('ALTER'));
    };
    const window = 'non_replicated_deduplication_window';
    const remember = [`ALTER TABLE \`flights_rows\` MODIFY SETTING ${window} = 10000`];
    const own = { engine: 'ReplacingMergeTree', full: 'ReplacingMergeTree(_incarnation)' };
    expect(await statements(own)).toEqual(remember);
    expect(await statements({ ...own, full: `... SETTINGS ${window} = 5` })).toEqual([]);
    expect(await statements({ ...own, engine: 'ReplicatedReplacingMergeTree' })).toEqual([]);
    expect(await statements(own, metricsLayout('flights'))).toEqual([]);
  });

  it('on another storage policy is told by the statement that moves it, before the ttl that needs it', async () => {
    const there = { key: 'at, _source, _offset, _n', partition: '', ttl: '', policy: 'default' };
    const { engine } = serverOf({ 'sorting_key AS key': there });
    const ttl = { since: 'at', after: days(1), to: { disk: 'slow' } };
    const wanted = layout({ storagePolicy: 'tiers', ttl });
    const differences = (await differencesOf(engine, wanted)).filter(({ change }) => change === 'other');
    expect(differences.map(({ setting, declared, actual }) => [setting, declared, actual])).toEqual([
      ['storage policy', 'tiers', 'default'],
      ['ttl', "at + toIntervalSecond(86400) TO DISK 'slow'", ''],
    ]);
    expect(hintFor(wanted, differences)).toBe(
      "run `ALTER TABLE `flights_rows` MODIFY SETTING storage_policy = 'tiers'`, then `ALTER TABLE `flights_rows` MODIFY TTL at + toIntervalSecond(86400) TO DISK 'slow'`, or choose another table name",
    );
  });
});

describe('a view of a table', () => {
  const daily = (more: object = {}) =>
    tableView.make({ name: 'daily', as: 'SELECT count() FROM flights;', every: millis(1_500), ...more });
  const statements = async (view = daily(), database = 'Atomic', there: object | undefined = undefined) => {
    const { engine, commands } = serverOf({
      'system.databases': { engine: database },
      ...(there && { 'SELECT engine, comment': there }),
    });
    await setUpViews(engine, [view]);
    return commands;
  };
  const markIn = (sql = '') => /COMMENT '(.*)'$/.exec(sql)?.[1] ?? '';

  it('is stored and computed again in whole seconds, where the database can exchange tables', async () => {
    const [stored] = await statements();
    expect(stored?.replaceAll(/\s+/g, ' ')).toBe(
      `CREATE MATERIALIZED VIEW IF NOT EXISTS \`daily\` REFRESH EVERY 2 SECOND ENGINE = MergeTree ORDER BY tuple() AS SELECT count() FROM flights COMMENT '${markIn(stored)}'`,
    );
    expect((await statements(daily({ orderBy: ['a', 'b'] })))[0]).toContain('ORDER BY (`a`, `b`) AS');
    expect((await statements(daily(), 'Memory'))[0]).toMatch(/^CREATE VIEW IF NOT EXISTS `daily` AS SELECT/);
    expect((await statements(daily({ every: undefined })))[0]).toMatch(/^CREATE VIEW/);
  });

  it('is made anew where its declaration is another one, and left alone where it is the same', async () => {
    const comment = markIn((await statements())[0]);
    expect(await statements(daily(), 'Atomic', { engine: 'View', comment })).toEqual([]);
    for (const [view, database] of [
      [daily({ as: 'SELECT 1' }), 'Atomic'],
      [daily({ every: millis(9_000) }), 'Atomic'],
      [daily({ orderBy: ['a'] }), 'Atomic'],
      [daily(), 'Memory'],
    ] as const) {
      const [drop, create] = await statements(view, database, { engine: 'View', comment });
      expect([drop, create]).toEqual(['DROP TABLE IF EXISTS `daily` SYNC', expect.stringMatching(/^CREATE/)]);
    }
    await expect(statements(daily(), 'Atomic', { engine: 'Log', comment: '' })).rejects.toMatchObject({
      ...{ code: 'config', where: 'daily', message: 'daily already exists, as Log' },
    });
  });
});
