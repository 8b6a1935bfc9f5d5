import {
  type Adds,
  type CellSpecs,
  type Operator,
  type Problem,
  type Settings,
  stateful,
  withField,
} from '../core/index.js';
import { constant, type ImputerSpec, last, mean, median } from './imputers.js';

/** Values that a median looks back on, unless told otherwise. */
const MEDIAN_WINDOW = 1001;

/** The value before any was seen; without one such a record goes to the dead letters. */
interface Fallback<V> {
  readonly fallback?: V;
}

/** How one field is filled in. */
export type ImputeRule<V> =
  | 'last'
  | { readonly constant: V }
  | ({ readonly use: 'last' } & Fallback<V>)
  | (V extends number
      ?
          | 'mean'
          | 'median'
          | ({ readonly use: 'mean' } & Fallback<number>)
          | ({ readonly use: 'median'; readonly window?: number } & Fallback<number>)
      : never);

export type ImputeRules<T> = { readonly [K in keyof T]?: ImputeRule<NonNullable<T[K]>> };

/**
 * Fills in missing values (null, undefined, NaN) from the values of the records before.
 *
 * @example
 * flights.via('impute', impute({ distance: 'median', origin: { constant: 'unknown' }, wind: { use: 'mean', fallback: 0 } }));
 *
 * - `mean`: of all finite values so far (Welford's update).
 * - `median`: of the last 1,001 finite values, exactly; `window` sets another number.
 * - `last`: the last value that was there.
 * - `constant`: always this one.
 *
 * Only values that came are learnt from, never one that was filled in. A record with nothing missing is passed on as it is,
 * otherwise a copy is. A fill depends on the records before it in this task alone, hence is the same in a replay.
 *
 * Counter: `imputed` (values filled in). Dead letters: `nothing-to-impute` for a missing value before the first seen one,
 * unless there is a `fallback`. Memory: `window` numbers a field for medians, one or two for the others.
 */
export function impute<T, const S extends ImputeRules<T>>(
  rules: S & { readonly [K in Exclude<keyof S, keyof T>]: never },
): Operator<T, Adds<{ readonly [K in keyof S & keyof T]: NonNullable<T[K]> }>> {
  const fields = Object.keys(rules);
  const parsed = Object.values<Rule>(rules).map(parse);
  const cells: CellSpecs = Object.fromEntries(
    parsed.flatMap(({ spec: { cell } }, i) => (cell ? [[fields[i], cell]] : [])),
  );
  return stateful({
    kind: 'impute',
    settings: Object.fromEntries(fields.map((field, i) => [field, (parsed[i] as Parsed).text])) satisfies Settings,
    problems: parsed.flatMap(({ problem }) => problem ?? []),
    cells,
    open(opened, context) {
      const imputed = context.counter('imputed');
      const imputers = parsed.map(({ spec }, i) => spec.open(opened[fields[i] as string]));
      return {
        onRecord(_input, value: T, emit) {
          let out = value as Record<string, unknown>;
          for (let i = 0; i < fields.length; i++) {
            const field = fields[i] as string;
            const imputer = imputers[i] as ReturnType<ImputerSpec['open']>;
            const present = out[field];
            if (!isMissing(present)) {
              imputer.see(present);
              continue;
            }
            const guess = imputer.guess();
            if (guess === undefined) {
              context.deadLetter('nothing-to-impute', `${field} is ${present}, and no earlier record had it`);
              return;
            }
            imputed.add();
            if (out === value) out = withField(value, field, guess);
            else out[field] = guess;
          }
          emit(out as never);
        },
      };
    },
  });
}

const isMissing = (value: unknown): boolean => value === null || value === undefined || Number.isNaN(value);

/** A rule as it is at run time, its types already checked where it was written. */
type Rule =
  | 'last'
  | 'mean'
  | 'median'
  | {
      readonly constant?: unknown;
      readonly use?: 'last' | 'mean' | 'median';
      readonly fallback?: unknown;
      readonly window?: number;
    };

interface Parsed {
  readonly spec: ImputerSpec;
  readonly text: string;
  readonly problem?: Problem;
}

function parse(rule: Rule): Parsed {
  if (typeof rule === 'string') return parse({ use: rule });
  const { use, fallback, window = MEDIAN_WINDOW } = rule;
  if (use === undefined) return { spec: constant(rule.constant), text: `constant ${rule.constant}` };
  const otherwise = fallback === undefined ? '' : `, else ${fallback}`;
  if (use === 'last') return { spec: last(fallback), text: `last${otherwise}` };
  if (use === 'mean') return { spec: mean(fallback), text: `mean${otherwise}` };
  const text = `median of the last ${window}${otherwise}`;
  if (Number.isInteger(window) && window >= 1) return { spec: median(fallback, window), text };
  const problem = {
    message: `a median cannot look back on ${window} values`,
    hint: 'give `window` a positive integer',
  };
  return { spec: median(fallback, MEDIAN_WINDOW), text, problem };
}
