import type { TableSinkOptions } from '../core/sink-options.js';
import type { OpenProfile } from '../profiles/profiles.js';
import { compareEntries, Differences, type Entry } from './differences.js';
import { namesOf, type Run } from './verification.js';

type Query = Pick<OpenProfile, 'query'>;

export interface TableToCompare {
  readonly options: Pick<TableSinkOptions, 'table' | 'columns' | 'schema' | 'insertedAt'>;
  /** The step that writes it. */
  readonly step: string;
  /** No row may stand twice, not even in the stored table. */
  readonly exactlyOnce: boolean;
}

/** Offsets of input records whose rows are compared at a time. */
const OFFSETS = 20_000;

/** Rows of a bag that are shown as differences at most. */
const BAG_MAX = 10_000;

/**
 * Compares two tables row by row, all columns, as text that names every bit of a number. Rows are told apart by the
 * identity that they carry; a table has no order. `byIdentity` false: clocks decided which record led to which row, so the
 * tables are compared as bags of rows.
 *
 * Memory: the rows of 20,000 input records; of bags, what differs, and the rows' digests in ClickHouse.
 */
export async function compareTables(
  profile: Query,
  trialId: string,
  { options, step, exactlyOnce }: TableToCompare,
  byIdentity: boolean,
): Promise<Differences> {
  const found = new Differences();
  const tableOf = (run: Run) => `${namesOf(trialId, run).table(options.table)}_rows`;
  const names = options.schema ? await columnsOf(profile, tableOf('reference'), options) : Object.keys(options.columns);
  const columns = names.map((name) => `\`${name}\``);
  const row = `trimBoth(formatRow('JSONCompactEachRow', ${columns.join(', ')}))`;
  if (exactlyOnce) {
    const duplicated = await storedTwice(profile, tableOf('faulted'));
    for (const { id, times } of duplicated) for (let n = 1; n < times; n++) found.add({ kind: 'duplicated', id });
  }
  if (!byIdentity) await compareBags(profile, tableOf, row, found);
  else await compareByIdentity(profile, trialId, tableOf, row, step, found);
  return found;
}

/** What the sink wrote of its values, where a schema says which columns these are. */
async function columnsOf(
  { query }: Query,
  table: string,
  { insertedAt = '' }: TableToCompare['options'],
): Promise<readonly string[]> {
  const columns = await query<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = ${quoted(table)} ORDER BY position`,
  );
  return columns.map(({ name }) => name).filter((name) => !name.startsWith('_') && name !== insertedAt);
}

async function compareByIdentity(
  profile: Query,
  trialId: string,
  tableOf: (run: Run) => string,
  row: string,
  step: string,
  found: Differences,
): Promise<void> {
  const sources = new Map<string, { from: number; to: number }>();
  for (const run of ['reference', 'faulted'] as const) {
    const { topology } = namesOf(trialId, run);
    for (const { source, first, last } of await sourcesOf(profile, tableOf(run))) {
      const behind = source.slice(topology.length + step.length + 2); // of `topology/step/topic/partition`
      const known = sources.get(behind) ?? { from: first, to: last };
      sources.set(behind, { from: Math.min(known.from, first), to: Math.max(known.to, last) });
    }
  }
  const read = async (run: Run, behind: string, from: number): Promise<Entry[]> => {
    const source = quoted(`${namesOf(trialId, run).topology}/${step}/${behind}`);
    const rows = await profile.query<{ id: string; row: string }>(
      `SELECT concat(toString(_offset), '#', toString(_n)) AS id, ${row} AS row FROM ${tableOf(run)} FINAL
       WHERE _source = ${source} AND _offset >= ${from} AND _offset < ${from + OFFSETS} ORDER BY _offset, _n`,
    );
    return rows.map(({ id, row: digest }) => ({ id: `${behind}/${id}`, digest, at: digest }));
  };
  for (const [behind, { from, to }] of sources) {
    for (let offset = from; offset <= to; offset += OFFSETS) {
      const [reference, faulted] = await Promise.all([
        read('reference', behind, offset),
        read('faulted', behind, offset),
      ]);
      compareEntries(reference, faulted, false, found);
    }
  }
}

async function compareBags(
  { query }: Query,
  tableOf: (run: Run) => string,
  row: string,
  found: Differences,
): Promise<void> {
  const [counted] = await query<{ rows: number }>(
    `SELECT toUInt32(count()) AS rows FROM ${tableOf('reference')} FINAL`,
  );
  found.compared += counted?.rows ?? 0;
  const differing = await query<{ row: string; reference: number; faulted: number }>(
    `SELECT row, toUInt32(sum(c)) AS reference, toUInt32(sum(d)) AS faulted FROM (
       SELECT ${row} AS row, 1 AS c, 0 AS d FROM ${tableOf('reference')} FINAL UNION ALL
       SELECT ${row} AS row, 0 AS c, 1 AS d FROM ${tableOf('faulted')} FINAL
     ) GROUP BY row HAVING reference != faulted ORDER BY row LIMIT ${BAG_MAX}`,
  );
  for (const { row: text, reference, faulted } of differing) {
    const times = (count: number): Entry[] => Array.from({ length: count }, () => ({ id: text, digest: '', at: text }));
    compareEntries(times(reference), times(faulted), false, found);
    found.compared -= reference; // counted above
  }
}

const sourcesOf = ({ query }: Query, table: string) =>
  query<{ source: string; first: number; last: number }>(
    `SELECT _source AS source, min(_offset) AS first, max(_offset) AS last FROM ${table} GROUP BY _source`,
  );

/** Rows that stand there more than once; merges take such rows away, so what is found are the latest. */
const storedTwice = ({ query }: Query, table: string) =>
  query<{ id: string; times: number }>(
    `SELECT concat(_source, '/', toString(_offset), '#', toString(_n)) AS id, toUInt32(count()) AS times
     FROM ${table} GROUP BY _source, _offset, _n HAVING times > 1`,
  );

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
