import { type Cell, type CellSpec, MillraceError } from '../core/index.js';
import type { ValueCell } from './value-cell.js';

/**
 * For a cell whose keys are keys of records, which decide the partition: entries move with their keys. `input` is the input that
 * the entries come from, if that may be a global table.
 *
 * @example
 * const cells = { totals: byKey(mapCell<string, number>()) };
 */
const byKey = <S extends CellSpec>(spec: S, input?: number): S => ({
  ...spec,
  rescale: { kind: 'by-key', input },
});

/**
 * Every task gets one value that is merged from those of all tasks.
 *
 * @example
 * const cells = { clock: merged(valueCell({ initial: 0 }), highest) };
 */
const merged = <T>(spec: CellSpec<ValueCell<T>>, merge: (values: readonly T[]) => T): CellSpec<ValueCell<T>> => ({
  ...spec,
  rescale: { kind: 'merged', merge: (values) => merge(values as readonly T[]) },
});

/** The value follows from the other cells of the step. */
const derived = <T, C extends Readonly<Record<string, Cell>>>(
  spec: CellSpec<ValueCell<T>>,
  derive: (cells: C) => T,
): CellSpec<ValueCell<T>> => ({ ...spec, rescale: { kind: 'derived', derive: (cells) => derive(cells as C) } });

/** The cell can be rescaled only while it is empty. */
const whileEmpty = <S extends CellSpec>(spec: S): S => ({ ...spec, rescale: { kind: 'empty' } });

const highest = (values: readonly number[]): number => Math.max(...values);
const lowest = (values: readonly number[]): number => Math.min(...values);

/** @throws MillraceError `state` if tasks have different values. */
function sameInAll<T>(values: readonly T[]): T {
  const [first] = values;
  if (values.every((value) => value === first)) return first as T;
  throw new MillraceError('state', `tasks differ: ${values.join(', ')}`, {
    hint: 'it can go into another number of tasks only if all tasks have the same value',
  });
}

/**
 * How a cell is divided when its topology gets another number of tasks (`millrace savepoint restore --rescale`). A cell without it
 * cannot be rescaled.
 *
 * @example
 * const cells = {
 *   totals: rescale.byKey(mapCell<string, number>()),
 *   clock: rescale.merged(valueCell({ initial: 0 }), rescale.highest),
 * };
 */
export const rescale = { byKey, merged, derived, whileEmpty, highest, lowest, sameInAll } as const;
