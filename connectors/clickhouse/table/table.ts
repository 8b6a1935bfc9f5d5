import { MillraceError } from '../../../src/core/errors.js';
import { type Engine, parseRows } from '../engine/engine.js';
import { columnsOf } from './canonical.js';
import { quoted, quotedText, stampOf, type TableLayout } from './layout.js';
import { columnDifferences, type Difference, isAllowed } from './migration.js';
import type { TableTtl } from './options.js';
import { setUpViews } from './views.js';

/**
 * How many blocks ClickHouse remembers by their digest. A repeated insert, whose answer was lost or that a dead process had sent,
 * changes nothing if it comes within so many others. (A server's own default is 0.)
 */
const REMEMBERED_BLOCKS = 10_000;
const WINDOW = 'non_replicated_deduplication_window';

/**
 * Creates the table and its views if they are missing. Several processes may do so at the same time. An existing table is left as it
 * is, since a checkpoint may refuse the run and the old version go on with it.
 *
 * @returns whether the table differs: `changeTable` is due before the first row.
 * @throws MillraceError `config` with differences that the layout does not allow to change, and the statement that resolves them.
 */
export async function setUpTable(engine: Engine, layout: TableLayout): Promise<boolean> {
  await refuseForeignTable(engine, layout);
  await engine.command(createSql(engine, layout));
  const differs = (await allowedDifferences(engine, layout)).length > 0;
  if (!differs) await complete(engine, layout);
  return differs;
}

/** Changes an existing table as far as the layout allows, and then its views. Several processes may do so at the same time. */
export async function changeTable(engine: Engine, layout: TableLayout): Promise<void> {
  const differences = await allowedDifferences(engine, layout);
  if (differences.length > 0) await engine.command(alterSql(layout, differences));
  await complete(engine, layout);
}

async function allowedDifferences(engine: Engine, layout: TableLayout): Promise<Difference[]> {
  const differences = await differencesOf(engine, layout);
  const refused = differences.filter((difference) => !isAllowed(difference, layout));
  if (refused.length > 0) throw refusal(layout, refused);
  return differences;
}

/** What follows from a table that is as its layout says. */
async function complete(engine: Engine, layout: TableLayout): Promise<void> {
  if (layout.unchanging) await rememberBlocks(engine, layout);
  await setUpReading(engine, layout);
  await setUpViews(engine, layout.views);
}

/** The view for readers. It is only replaced if it differs, since not every database replaces a view atomically. */
async function setUpReading(engine: Engine, layout: TableLayout): Promise<void> {
  const shown = { ...layout.columns, ...stampOf(layout) };
  const there = await columnsOf(engine, layout.view);
  if (JSON.stringify(Object.entries(there)) === JSON.stringify(Object.entries(shown))) return;
  const names = Object.keys(shown).map(quoted).join(', ');
  await engine.command(
    `CREATE OR REPLACE VIEW ${quoted(layout.view)} AS SELECT ${names} FROM ${quoted(layout.rows)} FINAL`,
  );
}

/** The differences between an existing table and its layout; none if there is no table. */
export async function differencesOf(engine: Engine, layout: TableLayout): Promise<Difference[]> {
  const [table] = parseRows<{ key: string; partition: string; ttl: string; policy: string }>(
    await engine.query(
      `SELECT sorting_key AS key, partition_key AS partition, extract(engine_full, ' TTL (.*?)(?: SETTINGS |$)') AS ttl,
         storage_policy AS policy
       FROM system.tables WHERE database = currentDatabase() AND name = {table:String}`,
      { table: layout.rows },
    ),
  );
  if (!table) return [];
  const differences = columnDifferences(layout, await columnsOf(engine, layout.rows));
  const other = (setting: string, declared: string, actual: string, repair?: string) => {
    if (declared !== actual) differences.push({ setting, declared, actual, change: 'other', repair });
  };
  // Some versions print a key of one column in additional brackets.
  const sortedBy = table.key.replaceAll(/[`()]/g, '');
  if (isLonger(layout.key, sortedBy, differences))
    differences.push({
      setting: 'sorting key',
      declared: layout.key.join(', '),
      actual: sortedBy,
      change: 'add',
      repair: `MODIFY ORDER BY (${layout.key.map(quoted).join(', ')})`,
    });
  else other('sorting key', layout.key.join(', '), sortedBy);
  if (layout.partitionBy !== undefined)
    other('partition key', await formatted(engine, layout.partitionBy), table.partition);
  const { storagePolicy: policy } = layout;
  if (policy !== undefined)
    other('storage policy', policy, table.policy, `MODIFY SETTING storage_policy = ${quotedText(policy)}`);
  // Compared after the policy, since it names a disk or volume of the policy.
  if (layout.ttl !== undefined) other('ttl', ttlSql(layout.ttl), table.ttl, `MODIFY TTL ${ttlSql(layout.ttl)}`);
  return differences;
}

/** Whether a key goes on with columns that are added: ClickHouse takes those in the same statement, and no other ones. */
function isLonger(key: readonly string[], than: string, differences: readonly Difference[]): boolean {
  const length = than.split(', ').length;
  const added = key.slice(length);
  const isAdded = (column: string) =>
    differences.some(({ setting, change }) => setting === `column ${column}` && change === 'add');
  return added.length > 0 && key.slice(0, length).join(', ') === than && added.every(isAdded);
}

/** An expression in ClickHouse's own notation. */
async function formatted(engine: Engine, expression: string): Promise<string> {
  const sql = 'SELECT formatQuerySingleLine({sql:String}) AS sql';
  const [row] = parseRows<{ sql: string }>(await engine.query(sql, { sql: `SELECT ${expression}` }));
  return row?.sql.replace(/^SELECT /, '') ?? expression;
}

/** A hint that resolves the differences. */
export function hintFor(layout: TableLayout, differences: readonly Difference[]): string {
  if (differences.some(({ repair }) => repair === undefined)) {
    return 'keys and the types of their columns cannot be changed: choose another table name, or what the table was made with';
  }
  const wider = differences.every((difference) => isAllowed(difference, { ...layout, migrate: 'widen' }));
  const allow = wider
    ? `, or allow it by \`migrate: '${differences.some(({ change }) => change === 'widen') ? 'widen' : 'add'}'\``
    : '';
  const statements = statementsFor(layout, differences).map((sql) => `\`${sql}\``);
  return `run ${statements.join(', then ')}${allow}, or choose another table name`;
}

/** Column changes share one statement. Each other change has its own, because its argument may contain commas. */
function statementsFor(layout: TableLayout, differences: readonly Difference[]): string[] {
  const isColumn = ({ repair }: Difference) => repair?.includes(' COLUMN ') ?? false;
  const columns = differences.filter(isColumn);
  const others = differences.filter((difference) => !isColumn(difference));
  return [...(columns.length > 0 ? [columns] : []), ...others.map((other) => [other])].map((each) =>
    alterSql(layout, each),
  );
}

const alterSql = ({ rows }: TableLayout, differences: readonly Difference[]): string =>
  `ALTER TABLE ${quoted(rows)} ${differences.map(({ repair }) => repair).join(', ')}`;

const refusal = (layout: TableLayout, refused: readonly Difference[]): MillraceError =>
  new MillraceError(
    'config',
    `table ${layout.rows} differs from the topology: ${refused.map(({ setting, declared, actual }) => `${setting} is ${actual}, declared is ${declared}`).join('; ')}`,
    { where: layout.rows, hint: hintFor(layout, refused) },
  );

function createSql({ tableSettings = {} }: Engine, layout: TableLayout): string {
  const settings = Object.entries(tableSettings).map(([name, value]) => `${name} = ${value}`);
  if (layout.storagePolicy !== undefined) settings.push(`storage_policy = ${quotedText(layout.storagePolicy)}`);
  const stamp = stampOf(layout);
  const lines = Object.entries({ ...layout.columns, ...stamp, ...layout.identity }).map(
    ([name, type]) => `${quoted(name)} ${type}${name in stamp ? ' DEFAULT now64(3)' : ''}`,
  );
  return [
    `CREATE TABLE IF NOT EXISTS ${quoted(layout.rows)} (${lines.join(', ')})`,
    `ENGINE = ReplacingMergeTree(${layout.version.join(', ')})`,
    ...(layout.partitionBy === undefined ? [] : [`PARTITION BY ${layout.partitionBy}`]),
    `ORDER BY (${layout.key.map(quoted).join(', ')})`,
    ...(layout.ttl === undefined ? [] : [`TTL ${ttlSql(layout.ttl)}`]),
    ...(settings.length === 0 ? [] : [`SETTINGS ${settings.join(', ')}`]),
  ].join('\n');
}

/** In ClickHouse's own notation, for comparison. */
function ttlSql({ since, after, to }: TableTtl): string {
  const at = `${since} + toIntervalSecond(${Math.ceil(after / 1_000)})`;
  if (to === undefined) return at;
  return 'disk' in to ? `${at} TO DISK ${quotedText(to.disk)}` : `${at} TO VOLUME ${quotedText(to.volume)}`;
}

/** Sets the option on existing tables as well; the engine's replicated variants remember blocks by default. */
async function rememberBlocks(engine: Engine, { rows }: TableLayout): Promise<void> {
  const [table] = parseRows<{ engine: string; full: string }>(
    await engine.query(
      'SELECT engine, engine_full AS full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
      { table: rows },
    ),
  );
  if (table?.engine !== 'ReplacingMergeTree' || table.full.includes(WINDOW)) return;
  await engine.command(`ALTER TABLE ${quoted(rows)} MODIFY SETTING ${WINDOW} = ${REMEMBERED_BLOCKS}`);
}

async function refuseForeignTable(engine: Engine, { view, rows }: TableLayout): Promise<void> {
  const tables = parseRows<{ name: string; engine: string }>(
    await engine.query(
      'SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND name IN {names:Array(String)}',
      { names: [view, rows] },
    ),
  );
  for (const table of tables) {
    const expected = table.name === view ? 'View' : 'ReplacingMergeTree';
    // The engine's replicated variants are fine as well.
    if (table.engine.endsWith(expected) && table.engine !== 'MaterializedView') continue;
    throw new MillraceError('config', `${table.name} already exists, as ${table.engine} where ${expected} must be`, {
      where: table.name,
      hint: 'it was not created by Millrace: choose another table name in the topology',
    });
  }
}
