import { MillraceError } from '../../../src/core/errors.js';
import type { Engine, QueryParams } from '../engine/engine.js';
import type { Query } from '../kinds.js';
import { columnsOfQuery } from '../table/canonical.js';
import { quoted } from '../table/layout.js';
import { bareTypeOf, typeTextOf } from '../table/type-text.js';

/** The position of a row in the order: the texts of its `orderBy` columns. */
export type Cursor = readonly string[];

/** A row as JSON, its position in the order, and its key. */
export interface Row {
  readonly json: string;
  readonly cursor: Cursor;
  readonly key: string | null;
}

/** How a column of the order is converted to text, and how that text is parsed. */
interface OrderColumn {
  readonly name: string;
  readonly text: string;
  readonly value: (parameter: string) => string;
}

const IN_FULL =
  'SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1, ' +
  "output_format_json_quote_denormals = 1, date_time_output_format = 'iso'";

/** The column of a page with each row's position and key; it is the last of a row. */
const PLACE = '_millrace';

/** Reads a query's rows page by page, each from a position up to a bound. Errors are those of the engine. */
export class QueryPages {
  private constructor(
    private readonly engine: Engine,
    private readonly query: Query,
    private readonly order: readonly OrderColumn[],
  ) {}

  /** @throws MillraceError `config` if the query lacks a column of the order, or if a column has no total order. */
  static async open(engine: Engine, query: Query): Promise<QueryPages> {
    const types = await columnsOfQuery(engine, query.sql);
    const order = query.orderBy.map((name) => orderColumn(name, types[name], query));
    return new QueryPages(engine, query, order);
  }

  /** The position of the last row; undefined if there are no rows. */
  async last(): Promise<Cursor | undefined> {
    const { sql, orderBy } = this.query;
    const down = orderBy.map((name) => `${quoted(name)} DESC`).join(', ');
    const text = await this.engine.query(`SELECT ${this.place} FROM (${sql}\n) ORDER BY ${down} LIMIT 1`, {});
    return rowsOf(text, this.order.length)[0]?.cursor;
  }

  /** The rows after a position, up to a bound, in order; more than a page only if rows are equal in the order. */
  async page(after: Cursor | undefined, bound: Cursor): Promise<readonly Row[]> {
    const { sql, orderBy, pageRowsMax } = this.query;
    const params: Record<string, unknown> = {};
    const conditions = [
      ...(after === undefined ? [] : this.compare('>', after, 'after', params)),
      ...this.compare('<=', bound, 'bound', params),
    ];
    const text = await this.engine.query(
      `SELECT *, ${this.place} FROM (${sql}\n) WHERE ${conditions.join(' AND ')}
       ORDER BY ${orderBy.map(quoted).join(', ')} LIMIT ${pageRowsMax} WITH TIES ${IN_FULL}`,
      params as QueryParams,
    );
    const rows = rowsOf(text, this.order.length);
    for (let i = 1; i < rows.length; i++) if (isSame(rows[i - 1], rows[i])) throw this.tie();
    return rows;
  }

  private get place(): string {
    const key = this.query.key === undefined ? [] : [`toString(${quoted(this.query.key)})`];
    return `[${[...this.order.map(({ text }) => text), ...key].join(', ')}] AS ${PLACE}`;
  }

  /** Compares as tuples, and also by the first column alone, so that an index of the table can be used. */
  private compare(sign: '>' | '<=', cursor: Cursor, name: string, params: Record<string, unknown>): string[] {
    const values = this.order.map(({ value }, i) => {
      params[`${name}${i}`] = cursor[i];
      return value(`${name}${i}`);
    });
    const columns = this.order.map((column) => quoted(column.name));
    return [
      `${columns[0]} ${sign === '>' ? '>=' : '<='} ${values[0]}`,
      `tuple(${columns.join(', ')}) ${sign} tuple(${values.join(', ')})`,
    ];
  }

  private tie(): MillraceError {
    const { name, orderBy } = this.query;
    return new MillraceError('source', `two rows are equal in ${orderBy.join(', ')}`, {
      where: name,
      hint: 'their order is undefined: add a column to orderBy in which they differ',
      permanent: true,
    });
  }
}

const isSame = (a: Row | undefined, b: Row | undefined): boolean =>
  a?.cursor.every((text, i) => text === b?.cursor[i]) ?? false;

function rowsOf(text: string, columns: number): Row[] {
  const rows: Row[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    if (to > from) rows.push(rowOf(text.slice(from, to), columns));
    from = to + 1;
  }
  return rows;
}

/** The quotes of the name cannot occur inside a JSON string, so its last occurrence is the last property. */
function rowOf(line: string, columns: number): Row {
  const at = line.lastIndexOf(`"${PLACE}":`);
  const place = JSON.parse(line.slice(at + PLACE.length + 3, -1)) as (string | null)[];
  const before = line.slice(0, at);
  return {
    json: `${before.endsWith(',') ? before.slice(0, -1) : before}}`,
    cursor: place.slice(0, columns) as string[],
    key: place[columns] ?? null,
  };
}

const COUNTED = /^(U?Int\d+|Decimal|Date|Date32|UUID|Bool|IPv4|IPv6|Enum8|Enum16)$/;

function orderColumn(name: string, type: string | undefined, { name: where, sql }: Query): OrderColumn {
  const problem = (message: string, hint: string) =>
    new MillraceError('config', message, { where, hint, permanent: true });
  if (type === undefined)
    throw problem(`the query has no column ${name}`, `orderBy names columns of its result: ${sql}`);
  const bare = bareTypeOf(type);
  const { name: kind, parameters } = typeTextOf(bare.type);
  if (bare.nullable)
    throw problem(`column ${name} may be null`, 'a null has no order: use `assumeNotNull`, or filter such rows');
  switch (kind) {
    case 'String':
    case 'FixedString': // any bytes
      return { name, text: `hex(${quoted(name)})`, value: (parameter) => `unhex({${parameter}:String})` };
    case 'DateTime':
    case 'DateTime64': {
      const utc = kind === 'DateTime' ? "DateTime('UTC')" : `DateTime64(${parameters[0]}, 'UTC')`;
      return {
        name,
        text: `toString(toTimeZone(${quoted(name)}, 'UTC'))`,
        value: (parameter) => `{${parameter}:${utc}}`,
      };
    }
    default:
      if (!COUNTED.test(kind))
        throw problem(
          `column ${name} is ${type}, which cannot order rows`,
          'order by integers, texts, times, decimals or UUIDs',
        );
      return { name, text: `toString(${quoted(name)})`, value: (parameter) => `{${parameter}:${bare.type}}` };
  }
}
