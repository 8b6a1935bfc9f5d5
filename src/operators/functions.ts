import type { Problem } from '../core/index.js';

const ASYNC = '[object AsyncFunction]';

/**
 * What is wrong with the functions that an operator is given: one that is missing, which a cast or JavaScript can do, and one
 * that is `async`. A step would take the promise for the result: `filter` would let everything pass, a sink would write `{}`.
 */
export const functionProblems = (functions: Readonly<Record<string, unknown>>): Problem[] =>
  Object.entries(functions).flatMap(([name, f]) => {
    if (typeof f !== 'function')
      return [
        {
          message: `${name} is ${f === undefined ? 'missing' : 'no function'}`,
          hint: `give ${name} a function of the value, such as (order) => order.id`,
        },
      ];
    return Object.prototype.toString.call(f) === ASYNC
      ? [
          {
            message: `${name} is an async function`,
            hint: 'steps do not wait: give a plain function; to ask a service or a store use lookup, or an operator made with batched',
          },
        ]
      : [];
  });
