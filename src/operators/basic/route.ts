import { type Adds, type Problem, type Splitter, split } from '../../core/index.js';
import { functionProblems } from '../functions.js';

type Rules<T> = Readonly<Record<string, (value: T) => boolean>>;

/** One stream a rule (narrowed where the rule is a type guard), and one for what none of them took. */
type Routes<T, R> = { readonly [K in keyof R | 'otherwise']: K extends keyof R ? Narrowed<T, R[K]> : Adds<unknown> };
type Narrowed<T, Rule> = Rule extends Guard<T, infer U> ? U : Adds<unknown>;
type Guard<T, U extends T> = (value: T) => value is U;

/**
 * Sends each value to the first output whose predicate holds, or to `otherwise`.
 *
 * @example
 * const { long, otherwise } = flights.split('by-length', route({ long: (flight) => flight.distance > 1_000 }));
 *
 * Every value goes to exactly one output. The predicates are tried in the order of the object, and must depend on their argument only.
 */
export function route<T, R extends Rules<T>>(rules: R & Rules<T>): Splitter<T, Routes<T, R>> {
  const names = Object.keys(rules);
  const predicates = Object.values<(value: T) => boolean>(rules);
  const otherwise = predicates.length;
  return split<T, Routes<T, R>>({
    kind: 'route',
    settings: { outputs: names.join(', ') },
    problems: [...problemsOf(names), ...functionProblems(rules)],
    outputs: [...names, 'otherwise'] as (keyof Routes<T, R> & string)[],
    open: () => (value, emit) => {
      let output = 0;
      while (output < otherwise && !(predicates[output] as (value: T) => boolean)(value)) output++;
      emit(output, value as never);
    },
  });
}

function problemsOf(names: readonly string[]): Problem[] {
  if (names.includes('otherwise'))
    return [
      {
        message: 'a rule is named `otherwise`',
        hint: '`otherwise` is the output of values without a rule: give the rule another name',
      },
    ];
  // JavaScript puts such keys first, whatever the order in which they were written.
  const index = names.find((name) => /^\d+$/.test(name));
  return index === undefined
    ? []
    : [
        {
          message: `the name of rule ${index} is a number`,
          hint: 'use a name that is not a number: JavaScript reorders numbers',
        },
      ];
}
