import { type Duration, formatDuration } from '../core/index.js';

/** What happens to a record that breaks a rule: it is only counted, it goes to the dead letters, or the task stops. */
export type Severity = 'warn' | 'dead-letter' | 'stop';

/** A rule as `validate` runs it. `nowMs` is the stream's time, for rules about age. */
export interface Rule {
  /** Stable: the dead letter's reason, such as `range:distance`. */
  readonly reason: string;
  readonly severity: Severity;
  /** How it reads in `describe`. */
  readonly text: string;
  /** Set where the rule is about age. */
  readonly maxAge?: Duration;
  readonly holds: (value: unknown, nowMs: number) => boolean;
  /** Why a value that breaks it does; only made for those. */
  readonly detail: (value: unknown, nowMs: number) => string;
}

type Name<T> = keyof T & string;
type NumberName<T> = { [K in Name<T>]: NonNullable<T[K]> extends number | bigint ? K : never }[Name<T>];
type TextName<T> = { [K in Name<T>]: NonNullable<T[K]> extends string ? K : never }[Name<T>];

declare const CHECKED: unique symbol;
declare const NOT_NULL: unique symbol;

/**
 * Rules about a record, as inert data: every method returns a new value with one rule more. Missing values (null or
 * undefined) pass all rules but `notNull`; NaN passes no `range`.
 */
export interface Expectations<T, N extends keyof T = never> {
  readonly rules: readonly Rule[];
  /** These fields are there. The stream's type knows it from then on, unless it is only a warning. Reason `null:<field>`. */
  notNull<K extends Name<T>>(...names: K[]): Expectations<T, N | K>;
  notNull<K extends Name<T>>(names: readonly K[], severity: 'dead-letter' | 'stop'): Expectations<T, N | K>;
  notNull(names: readonly Name<T>[], severity: 'warn'): Expectations<T, N>;
  /** The number lies within both ends. Reason `range:<field>`. */
  range(name: NumberName<T>, min: number, max: number, severity?: Severity): Expectations<T, N>;
  /** The value is one of these. Reason `one-of:<field>`. */
  oneOf<K extends Name<T>>(name: K, values: readonly NonNullable<T[K]>[], severity?: Severity): Expectations<T, N>;
  /** The text matches. Reason `matches:<field>`. */
  matches(name: TextName<T>, pattern: RegExp, severity?: Severity): Expectations<T, N>;
  /** Anything else, over several fields too. Reason `that:<name>`. The predicate must depend on its argument alone. */
  that(name: string, predicate: (value: T) => boolean, severity?: Severity): Expectations<T, N>;
  /** The record is no older than `maxAge`, measured against the stream's own time. Reason `stale`. */
  fresh(timeOf: (value: T) => number, maxAge: Duration, severity?: Severity): Expectations<T, N>;
  readonly [CHECKED]?: ((value: T) => void) | undefined;
  readonly [NOT_NULL]?: N;
}

/**
 * Begins a list of expectations for `validate`.
 *
 * @example
 * const flightExpectations = expectations<FlightDeparted>()
 *   .notNull('origin', 'destination')
 *   .range('distance', 1, 12_000)
 *   .that('not a loop', (flight) => flight.origin !== flight.destination, 'warn')
 *   .fresh((flight) => flight.departedAt, hours(12));
 *
 * A severity is 'dead-letter' where none is given. Rules are checked in the order in which they stand.
 */
export function expectations<T>(): Expectations<T> {
  return new RuleList<T, never>([]);
}

class RuleList<T, N extends keyof T> implements Expectations<T, N> {
  constructor(readonly rules: readonly Rule[]) {
    Object.freeze(rules);
    Object.freeze(this);
  }

  notNull<K extends Name<T>>(...names: K[]): Expectations<T, N | K>;
  notNull<K extends Name<T>>(names: readonly K[], severity: 'dead-letter' | 'stop'): Expectations<T, N | K>;
  notNull(names: readonly Name<T>[], severity: 'warn'): Expectations<T, N>;
  notNull(...args: readonly unknown[]): Expectations<T, never> {
    const [names, severity] = Array.isArray(args[0]) ? (args as [string[], Severity]) : [args as string[], undefined];
    return new RuleList([...this.rules, ...names.map((name) => notNullRule(name, severity))]);
  }

  range(name: NumberName<T>, min: number, max: number, severity?: Severity): Expectations<T, N> {
    return this.with({
      ...head(`range:${name}`, severity, `[${min}, ${max}]`),
      holds: (value) => {
        const field = fieldOf(value, name);
        return (
          isMissing(field) || ((typeof field === 'number' || typeof field === 'bigint') && field >= min && field <= max)
        );
      },
      detail: (value) => `${name} is ${show(fieldOf(value, name))}, outside ${min} to ${max}`,
    });
  }

  oneOf<K extends Name<T>>(name: K, values: readonly NonNullable<T[K]>[], severity?: Severity): Expectations<T, N> {
    const allowed = new Set<unknown>(values);
    return this.with({
      ...head(`one-of:${name}`, severity, `{${values.join(', ')}}`),
      holds: (value) => {
        const field = fieldOf(value, name);
        return isMissing(field) || allowed.has(field);
      },
      detail: (value) => `${name} is ${show(fieldOf(value, name))}, none of the ${allowed.size} allowed values`,
    });
  }

  matches(name: TextName<T>, pattern: RegExp, severity?: Severity): Expectations<T, N> {
    // A global or sticky pattern remembers where it stopped: the same text would pass once and fail the next time.
    const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return this.with({
      ...head(`matches:${name}`, severity, String(stateless)),
      holds: (value) => {
        const field = fieldOf(value, name);
        return isMissing(field) || (typeof field === 'string' && stateless.test(field));
      },
      detail: (value) => `${name} is ${show(fieldOf(value, name))}, which does not match ${stateless}`,
    });
  }

  that(name: string, predicate: (value: T) => boolean, severity?: Severity): Expectations<T, N> {
    return this.with({
      ...head(`that:${name}`, severity, ''),
      holds: (value) => predicate(value as T),
      detail: () => `not true of it: ${name}`,
    });
  }

  fresh(timeOf: (value: T) => number, maxAge: Duration, severity?: Severity): Expectations<T, N> {
    return this.with({
      ...head('stale', severity, ` over ${formatDuration(maxAge)}`),
      maxAge,
      holds: (value, nowMs) => nowMs - timeOf(value as T) <= maxAge,
      detail: (value, nowMs) => `${nowMs - timeOf(value as T)} ms old, over ${maxAge} ms`,
    });
  }

  private with(rule: Rule): Expectations<T, N> {
    return new RuleList([...this.rules, Object.freeze(rule)]);
  }
}

function notNullRule(name: string, severity: Severity | undefined): Rule {
  return Object.freeze({
    ...head(`null:${name}`, severity, ''),
    holds: (value: unknown) => !isMissing(fieldOf(value, name)),
    detail: (value: unknown) => `${name} is ${fieldOf(value, name)}`,
  });
}

function head(reason: string, severity: Severity = 'dead-letter', limits: string) {
  return { reason, severity, text: `${reason}${limits}${severity === 'dead-letter' ? '' : ` (${severity})`}` };
}

const fieldOf = (value: unknown, name: string): unknown => (value as Record<string, unknown>)[name];
const isMissing = (field: unknown): boolean => field === null || field === undefined;

/** A value in a message: short, whatever it is. */
function show(field: unknown): string {
  const text =
    typeof field === 'string' ? JSON.stringify(field) : typeof field === 'object' ? 'an object' : String(field);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
