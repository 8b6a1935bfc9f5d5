import { type Adds, type CellSpecs, type Operator, type Problem, stateful } from '../../core/index.js';
import { isMeasurable } from '../../ml/number-limits.js';
import { withField } from '../../util/literals.js';
import { type ScaleRule, type ScalerSpec, scalerOf } from './scalers.js';

/** The fields that `standardize` scales: for each, how. */
export type ScaleRules<T> = {
  readonly [K in keyof T]?: NonNullable<T[K]> extends number ? ScaleRule : never;
};

/**
 * Brings numbers to a common scale, in their places.
 *
 * @example
 * flights.via('scale', standardize({ distance: 'standard', fare: 'min-max', delay: 'robust', age: { mean: 40, deviation: 12 } }));
 *
 * - `standard`: standard deviations from the mean of all values so far, by Welford's update.
 * - `min-max`: from 0 to 1 between the least and the greatest value so far.
 * - `robust`: interquartile ranges from the median of the last 1,001 values, exactly; `window` sets another number.
 * - `{ mean, deviation }`, `{ min, max }`: by fixed numbers, such as those of a training set.
 *
 * A value is learnt from, then scaled; it is 0 as long as all values are equal. Missing values, NaN and what is beyond 1e50 stay as
 * they are and are not learnt from. The scale moves with the stream: what must not move (a model trained elsewhere) wants fixed numbers.
 *
 * Counter: `scaled`. Memory: three numbers a field, or its window.
 */
export function standardize<T>(rules: ScaleRules<NoInfer<T>>): Operator<T, Adds<unknown>> {
  const fields = Object.keys(rules);
  const specs = Object.values<ScaleRule>(rules as Record<string, ScaleRule>).map(scalerOf);
  const cells: CellSpecs = Object.fromEntries(specs.flatMap(({ cell }, i) => (cell ? [[fields[i], cell]] : [])));
  return stateful({
    kind: 'standardize',
    settings: Object.fromEntries(fields.map((field, i) => [field, specs[i]?.text ?? ''])),
    problems: problemsOf(fields, specs),
    cells,
    open(opened, context) {
      const scaled = context.counter('scaled');
      const scalers = specs.map(({ open }, i) => open(opened[fields[i] as string]));
      return {
        onRecord(_input, value: T, emit) {
          let out = value as Record<string, unknown>;
          for (let i = 0; i < fields.length; i++) {
            const field = fields[i] as string;
            const present = out[field];
            if (!isMeasurable(present)) continue;
            scaled.add();
            const standing = scalers[i]?.(present);
            if (out === value) out = withField(value, field, standing);
            else out[field] = standing;
          }
          emit(out as never);
        },
      };
    },
  });
}

function problemsOf(fields: readonly string[], specs: readonly ScalerSpec[]): Problem[] {
  if (fields.length === 0)
    return [{ message: 'no field to scale', hint: "name one: standardize({ distance: 'standard' })" }];
  return specs.flatMap(({ problems }, i) =>
    problems.map(({ message, hint }) => ({ message: `${fields[i]}: ${message}`, hint })),
  );
}
