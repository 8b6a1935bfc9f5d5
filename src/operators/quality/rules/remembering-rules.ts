import { type Cell, type Duration, formatDuration, millis, type Problem } from '../../../core/index.js';
import { isMeasurable } from '../../../ml/number-limits.js';
import { type MapCell, setCell } from '../../../state/index.js';
import { comparableText } from '../../../util/json-text.js';
import { type BandRule, bandOf } from '../bands.js';
import { fieldOf, head, isMissing, type Rule, type Severity, show } from './rules.js';

// The rules of `expectations` that look at more than one record.

/** How long values are remembered, and how many of them. */
export interface UniqueOptions {
  /** How long a value is remembered, in event time. */
  readonly within: Duration;
  /** How many values are remembered at most; the oldest go first. */
  readonly keysMax: number;
}

/** No record that passed within the time has had the same values. */
export function uniqueRule(names: readonly string[], { within, keysMax }: UniqueOptions, severity?: Severity): Rule {
  const reason = `unique:${names.join('+')}`;
  const problems: Problem[] = [];
  if (!(within > 0)) problems.push({ message: `${reason}: within is ${within} ms`, hint: 'give a positive duration' });
  if (!(keysMax >= 1))
    problems.push({
      message: `${reason}: keysMax is ${keysMax}`,
      hint: 'give it the number of values within the time',
    });
  const keyOf = (value: unknown): string | number | undefined => {
    if (names.length > 1) {
      const fields = names.map((name) => fieldOf(value, name));
      return fields.some(isMissing) ? undefined : JSON.stringify(fields.map(inTuple));
    }
    const field = fieldOf(value, names[0] as string);
    if (isMissing(field)) return undefined;
    return typeof field === 'string' || (typeof field === 'number' && !Number.isNaN(field)) ? field : plain(field);
  };
  return Object.freeze({
    ...head(reason, severity, ` within ${formatDuration(within)}`),
    horizon: within,
    cell: setCell<string | number>(
      problems.length === 0 ? { ttl: within, entriesMax: keysMax } : { ttl: millis(1), entriesMax: 1 },
    ),
    problems,
    open(cell: Cell) {
      const seen = cell as MapCell<string | number, true>;
      return {
        holds(value: unknown, nowMs: number) {
          seen.expire(nowMs);
          const key = keyOf(value);
          return key === undefined || !seen.has(key);
        },
        detail: (value: unknown) => `another one passed within ${formatDuration(within)}: ${show(keyOf(value))}`,
        passed(value: unknown, nowMs: number) {
          const key = keyOf(value);
          if (key !== undefined && !seen.has(key)) seen.set(key, true, nowMs); // the first one's time counts
        },
      };
    },
  });
}

/**
 * A field as a text among others. A text that reads as something else, such as '5', is quoted: it is not the number. All others are as
 * they were when only texts were told apart, so that keys of older checkpoints still count.
 */
const inTuple = (field: unknown): string =>
  typeof field === 'string' && (String(Number(field)) === field || /^(?:true$|false$|")/.test(field))
    ? JSON.stringify(field)
    : plain(field);

/** What is neither text nor number, as a text that equal values share. */
const plain = (field: unknown): string => (typeof field === 'object' ? comparableText(field) : String(field));

/** How many keys of the table are held. */
export interface ReferenceOptions {
  /** Maximum number of keys of the table; a change of one more is refused. */
  readonly keysMax: number;
}

/** The value is a key of a table. */
export const referenceRule = (name: string, side: string, { keysMax }: ReferenceOptions, severity?: Severity): Rule =>
  Object.freeze({
    ...head(`references:${name}`, severity, ` in ${side}`),
    side: Object.freeze({ name: side, keysMax }),
    problems:
      keysMax >= 1
        ? []
        : [{ message: `references:${name}: keysMax is ${keysMax}`, hint: 'give it the number of keys' }],
    open(cell: Cell) {
      const keys = cell as MapCell<string, true>;
      return {
        holds(value: unknown) {
          const field = fieldOf(value, name);
          return isMissing(field) || keys.has(String(field));
        },
        detail: (value: unknown) => `${name} is ${show(fieldOf(value, name))}, which ${side} does not have`,
      };
    },
  });

/** The number lies where its values usually do. */
export function usualRule(name: string, rule: BandRule, severity?: Severity): Rule {
  const { cell, text, problems, open } = bandOf(rule);
  const reason = `usual:${name}`;
  return Object.freeze({
    ...head(reason, severity, ` ${text}`),
    cell,
    problems: problems.map(({ message, hint }) => ({ message: `${reason}: ${message}`, hint })),
    open(opened: Cell) {
      const band = open(opened);
      return {
        holds(value: unknown) {
          const field = fieldOf(value, name);
          if (isMissing(field)) return true;
          if (typeof field !== 'number' || Number.isNaN(field)) return false;
          const holds = !band.know() || (field >= band.low && field <= band.high);
          if (isMeasurable(field)) band.see(field);
          return holds;
        },
        detail(value: unknown) {
          const field = fieldOf(value, name);
          const isNumber = typeof field === 'number' && !Number.isNaN(field);
          const bounds = [band.low, band.high].map((end) => Number(end.toPrecision(6)));
          return isNumber
            ? `${name} is ${field}, outside ${bounds[0]} to ${bounds[1]} (${text})`
            : `${name} is ${show(field)}`;
        },
      };
    },
  });
}
