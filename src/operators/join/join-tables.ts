import { stateful } from '../../core/define.js';
import type { MultiInputOperator } from '../../core/operator.js';
import type { Change } from '../../core/record.js';
import { type MapCell, mapCell, rescale } from '../../state/index.js';

/** How many keys of two tables are held. */
export interface JoinTablesOptions {
  /** Maximum number of keys of each side; a change of one more is refused. */
  readonly keysMax: number;
}

/**
 * Joins two tables by their keys into a third: a key is in it while it is in both, and every change of either side is a
 * change of it.
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
 * As `innerJoinTables`, and a key is in it while it is in the left table, with `null` where the right one has nothing.
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
 * As `innerJoinTables`, and a key is in it while it is in either table, with `null` for the one that has nothing.
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
  { keysMax }: JoinTablesOptions,
  combine: (left: unknown, right: unknown) => Out | null,
): MultiInputOperator<Change<L>, { right: Change<R> }, Change<Out>> {
  const cells = {
    left: rescale.byKey(mapCell<string, unknown>(), 0),
    right: rescale.byKey(mapCell<string, unknown>(), 1),
  };
  return stateful<Change<L>, { right: Change<R> }, Change<Out>, typeof cells>({
    kind,
    settings: { keysMax },
    problems:
      keysMax >= 1 ? [] : [{ message: `keysMax is ${keysMax}`, hint: 'give it the number of keys, and some more' }],
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
