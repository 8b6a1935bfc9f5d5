import { EXACT_MAX, STANDARD_ERROR } from '../../aggregates/distinct-count.js';
import type { Aggregate } from '../../aggregates/index.js';
import { count, distinctCount, max, mean, quantile } from '../../aggregates/index.js';
import { type Duration, formatDuration, type Problem } from '../../core/index.js';
import { choiceProblems } from '../option-values.js';

/**
 * The effect of a failed expectation of a window. `warn`: only its row. `divert`: its row, and `quarantine` diverts records until a window
 * meets it. `stop`: the task fails.
 */
export type WindowSeverity = 'warn' | 'divert' | 'stop';
const severities: readonly WindowSeverity[] = ['warn', 'divert', 'stop'];

/** An expectation, as `validateWindows` runs it. */
export interface WindowRule {
  /** Its stable name in rows, such as `completeness:station`. */
  readonly name: string;
  readonly severity: WindowSeverity;
  readonly min: number | null;
  readonly max: number | null;
  /** The aggregates of a window that it needs; `records` is always there. */
  readonly aggregates: Readonly<Record<string, Aggregate<never, unknown>>>;
  /** The value that is compared with the bounds; `null` if there is none. */
  observe(results: Readonly<Record<string, unknown>>, endMs: number): number | null;
  /** How far the value may miss the bounds, as a share of it: that of an estimate. */
  readonly margin?: (results: Readonly<Record<string, unknown>>) => number;
  /** Whether a window without a value passes. */
  readonly holdsOfNothing: boolean;
}

type Name<T> = keyof T & string;
type NumberName<T> = { [K in Name<T>]: NonNullable<T[K]> extends number ? K : never }[Name<T>];
type TextName<T> = { [K in Name<T>]: NonNullable<T[K]> extends string | number | boolean ? K : never }[Name<T>];

declare const CHECKED: unique symbol;

/**
 * Rules for the records of a window, as inert data: every method returns a new value with one more rule. The default severity is 'warn'.
 * Fields that are null, undefined or NaN are missing.
 */
export interface WindowExpectations<T> {
  readonly rules: readonly WindowRule[];
  /** The number of records is between both bounds, also in an empty window. `volume`. */
  volume(min: number, max: number, severity?: WindowSeverity): WindowExpectations<T>;
  /** At least this share of the records have the field. `completeness:<field>`. */
  completeness(name: Name<T>, min: number, severity?: WindowSeverity): WindowExpectations<T>;
  /**
   * At least this share of the values of a field are distinct. `uniqueness:<field>`. Exact up to 512 distinct values. Beyond, their
   * number is an estimate with a standard error of 1.6 % (see `distinctCount`), and a share that is less by up to three errors, 4.9 %,
   * passes: fewer duplicates than that are not found.
   */
  uniqueness(name: TextName<T>, min: number, severity?: WindowSeverity): WindowExpectations<T>;
  /** At the end of the window the newest record is at most this old. `freshness`, in milliseconds. */
  freshness(
    timeOf: (value: T) => number | null | undefined,
    maxAge: Duration,
    severity?: WindowSeverity,
  ): WindowExpectations<T>;
  /** The mean of a field is between both bounds. `mean:<field>`. */
  mean(name: NumberName<T>, min: number, max: number, severity?: WindowSeverity): WindowExpectations<T>;
  /** A quantile of a field, known to 1 %, is between both bounds. `p95:<field>` for 0.95. */
  quantile(name: NumberName<T>, at: number, min: number, max: number, severity?: WindowSeverity): WindowExpectations<T>;
  /** The result of an aggregate is between both bounds. `that:<name>`. */
  that(
    name: string,
    aggregate: Aggregate<T, number | null>,
    min: number,
    max: number,
    severity?: WindowSeverity,
  ): WindowExpectations<T>;
  readonly [CHECKED]?: ((value: T) => void) | undefined;
}

/**
 * Begins a list of expectations for `validateWindows`.
 *
 * @example
 * const tripsAsExpected = windowExpectations<Trip>()
 *   .volume(100, 50_000, 'divert')
 *   .completeness('station', 0.95)
 *   .uniqueness('tripId', 1, 'divert')
 *   .freshness((trip) => trip.endedAt, minutes(10))
 *   .quantile('distance', 0.95, 1, 40);
 */
export const windowExpectations = <T>(): WindowExpectations<T> => new WindowRules<T>([]);

type Draft = Omit<WindowRule, 'name' | 'severity' | 'holdsOfNothing'> & { readonly holdsOfNothing?: boolean };

class WindowRules<T> implements WindowExpectations<T> {
  constructor(readonly rules: readonly WindowRule[]) {
    Object.freeze(rules);
    Object.freeze(this);
  }

  volume(min: number, most: number, severity?: WindowSeverity): WindowExpectations<T> {
    return this.with('volume', severity, {
      min,
      max: most,
      aggregates: {},
      observe: ({ records }) => records as number,
    });
  }

  completeness(name: Name<T>, min: number, severity?: WindowSeverity): WindowExpectations<T> {
    return this.with(`completeness:${name}`, severity, {
      min,
      max: null,
      aggregates: { known: count(fieldOf(name)) },
      observe: ({ known, records }) => share(known, records),
    });
  }

  uniqueness(name: TextName<T>, min: number, severity?: WindowSeverity): WindowExpectations<T> {
    const of = fieldOf<string | number | boolean>(name);
    return this.with(`uniqueness:${name}`, severity, {
      min,
      max: null,
      aggregates: { known: count(of), different: distinctCount(of) },
      observe: ({ different, known }) => share(different, known),
      // An estimate may be somewhat below the number up to which none is made.
      margin: ({ different }) => ((different as number) > EXACT_MAX / 1.1 ? 3 * STANDARD_ERROR : 0),
    });
  }

  freshness(
    timeOf: (value: T) => number | null | undefined,
    maxAge: Duration,
    severity?: WindowSeverity,
  ): WindowExpectations<T> {
    return this.with('freshness', severity, {
      min: null,
      max: maxAge,
      aggregates: { newestMs: max(timeOf) },
      observe: ({ newestMs }, endMs) => (newestMs === null ? null : endMs - (newestMs as number)),
      holdsOfNothing: false,
    });
  }

  mean(name: NumberName<T>, min: number, most: number, severity?: WindowSeverity): WindowExpectations<T> {
    return this.measure(`mean:${name}`, mean(fieldOf<number>(name)), min, most, severity);
  }

  quantile(
    name: NumberName<T>,
    at: number,
    min: number,
    most: number,
    severity?: WindowSeverity,
  ): WindowExpectations<T> {
    const percent = Number((100 * at).toPrecision(12));
    return this.measure(`p${percent}:${name}`, quantile(fieldOf<number>(name), at), min, most, severity);
  }

  that(
    name: string,
    aggregate: Aggregate<T, number | null>,
    min: number,
    most: number,
    severity?: WindowSeverity,
  ): WindowExpectations<T> {
    return this.measure(`that:${name}`, aggregate, min, most, severity);
  }

  private measure(
    name: string,
    aggregate: Aggregate<T, number | null>,
    min: number,
    most: number,
    severity: WindowSeverity | undefined,
  ): WindowExpectations<T> {
    const observe: WindowRule['observe'] = ({ measured }) => measured as number | null;
    return this.with(name, severity, { min, max: most, aggregates: { measured: aggregate }, observe });
  }

  private with(name: string, severity: WindowSeverity = 'warn', draft: Draft): WindowExpectations<T> {
    const [min, most] = [bound(draft.min), bound(draft.max)];
    return new WindowRules([...this.rules, { holdsOfNothing: true, ...draft, min, max: most, name, severity }]);
  }
}

/** A missing bound is `null` in a row. */
const bound = (end: number | null): number | null =>
  end === Number.POSITIVE_INFINITY || end === Number.NEGATIVE_INFINITY ? null : end;

/** Whether an observation meets the expectation, up to a margin. */
export function holds({ min, max: most, holdsOfNothing }: WindowRule, observed: number | null, margin = 0): boolean {
  if (observed === null || Number.isNaN(observed)) return holdsOfNothing;
  const slack = margin * Math.abs(observed);
  return (min === null || observed + slack >= min) && (most === null || observed - slack <= most);
}

/** The text of a rule in `describe`. */
export function ruleText({ name, severity, min, max: most }: WindowRule): string {
  const bounds = name === 'freshness' ? `<= ${formatDuration(most as Duration)}` : `[${min ?? ''}, ${most ?? ''}]`;
  return `${name} ${bounds}${severity === 'warn' ? '' : ` or ${severity}`}`;
}

export function ruleProblems(rules: readonly WindowRule[]): Problem[] {
  const problems: Problem[] = [];
  if (rules.length === 0) problems.push({ message: 'no expectation', hint: 'add one, such as .volume(1, 10_000)' });
  for (const { name, severity, min, max: most } of rules) {
    problems.push(...choiceProblems(`${name}: the severity`, severity, severities));
    if (rules.filter((rule) => rule.name === name).length > 1)
      problems.push({
        message: `${name} is declared twice`,
        hint: 'declare it once: the name of an expectation identifies its rows',
      });
    if (Number.isNaN(min) || Number.isNaN(most) || (min !== null && most !== null && min > most))
      problems.push({ message: `${name}: the range is ${min} to ${most}`, hint: 'give the lower end first' });
  }
  return problems;
}

const fieldOf =
  <V>(name: string) =>
  (value: unknown): V | null | undefined =>
    (value as Record<string, V | null | undefined>)[name];

/** A share; `null` of an empty whole. An estimated share is at most 1. */
const share = (part: unknown, whole: unknown): number | null =>
  whole === 0 ? null : Math.min(1, (part as number) / (whole as number));
