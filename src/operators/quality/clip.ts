import { type Adds, type CellSpecs, type Free, type Operator, type Problem, stateful } from '../../core/index.js';
import { isMeasurable } from '../../ml/number-limits.js';
import { withField } from '../../util/literals.js';
import { optionProblems } from '../options.js';
import { type BandRule, bandOf } from './bands.js';

/** How one field is bounded: by fixed ends, or by where its values usually lie. */
export type ClipRule = { readonly min?: number; readonly max?: number } | BandRule;
/** The fields that `clip` limits: for each, how. */
export type ClipRules<T> = {
  readonly [K in keyof T]?: NonNullable<T[K]> extends number ? ClipRule : never;
};

/** Adds which fields were clipped. */
export interface ClipOptions<As extends string> {
  /** Adds a field of this name: which fields were clipped. */
  readonly mark: As;
}

/**
 * Limits numbers to bounds, which are fixed or follow the distribution of earlier values.
 *
 * @example
 * flights.via('clip', clip({ distance: { min: 0, max: 12_000 }, delay: { zScore: 4 }, speed: { iqr: 3 }, fuel: { hampel: 3 } }));
 *
 * - `min`, `max`: fixed bounds.
 * - `zScore: k`: k standard deviations from the mean so far (Welford's update). A value beyond k and beyond 3 updates the mean as if it
 *   were at that bound.
 * - `iqr: k`, `quantiles: [low, high]`: bounds from the exact quartiles or quantiles of the last 1,001 values.
 * - `hampel: k`: a value more than k scaled median distances from the median of the last 31 values is replaced by that median.
 *
 * A value is compared with earlier values of its task, and then added to them. Nothing is clipped before the task has seen `warmUp` values
 * (30), or while the bounds are equal because the values are (with `hampel` more than half of the window, with `iqr` its middle half).
 * Missing values and NaN pass. What is beyond 1e50 is clipped, but does not change the bounds. A record without a clipped field is passed on
 * unchanged; otherwise a copy is. With `mark` each record lists its clipped fields.
 *
 * Counters: `clipped`, and `clipped:<field>`. Memory: three numbers per field, or its window.
 * Source: Hampel, "The influence curve and its role in robust estimation" (1974); Tukey, "Exploratory data analysis" (1977).
 */
export function clip<T>(rules: ClipRules<NoInfer<T>>): Operator<T, Adds<unknown>>;
export function clip<T, const As extends string>(
  rules: ClipRules<NoInfer<T>>,
  options: ClipOptions<As>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: readonly (keyof T & string)[] }>>;
export function clip<T>(
  rules: ClipRules<NoInfer<T>>,
  options: Partial<ClipOptions<string>> = {},
): Operator<T, Adds<unknown>> {
  const { mark } = options;
  const fields = Object.keys(rules);
  const specs = Object.values<ClipRule>(rules as Record<string, ClipRule>).map(specOf);
  const cells: CellSpecs = Object.fromEntries(specs.flatMap(({ cell }, i) => (cell ? [[fields[i], cell]] : [])));
  return stateful({
    kind: 'clip',
    settings: {
      ...Object.fromEntries(fields.map((field, i) => [field, specs[i]?.text ?? ''])),
      ...(mark === undefined ? {} : { mark }),
    },
    problems: [...optionProblems('clip', options), ...problemsOf(fields, specs)],
    cells,
    open(opened, context) {
      const clipped = context.counter('clipped');
      const clippers = specs.map(({ open }, i) => open(opened[fields[i] as string]));
      const counters = fields.map((field) => context.counter(`clipped:${field}`));
      return {
        onRecord(_input, value: T, emit) {
          let out = value as Record<string, unknown>;
          const marked: string[] = [];
          for (let i = 0; i < fields.length; i++) {
            const field = fields[i] as string;
            const present = out[field];
            if (typeof present !== 'number' || Number.isNaN(present)) continue;
            const bounded = clippers[i]?.(present) as number;
            if (bounded === present) continue;
            clipped.add();
            counters[i]?.add();
            marked.push(field);
            if (out === value) out = withField(value, field, bounded);
            else out[field] = bounded;
          }
          emit((mark === undefined ? out : withField(out, mark, marked)) as never);
        },
      };
    },
  });
}

type Clipper = (value: number) => number;

interface ClipSpec {
  readonly cell: ReturnType<typeof bandOf>['cell'] | undefined;
  readonly text: string;
  readonly problems: readonly Problem[];
  /** Takes its own cell: the pair is made in one place. */
  open(cell: unknown): Clipper;
}

function specOf(rule: ClipRule): ClipSpec {
  if (!isBand(rule)) return fixed(rule.min, rule.max);
  const { cell, text, problems, open } = bandOf(rule);
  const toCenter = 'hampel' in rule;
  return {
    cell,
    text,
    problems,
    open(opened) {
      const band = open(opened);
      return (value) => {
        let bounded = value;
        if (band.know()) {
          if (value < band.low) bounded = toCenter ? band.center : band.low;
          else if (value > band.high) bounded = toCenter ? band.center : band.high;
        }
        if (isMeasurable(value)) band.see(value);
        return bounded;
      };
    },
  };
}

const isBand = (rule: ClipRule): rule is BandRule =>
  'zScore' in rule || 'iqr' in rule || 'quantiles' in rule || 'hampel' in rule;

function fixed(min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): ClipSpec {
  const sane = min <= max && (min > Number.NEGATIVE_INFINITY || max < Number.POSITIVE_INFINITY);
  const problem = {
    message: `min is ${min}, and max is ${max}`,
    hint: 'give `min`, `max` or both, with `min` below `max`',
  };
  return {
    cell: undefined,
    text: `${min} to ${max}`,
    problems: sane ? [] : [problem],
    open: () => (value) => Math.min(Math.max(value, min), max),
  };
}

function problemsOf(fields: readonly string[], specs: readonly ClipSpec[]): Problem[] {
  if (fields.length === 0)
    return [{ message: 'no field to clip', hint: 'name one: clip({ distance: { max: 12_000 } })' }];
  return specs.flatMap(({ problems }, i) =>
    problems.map(({ message, hint }) => ({ message: `${fields[i]}: ${message}`, hint })),
  );
}
