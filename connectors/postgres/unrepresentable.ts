import { messageOf } from '../../src/core/errors.js';
import { refuseUnwritable } from '../../src/util/json-text.js';
import { cellOf } from './cells.js';
import type { TableOptions } from './kinds.js';
import { isNumbered } from './table.js';

/** Says why the text of a cell is not of the type, or `undefined`. */
type Check = (text: string, value: unknown) => string | undefined;

/**
 * Says why a table cannot store a value, or `undefined` if it can. The server would refuse the transaction with all its other rows.
 * Types that are not known here (enums, domains, intervals, addresses) are left to the server.
 */
export function rowCheck({ columns, key }: TableOptions): (value: unknown) => string | undefined {
  const checks = Object.entries(columns).map(([name, type]) => {
    const check = columnCheck(type);
    const notNull = key.includes(name)
      ? `column ${name} is in the key, and is null`
      : isNumbered(type)
        ? `column ${name} (${type}) is never null`
        : undefined;
    return (cell: unknown) => {
      if (cell === null || cell === undefined) return notNull;
      const why = check(cell);
      return why === undefined ? undefined : `column ${name} (${type}) has no room for ${why}`;
    };
  });
  const names = Object.keys(columns);
  return (value) => {
    const row = (value ?? {}) as Readonly<Record<string, unknown>>;
    for (let i = 0; i < checks.length; i++) {
      const why = checks[i]?.(row[names[i] as string]);
      if (why !== undefined) return why;
    }
    return undefined;
  };
}

/** The check of one column. */
export function columnCheck(type: string): (value: unknown) => string | undefined {
  const toCell = cellOf(type);
  const check = checkOf(type);
  return (value) => {
    let text: string | null | undefined;
    try {
      text = toCell(value);
      if (text === null) return undefined;
      if (typeof value === 'object') refuseUnwritable(value);
    } catch (error) {
      return `the value: ${messageOf(error)}`;
    }
    if (typeof text !== 'string') return `a ${typeof value}`;
    if (text.includes('\0')) return 'the character NUL';
    if (!text.isWellFormed()) return 'half of a surrogate pair';
    return check(text, value);
  };
}

function checkOf(type: string): Check {
  const [, name = '', first, second] =
    /^([a-z0-9_ ]*?) ?(?:\( ?(\d+) ?(?:, ?(\d+) ?)?\).*)?$/.exec(type.toLowerCase().trim()) ?? [];
  const length = first === undefined ? undefined : Number(first);
  switch (name) {
    case 'smallint':
    case 'int2':
    case 'smallserial':
      return within(integer(15n));
    case 'integer':
    case 'int':
    case 'int4':
    case 'serial':
      return within(integer(31n));
    case 'bigint':
    case 'int8':
    case 'bigserial':
      return within(integer(63n));
    case 'numeric':
    case 'decimal':
      return within((text) => numeric(text, length, Number(second ?? 0)));
    case 'real':
    case 'float4':
      return within((text) => float(text, Math.fround));
    case 'double precision':
    case 'float8':
      return within((text) => float(text, (number) => number));
    case 'boolean':
    case 'bool':
      return within(matches(/^(t|tr|tru|true|y|ye|yes|on|1|f|fa|fal|fals|false|n|no|of|off|0)$/i));
    case 'uuid':
      return matches(/^(?:\{(?=.*\}$))?[0-9a-f]{4}(?:-?[0-9a-f]{4}){7}\}?$/i);
    case 'varchar':
    case 'character varying':
      return length === undefined ? anyText : (text) => atMost(text, length);
    case 'char':
    case 'character':
      return (text) => atMost(text, length ?? 1);
    case 'jsonb':
      return (text) =>
        ESCAPED_NUL.test(text) ? 'the character NUL' : ESCAPED_HALF.test(text) ? 'half of a surrogate pair' : undefined;
    case 'bytea':
      return (text) => (/^\\x(?:[0-9a-fA-F]{2})*$/.test(text) || !text.includes('\\') ? undefined : shown(text));
    default:
      return /^(timestamp.*|date)$/.test(name) ? within(time) : anyText;
  }
}

const anyText: Check = () => undefined;
const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
const matches =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text) ? undefined : shown(text);

/** A check of a text without the spaces around it. */
const within =
  (check: Check): Check =>
  (text, value) =>
    check(trimmed(text), value);

/** Postgres passes over the spaces of ASCII only; `trim` removes many more. */
function trimmed(text: string): string {
  let from = 0;
  let end = text.length;
  while (from < end && isSpace(text.charCodeAt(from))) from++;
  while (from < end && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(from, end);
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

const integer =
  (bits: bigint): Check =>
  (text, value) => {
    if (!/^[+-]?\d{1,30}$/.test(text) || typeof value === 'boolean') return shown(text);
    const number = BigInt(text.replace('+', ''));
    return number >= -(2n ** bits) && number < 2n ** bits ? undefined : shown(text);
  };

const DECIMAL = /^[+-]?(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
/** The most digits before the point of a numeric without a precision. */
const DIGITS_MAX = 131_072;
/** The most digits after the point that Postgres reads, before it rounds. */
const FRACTION_MAX = 16_383;
/** Postgres reads lower exponents only, also of zero. */
const EXPONENT_END = 2 ** 30 - 1;

/** Whether a decimal, rounded to `scale` digits after the point, has at most `precision` digits. */
function numeric(text: string, precision: number | undefined, scale: number): string | undefined {
  if (/^NaN$/i.test(text)) return undefined;
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return precision === undefined ? undefined : shown(text);
  const found = DECIMAL.exec(text);
  if (!found) return shown(text);
  const [, whole = '', fraction = '', exponent = '0'] = found;
  if (fraction.length - Number(exponent) > FRACTION_MAX || Number(exponent) >= EXPONENT_END) return shown(text);
  const digits = `${whole}${fraction}`;
  const leading = digits.search(/[^0]|$/);
  if (leading === digits.length) return undefined; // zero
  const before = whole.length + Number(exponent) - leading; // digits before the point
  if (precision === undefined) return before > DIGITS_MAX ? shown(text) : undefined;
  const kept = before + scale; // remaining significant digits
  const carries =
    kept >= 0 && /^9*$/.test(digits.slice(leading, leading + kept)) && (digits[leading + kept] ?? '0') >= '5';
  const isFull = kept <= digits.length - leading;
  return kept + (carries && isFull ? 1 : 0) > precision ? shown(text) : undefined;
}

/** A float that is not too large for its type, and not too small unless it is zero. */
function float(text: string, narrow: (number: number) => number): string | undefined {
  if (/^(?:NaN|[+-]?inf(?:inity)?)$/i.test(text)) return undefined;
  if (!DECIMAL.test(text)) return shown(text);
  const number = narrow(Number(text));
  const isZero = !/[1-9]/.test(text.replace(/e.*/i, ''));
  return Number.isFinite(number) && (number !== 0 || isZero) ? undefined : shown(text);
}

function atMost(text: string, characters: number): string | undefined {
  if (text.length <= characters) return undefined;
  let end = 0;
  for (let n = 0; n < characters; n++) end += isPair(text, end) ? 2 : 1;
  // Spaces behind the limit are truncated silently, as the SQL standard requires.
  return /[^ ]/.test(text.slice(end)) ? `more than ${characters} characters` : undefined;
}

/** Whether the character there is a surrogate pair, in a text that has no halves. */
const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xff_ff;

/** An escaped NUL whose backslash is not itself escaped: JSON writes a backslash as two. */
const ESCAPED_NUL = /(?<!\\)(?:\\\\)*\\u0000/;
const ESCAPED_HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f]/i;

// Postgres reads times of about 100 characters, so the digits of a fraction have a limit.
const ISO =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ]([01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,64})?)?)?[\t-\r ]*(?:Z|UTC|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?$/i;
const NAMED_TIME = /^(?:-?infinity|epoch|now|today|tomorrow|yesterday)$/i;

/** Times in ISO 8601, in the years 1 to 9999. Other forms that Postgres reads cannot be checked here. */
const time: Check = (text, value) => {
  if (NAMED_TIME.test(text)) return undefined;
  const [, year, month, day] = ISO.exec(text) ?? [];
  if (year === undefined || year === '0000' || typeof value === 'boolean') return shown(text);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? undefined : shown(text);
};
