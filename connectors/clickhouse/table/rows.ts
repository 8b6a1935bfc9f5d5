import { MillraceError } from '../../../src/core/errors.js';
import { type TimeUnit, type ValueType, valueTypeOf } from '../values/index.js';

/** The units of numbers in time columns; milliseconds by default. */
export type Units = Readonly<Record<string, TimeUnit>>;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly value: ValueType;
}

type Fields = Readonly<Record<string, unknown>>;

/** Encodes values as JSON rows, in the order of the columns. */
export class RowEncoder {
  private readonly columns: readonly Column[];

  constructor(columns: Readonly<Record<string, string>>, units: Units = {}) {
    this.columns = Object.entries(columns).map(([name, type]) => ({
      name,
      type,
      value: valueTypeOf(type, units[name]),
    }));
  }

  /** Which column cannot store its field of a value, in words; `undefined` if all can. */
  unrepresentable(value: unknown): string | undefined {
    if (typeof value !== 'object' || value === null) return `${shown(value)} is not a row`;
    for (const column of this.columns) {
      const field = (value as Fields)[column.name];
      if (!column.value.fits(field)) return unrepresentable(column, shown(field));
    }
    return undefined;
  }

  /**
   * The columns of a row, each followed by a comma.
   *
   * @throws MillraceError `sink`, permanent, if a column cannot store its field.
   */
  encode(fields: Fields): string {
    let row = '';
    for (const column of this.columns) row += `${this.cell(column, fields[column.name])},`;
    return row;
  }

  /** One column of a row. */
  encodeColumn(name: string, field: unknown): string {
    const column = this.columns.find((each) => each.name === name);
    return column === undefined ? '' : this.cell(column, field);
  }

  private cell(column: Column, field: unknown): string {
    if (column.value.fits(field)) return column.value.write(field);
    // Values may contain what logs must not show, so the message only describes their type.
    throw new MillraceError('sink', unrepresentable(column, kindOf(field)), {
      where: column.name,
      hint: `give the column another type, Nullable(${column.type}) for example, or change the field before the sink`,
      permanent: true,
    });
  }
}

const unrepresentable = ({ name, type }: Column, what: string): string =>
  `column ${name} (${type}) has no room for ${what}`;

const SHOWN_MAX = 60;

/** A value as a dead letter shows it, truncated. */
function shown(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return kindOf(value);
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}...`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a date';
  if (value instanceof Map || value instanceof Set) return `a ${value.constructor.name}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
