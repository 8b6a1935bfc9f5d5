import { type Duration, formatDuration } from '../../core/index.js';
import { functionProblems } from '../functions.js';
import type { BandRule } from './bands.js';
import {
  type ReferenceOptions,
  referenceRule,
  type UniqueOptions,
  uniqueRule,
  usualRule,
} from './rules/remembering-rules.js';
import { type Check, fieldOf, head, isMissing, type Rule, type Severity, show } from './rules/rules.js';

type Name<T> = keyof T & string;
type NumberName<T> = { [K in Name<T>]: NonNullable<T[K]> extends number | bigint ? K : never }[Name<T>];
type PlainNumberName<T> = { [K in Name<T>]: NonNullable<T[K]> extends number ? K : never }[Name<T>];
type TextName<T> = { [K in Name<T>]: NonNullable<T[K]> extends string ? K : never }[Name<T>];

declare const CHECKED: unique symbol;
declare const NOT_NULL: unique symbol;
declare const SIDES: unique symbol;

/**
 * Rules for a record, as inert data: every method returns a new value with one more rule. Missing values (null or undefined) pass all rules
 * except `notNull`. NaN fails `range` and `usual`.
 *
 * `N` are the fields that are not null after `validate`, `S` the further inputs that it needs.
 */
export interface Expectations<T, N extends keyof T = never, S extends string = never> {
  readonly rules: readonly Rule[];
  /** The fields are not null or undefined. The type of the output says so, unless the severity is `warn`. Reason `null:<field>`. */
  notNull<K extends Name<T>>(...names: K[]): Expectations<T, N | K, S>;
  notNull<K extends Name<T>>(names: readonly K[], severity: 'dead-letter' | 'stop'): Expectations<T, N | K, S>;
  notNull(names: readonly Name<T>[], severity: 'warn'): Expectations<T, N, S>;
  /** The number is between both bounds, inclusive. Reason `range:<field>`. */
  range(name: NumberName<T>, min: number, max: number, severity?: Severity): Expectations<T, N, S>;
  /** The value is one of these. Reason `one-of:<field>`. */
  oneOf<K extends Name<T>>(name: K, values: readonly NonNullable<T[K]>[], severity?: Severity): Expectations<T, N, S>;
  /** The text matches a regular expression. Reason `matches:<field>`. */
  matches(name: TextName<T>, pattern: RegExp, severity?: Severity): Expectations<T, N, S>;
  /** Your own rule, also over several fields. Reason `that:<name>`. The predicate must depend on its argument only. */
  that(name: string, predicate: (value: T) => boolean, severity?: Severity): Expectations<T, N, S>;
  /** The record is at most `maxAge` behind stream time. Reason `stale`. */
  fresh(timeOf: (value: T) => number, maxAge: Duration, severity?: Severity): Expectations<T, N, S>;
  /**
   * No earlier valid record within the time has the same value, or the same values of several fields. Only values of records that pass all
   * rules are kept. With more than `keysMax` values the oldest are forgotten early. Reason `unique:<fields>`.
   */
  unique(names: Name<T> | readonly Name<T>[], options: UniqueOptions, severity?: Severity): Expectations<T, N, S>;
  /**
   * The value is a key of a table, which is a further input of `validate` with this name. The table is that of the record's event time.
   * Reason `references:<field>`.
   */
  references<Side extends string>(
    name: Name<T>,
    table: Side,
    options: ReferenceOptions,
    severity?: Severity,
  ): Expectations<T, N, S | Side>;
  /**
   * The number is in the usual range of earlier values: within k standard deviations, between quantiles, or inside fences. All values that
   * pass the earlier rules update the range, so it follows a stream that changes. Reason `usual:<field>`.
   */
  usual(name: PlainNumberName<T>, band: BandRule, severity?: Severity): Expectations<T, N, S>;
  readonly [CHECKED]?: ((value: T) => void) | undefined;
  readonly [NOT_NULL]?: N;
  readonly [SIDES]?: S;
}

/**
 * Begins a list of expectations for `validate`.
 *
 * @example
 * const flightExpectations = expectations<FlightDeparted>()
 *   .notNull('origin', 'destination')
 *   .range('distance', 1, 12_000)
 *   .that('not a loop', (flight) => flight.origin !== flight.destination, 'warn')
 *   .fresh((flight) => flight.departedAt, hours(12))
 *   .unique('flightId', { within: hours(24), keysMax: 1_000_000 })
 *   .references('origin', 'airports', { keysMax: 10_000 })
 *   .usual('taxiMinutes', { zScore: 6 }, 'warn');
 *
 * The default severity is 'dead-letter'. Rules are checked in the order of the calls.
 */
export function expectations<T>(): Expectations<T> {
  return new RuleList<T, never, never>([]);
}

class RuleList<T, N extends keyof T, S extends string> implements Expectations<T, N, S> {
  constructor(readonly rules: readonly Rule[]) {
    Object.freeze(rules);
    Object.freeze(this);
  }

  notNull<K extends Name<T>>(...names: K[]): Expectations<T, N | K, S>;
  notNull<K extends Name<T>>(names: readonly K[], severity: 'dead-letter' | 'stop'): Expectations<T, N | K, S>;
  notNull(names: readonly Name<T>[], severity: 'warn'): Expectations<T, N, S>;
  notNull(...args: readonly unknown[]): Expectations<T, never, S> {
    const [names, severity] = Array.isArray(args[0]) ? (args as [string[], Severity]) : [args as string[], undefined];
    return new RuleList([...this.rules, ...names.map((name) => notNullRule(name, severity))]);
  }

  range(name: NumberName<T>, min: number, max: number, severity?: Severity): Expectations<T, N, S> {
    const problem = { message: `range:${name}: the range is ${min} to ${max}`, hint: 'give the lower limit first' };
    return this.withCheck(
      head(`range:${name}`, severity, `[${min}, ${max}]`),
      {
        holds: (value) => {
          const field = fieldOf(value, name);
          return (
            isMissing(field) ||
            ((typeof field === 'number' || typeof field === 'bigint') && field >= min && field <= max)
          );
        },
        detail: (value) => `${name} is ${show(fieldOf(value, name))}, outside ${min} to ${max}`,
      },
      { problems: min <= max ? [] : [problem] },
    );
  }

  oneOf<K extends Name<T>>(name: K, values: readonly NonNullable<T[K]>[], severity?: Severity): Expectations<T, N, S> {
    const allowed = new Set<unknown>(values);
    const problem = { message: `one-of:${name}: no value is allowed`, hint: 'list the values that it may have' };
    return this.withCheck(
      head(`one-of:${name}`, severity, `{${values.join(', ')}}`),
      {
        holds: (value) => {
          const field = fieldOf(value, name);
          return isMissing(field) || allowed.has(field);
        },
        detail: (value) => `${name} is ${show(fieldOf(value, name))}, none of the ${allowed.size} allowed values`,
      },
      { problems: allowed.size > 0 ? [] : [problem] },
    );
  }

  matches(name: TextName<T>, pattern: RegExp, severity?: Severity): Expectations<T, N, S> {
    // A global or sticky pattern remembers where it stopped: the same text would pass once and fail the next time.
    const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return this.withCheck(head(`matches:${name}`, severity, String(stateless)), {
      holds: (value) => {
        const field = fieldOf(value, name);
        return isMissing(field) || (typeof field === 'string' && stateless.test(field));
      },
      detail: (value) => `${name} is ${show(fieldOf(value, name))}, which does not match ${stateless}`,
    });
  }

  that(name: string, predicate: (value: T) => boolean, severity?: Severity): Expectations<T, N, S> {
    return this.withCheck(
      head(`that:${name}`, severity, ''),
      {
        holds: (value) => predicate(value as T),
        detail: () => `not true of it: ${name}`,
      },
      { problems: functionProblems({ [`the predicate of that:${name}`]: predicate }) },
    );
  }

  fresh(timeOf: (value: T) => number, maxAge: Duration, severity?: Severity): Expectations<T, N, S> {
    const problem = {
      message: `fresh: the age limit is ${maxAge} ms`,
      hint: 'give a positive duration, such as hours(12)',
    };
    return this.withCheck(
      head('stale', severity, ` over ${formatDuration(maxAge)}`),
      {
        holds: (value, nowMs) => nowMs - timeOf(value as T) <= maxAge,
        detail: (value, nowMs) => `${nowMs - timeOf(value as T)} ms old, over ${maxAge} ms`,
      },
      { horizon: maxAge, problems: maxAge > 0 ? [] : [problem] },
    );
  }

  unique(names: Name<T> | readonly Name<T>[], options: UniqueOptions, severity?: Severity): Expectations<T, N, S> {
    return this.with(uniqueRule(typeof names === 'string' ? [names] : names, options, severity));
  }

  references<Side extends string>(
    name: Name<T>,
    table: Side,
    options: ReferenceOptions,
    severity?: Severity,
  ): Expectations<T, N, S | Side> {
    return this.with(referenceRule(name, table, options, severity)) as Expectations<T, N, S | Side>;
  }

  usual(name: PlainNumberName<T>, band: BandRule, severity?: Severity): Expectations<T, N, S> {
    return this.with(usualRule(name, band, severity));
  }

  private with(rule: Rule): Expectations<T, N, S> {
    return new RuleList([...this.rules, rule]);
  }

  private withCheck(named: Named, check: Check, more: Pick<Rule, 'horizon' | 'problems'> = {}): Expectations<T, N, S> {
    return this.with(Object.freeze({ ...named, ...more, open: () => check }));
  }
}

type Named = ReturnType<typeof head>;

function notNullRule(name: string, severity: Severity | undefined): Rule {
  const check: Check = {
    holds: (value) => !isMissing(fieldOf(value, name)),
    detail: (value) => `${name} is ${fieldOf(value, name)}`,
  };
  return Object.freeze({ ...head(`null:${name}`, severity, ''), open: () => check });
}
