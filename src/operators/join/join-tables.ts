import { stateful } from '../../core/define.js';
import type { MultiInputOperator } from '../../core/operator.js';
import type { Change } from '../../core/record.js';
import { type MapCell, mapCell, rescale } from '../../state/index.js';
import { keysMaxProblems } from '../keys.js';
import { optionProblems } from '../options.js';

/** The bounds of a join of two tables. */
export interface JoinTablesOptions {
  /** Maximum number of keys of each side; a change of one more is refused. */
  readonly keysMax: number;
}

/**
 * Joins two tables by key into a third one. It has the keys that are in both tables. A change of either table is emitted as a change of
 * the result.
 *
 * Dead letters: `table-full`, for a new key beyond `keysMax`. Memory: the values of both sides as bytes.
 *
 * @example
 * customers.via('with-credit', { right: credits }, innerJoinTables({ keysMax: 100_000, combine: (c, credit) => ({ ...c, credit }) }));
 */
export const innerJoinTables = <L, R, Out>(
  options: JoinTablesOptions & { readonly combine: (left: L, right: R) => Out },
): MultiInputOperator<Change<L>, { right: Change<R> }, Change<Out>> =>
  joinTables('innerJoinTables', options, (left, right) =>
    left === null || right === null ? null : options.combine(left as L, right as R),
  );

/**
 * Like `innerJoinTables`, but the result has all keys of the left table, with `null` if the right table lacks the key.
 *
 * @example
 * customers.via('with-credit', { right: credits }, leftJoinTables({ keysMax: 100_000, combine: (c, credit) => ({ ...c, credit }) }));
 */
export const leftJoinTables = <L, R, Out>(
  options: JoinTablesOptions & { readonly combine: (left: L, right: R | null) => Out },
): MultiInputOperator<Change<L>, { right: Change<R> }, Change<Out>> =>
  joinTables('leftJoinTables', options, (left, right) =>
    left === null ? null : options.combine(left as L, right as R | null),
  );

/**
 * Like `innerJoinTables`, but the result has the keys of either table, with `null` for the table that lacks the key.
 *
 * @example
 * before.via('both', { right: after }, outerJoinTables({ keysMax: 100_000, combine: (a, b) => ({ a, b }) }));
 */
export const outerJoinTables = <L, R, Out>(
  options: JoinTablesOptions & { readonly combine: (left: L | null, right: R | null) => Out },
): MultiInputOperator<Change<L>, { right: Change<R> }, Change<Out>> =>
  joinTables('outerJoinTables', options, (left, right) =>
    left === null && right === null ? null : options.combine(left as L | null, right as R | null),
  );

function joinTables<L, R, Out>(
  kind: string,
  options: JoinTablesOptions & { readonly combine: unknown },
  combine: (left: unknown, right: unknown) => Out | null,
): MultiInputOperator<Change<L>, { right: Change<R> }, Change<Out>> {
  const { keysMax } = options;
  const cells = {
    left: rescale.byKey(mapCell<string, unknown>(), 0),
    right: rescale.byKey(mapCell<string, unknown>(), 1),
  };
  return stateful<Change<L>, { right: Change<R> }, Change<Out>, typeof cells>({
    kind,
    settings: { keysMax },
    problems: [...optionProblems(kind, options), ...keysMaxProblems(keysMax)],
    inputs: ['right'],
    cells,
    open: ({ left, right }, context) => {
      const both = (key: string) => combine(left.get(key) ?? null, right.get(key) ?? null);
      return {
        onRecord(input, { key, after }, emit) {
          const side: MapCell<string, unknown> = input === 0 ? left : right;
          if (after !== null && side.size >= keysMax && !side.has(key))
            return context.deadLetter('table-full', `${keysMax} keys are there already`);
          const before = both(key);
          if (after === null) side.delete(key);
          else side.set(key, after);
          const now = both(key);
          if (before !== null || now !== null) emit({ key, before, after: now } as never);
        },
        query: both,
      };
    },
  });
}
