import type { Columns } from './canonical.js';
import { quoted, stampOf, type TableLayout } from './layout.js';
import { bareTypeOf, typeTextOf } from './type-text.js';

/** A difference between a table and its declaration. */
export interface Difference {
  readonly setting: string;
  readonly declared: string;
  readonly actual: string;
  /** The kind of change: an added column, a type that holds all values of the old one, or anything else. */
  readonly change: 'add' | 'widen' | 'other';
  /** The part of an `ALTER TABLE` that makes the change, if there is one. */
  readonly repair: string | undefined;
}

/** The differences in columns; additional columns of the table are ignored. */
export function columnDifferences(layout: TableLayout, found: Columns): Difference[] {
  const stamp = stampOf(layout);
  const differences: Difference[] = [];
  for (const [name, type] of Object.entries({ ...layout.columns, ...stamp, ...layout.identity })) {
    const actual = found[name];
    if (actual === type) continue;
    const setting = `column ${name}`;
    if (actual === undefined) {
      const value = name in stamp ? 'now64(3)' : layout.defaults?.[name];
      const repair = `ADD COLUMN IF NOT EXISTS ${quoted(name)} ${type}${value === undefined ? '' : ` DEFAULT ${value}`}`;
      differences.push({ setting, declared: type, actual: 'missing', change: 'add', repair });
      continue;
    }
    const isKey = layout.key.includes(name);
    const change = !isKey && losesNothing(actual, type) ? 'widen' : 'other';
    const repair = isKey ? undefined : `MODIFY COLUMN ${quoted(name)} ${type}`;
    differences.push({ setting, declared: type, actual, change, repair });
  }
  return differences;
}

/** Whether a run makes this change itself. */
export const isAllowed = ({ change }: Difference, { migrate }: TableLayout): boolean =>
  change === 'add' ? migrate !== 'stop' : change === 'widen' && migrate === 'widen';

/**
 * Whether every value of one type is the same value of the other, also when a process with the old type writes to a column of the
 * new one. Times of another precision are not: rows contain ticks, and a tick would be another time.
 *
 * @example
 * losesNothing('UInt8', 'Nullable(UInt32)'); // true
 */
export function losesNothing(from: string, to: string): boolean {
  const [narrow, wide] = [bareTypeOf(from), bareTypeOf(to)];
  if (narrow.nullable && !wide.nullable) return false;
  if (narrow.type === wide.type) return true;
  const [a, b] = [typeTextOf(narrow.type), typeTextOf(wide.type)];
  if (a.name === 'Array' && b.name === 'Array') return losesNothing(a.parameters[0] ?? '', b.parameters[0] ?? '');
  if (a.name.startsWith('Enum')) return b.name === 'String' || isWiderEnum(a.parameters, b);
  if (a.name === 'Decimal' && b.name === 'Decimal')
    return isWiderDecimal(a.parameters.map(Number), b.parameters.map(Number));
  if (a.name === 'Float32') return b.name === 'Float64';
  return isWiderInteger(a.name, b.name);
}

const INTEGER = /^(U?)Int(\d+)$/;

function isWiderInteger(from: string, to: string): boolean {
  const [, unsignedFrom, bitsFrom] = INTEGER.exec(from) ?? [];
  const [, unsignedTo, bitsTo] = INTEGER.exec(to) ?? [];
  if (bitsFrom === undefined || bitsTo === undefined) return false;
  if (unsignedFrom === unsignedTo) return Number(bitsTo) >= Number(bitsFrom);
  return unsignedFrom === 'U' && Number(bitsTo) > Number(bitsFrom);
}

const isWiderDecimal = (
  [precision = 0, scale = 0]: readonly number[],
  [wider = 0, finer = 0]: readonly number[],
): boolean => finer >= scale && wider - finer >= precision - scale;

const isWiderEnum = (
  names: readonly string[],
  { name, parameters }: { name: string; parameters: readonly string[] },
): boolean => name.startsWith('Enum') && names.every((each) => parameters.includes(each));
