import { type Adds, type CellSpecs, type Operator, type Settings, stateful } from '../../core/index.js';
import { withField } from '../../util/literals.js';
import { type AnyImputeRule, type ImputeRule, type ParsedRule, parseRule } from './imputers/impute-rules.js';
import type { Imputer } from './imputers/imputers.js';

/** The fields that `impute` fills: for each, with what. */
export type ImputeRules<T> = { readonly [K in keyof T]?: ImputeRule<NonNullable<T[K]>, T> };

/**
 * Fills in missing values (null, undefined, NaN) from earlier records.
 *
 * @example
 * flights.via('impute', impute({
 *   origin: { constant: 'unknown' },
 *   carrier: 'mode',
 *   distance: { use: 'median', by: (f) => `${f.origin}-${f.destination}`, groupsMax: 10_000 },
 *   taxiMinutes: { use: 'nearest', of: ['hour', 'distance'], fallback: 15 },
 *   airMinutes: { from: (f) => (f.distance === null ? null : f.distance / 7.5) },
 * }));
 *
 * - `mean`: of all finite values so far (Welford's update).
 * - `median`, `mode`: of the last 1,001 values, exactly; `window` sets another number. The mode is the most frequent value, of equally
 *   frequent ones the latest.
 * - `last`: the newest value.
 * - `by`: the same per group (median and mode of its last 101 values). A new group uses the values of all records.
 * - `nearest`: the mean over the nearest records of a window, by the fields in `of`. The distance is corrected for missing fields.
 * - `model`: the prediction of a learner from the features of the record. The learner learns from records that have the value.
 * - `constant`: always this value. `from`: the result of a function of the record.
 *
 * Statistics and models use received values only, never imputed ones. Groups, neighbours, models and functions see the record as it was
 * received. A record without a missing value is passed on unchanged; otherwise a copy is. An imputed value depends on earlier records of
 * the task only, so a replay gives the same.
 *
 * Counter: `imputed` (values). Dead letters: `nothing-to-impute` if there is no value to use, such as before the first one, and no
 * `fallback`. Memory: `window` values per field, one or two for `last` and `mean`; with `by` the same per group; for `nearest` the fields
 * of its window; for a learner its state.
 * Source: of `nearest`, Troyanskaya et al., "Missing value estimation methods for DNA microarrays" (2001).
 */
export function impute<T, const S extends ImputeRules<T>>(
  rules: S,
  // Nothing to give: a rule for a field that is not there asks for what cannot be. In the type of `rules` it would keep callbacks from theirs.
  ..._noSuchField: [Exclude<keyof S, keyof T>] extends [never] ? [] : [never]
): Operator<T, Adds<{ readonly [K in keyof S & keyof T]: NonNullable<T[K]> }>> {
  const fields = Object.keys(rules);
  const parsed = Object.values<AnyImputeRule>(rules as Record<string, AnyImputeRule>).map(parseRule);
  const cells: CellSpecs = Object.fromEntries(
    parsed.flatMap(({ spec }, i) => Object.entries(spec.cells).map(([name, cell]) => [`${fields[i]}${name}`, cell])),
  );
  return stateful({
    kind: 'impute',
    settings: Object.fromEntries(fields.map((field, i) => [field, (parsed[i] as ParsedRule).text])) satisfies Settings,
    problems: parsed.flatMap(({ problems }, i) =>
      problems.map(({ message, hint }) => ({ message: `${fields[i]}: ${message}`, hint })),
    ),
    cells,
    open(opened, context) {
      const imputed = context.counter('imputed');
      const imputers = parsed.map(({ spec }, i) =>
        spec.open(
          Object.fromEntries(Object.keys(spec.cells).map((name) => [name, opened[`${fields[i]}${name}`] as never])),
          `${context.step}/${fields[i]}`,
        ),
      );
      return {
        onRecord(_input, value: T, emit, origin) {
          let out = value as Record<string, unknown>;
          for (let i = 0; i < fields.length; i++) {
            const field = fields[i] as string;
            const imputer = imputers[i] as Imputer;
            const present = out[field];
            if (!isMissing(present)) {
              imputer.see(present, value, origin);
              continue;
            }
            const guessed = imputer.guess(value);
            const guess = isMissing(guessed) ? parsed[i]?.fallback : guessed;
            if (guess === undefined) {
              context.deadLetter('nothing-to-impute', `${field} is ${present}, and there is nothing to go by`);
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
