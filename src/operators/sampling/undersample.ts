import { type Adds, type Free, type Operator, type Problem, stateful } from '../../core/index.js';
import { layoutVersion } from '../../ml/features/plan.js';
import { float64Cell } from '../../state/index.js';
import { fieldAdder } from '../../util/literals.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import { show } from '../quality/rules/rules.js';
import { uniformBy } from './uniform.js';

/** Which shares the classes are to have, and under which name the weight of a record is added. */
export interface UndersampleOptions<T, As extends string, C extends string> {
  /** The class of a record: a text, a number or whether something holds. */
  readonly class: (value: T) => string | number | boolean | null | undefined;
  /** The relative shares of the classes in the output: `{ true: 1, false: 3 }`. */
  readonly shares: { readonly [P in C]: number };
  /** The sampled key: identity of a record. */
  readonly key: (value: T) => Key | null | undefined;
  /** Name of the field for the weight. */
  readonly as: As;
  /** Another seed draws others; 'undersample' by default, so that it does not depend on what `sample` drew before. */
  readonly seed?: string;
}

/**
 * Drops records of common classes until the classes have the wanted shares, and adds the weight that corrects for it.
 *
 * A record of class c is kept with the probability p = (share of c / records of c) / (the largest such quotient of all classes), by the
 * counts so far, including the record. So the class that is rarest, relative to its share, is kept completely. The weight of a kept
 * record is 1 / p: weighted sums of the output are unbiased estimates of sums of the input. All records are kept before a second class
 * has occurred.
 *
 * The choice is a hash of key and seed, so a replay keeps the same records. Give the weight to a learner, so that its probabilities are
 * those of the whole stream.
 *
 * Counter: `unsampled`. Dead letters: `empty-key`, `unknown-class` for a class that is not in `shares`. Memory: one number per class. Other
 * classes, or another order of them, need a new step id. Source: rejection sampling as in River's `RandomUnderSampler`.
 *
 * @example
 * labelled.via('undersample', undersample({ class: (f) => f.late, shares: { true: 1, false: 1 }, key: (f) => f.flightId, as: 'weight' }));
 */
export function undersample<T, const As extends string, const C extends string>(
  options: UndersampleOptions<T, As, C>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: number }>> {
  requireOptions('undersample', options);
  const { shares, key, as, seed = 'undersample' } = options;
  const classes = Object.keys(shares);
  const wanted = Object.values<number>(shares);
  const uniform = uniformBy(seed);
  const operator = stateful<T, Adds<{ readonly [K in As]: number }>, { counts: ReturnType<typeof float64Cell> }>({
    kind: 'undersample',
    settings: { shares: classes.map((name, i) => `${name}: ${wanted[i]}`).join(', '), as, seed },
    problems: [...optionProblems('undersample', options), ...problemsOf(wanted)],
    cells: {
      counts: float64Cell({ size: Math.max(1, classes.length), block: 16, version: layoutVersion(classes) }),
    },
    open({ counts }, context) {
      const unsampled = context.counter('unsampled');
      const withWeight = fieldAdder(as);
      const { values } = counts;

      const probabilityOf = (at: number): number => {
        let greatest = 0;
        for (let i = 0; i < wanted.length; i++) {
          const records = values[i] as number;
          if (records > 0) greatest = Math.max(greatest, (wanted[i] as number) / records);
        }
        return (wanted[at] as number) / (values[at] as number) / greatest;
      };

      return {
        onRecord(_input, value, emit) {
          const id = key(value);
          if (isEmptyKey(id)) return context.deadLetter('empty-key', emptyKeyText(id));
          const of = options.class(value);
          const at = classes.indexOf(String(of));
          if (at < 0)
            return context.deadLetter('unknown-class', `its class is ${show(of)}, none of ${classes.join(', ')}`);
          values[at] = (values[at] as number) + 1;
          counts.touch(at);
          const probability = probabilityOf(at);
          if (uniform(id as Key) < probability) emit(withWeight(value, 1 / probability));
          else unsampled.add();
        },
      };
    },
  });
  return operator as Operator<T & Free<As>, Adds<{ readonly [K in As]: number }>>;
}

function problemsOf(wanted: readonly number[]): Problem[] {
  if (wanted.length < 2)
    return [{ message: `the number of classes in shares is ${wanted.length}`, hint: 'name at least two' }];
  if (wanted.some((share) => !(share > 0 && Number.isFinite(share))))
    return [{ message: `shares are ${wanted.join(', ')}`, hint: 'give each class a positive number' }];
  return [];
}
