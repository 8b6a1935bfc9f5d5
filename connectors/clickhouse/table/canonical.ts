import { type Engine, parseRows } from '../engine/engine.js';

/** Columns and their types. */
export type Columns = Readonly<Record<string, string>>;

/** `Tuple`s are printed on several lines; quoted parts are kept. */
const withoutSpaces = (type: string): string =>
  type
    .replaceAll(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\s+/g, (part) => (/^\s/.test(part) ? ' ' : part))
    .replaceAll(/\( /g, '(');

/**
 * Types in ClickHouse's own notation: `Decimal64(2)` is `Decimal(18, 2)`, and the names of an `Enum` are ordered.
 *
 * @throws the engine's error for an unknown type.
 */
export async function canonicalTypes(engine: Engine, columns: Columns): Promise<Columns> {
  const structure = Object.entries(columns).map(([name, type]) => `\`${name}\` ${type}`);
  const text = await engine.query('DESCRIBE TABLE null({structure:String})', { structure: structure.join(', ') });
  return typesIn(parseRows(text));
}

/** The columns of a query's result; the query may end in a comment. */
export async function columnsOfQuery(engine: Engine, sql: string): Promise<Columns> {
  return typesIn(parseRows(await engine.query(`DESCRIBE TABLE (${sql}\n)`, {})));
}

/** The columns of an existing table; empty if it does not exist. */
export async function columnsOf(engine: Engine, table: string): Promise<Columns> {
  const text = await engine.query(
    'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position',
    { table },
  );
  return typesIn(parseRows(text));
}

const typesIn = (rows: readonly { readonly name: string; readonly type: string }[]): Columns =>
  Object.fromEntries(rows.map(({ name, type }) => [name, withoutSpaces(type)]));
