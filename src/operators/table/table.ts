import { stateful } from '../../core/define.js';
import type { Operator } from '../../core/operator.js';
import type { Change, Upsert } from '../../core/record.js';
import { mapCell, rescale } from '../../state/index.js';
import { keysMaxProblems } from '../keys.js';
import { optionProblems } from '../options.js';

/** What makes a record the row of a table, and how many rows are kept. */
export interface TableOptions {
  /** Maximum number of keys; a record of one more is refused. */
  readonly keysMax: number;
}

/**
 * Keeps the newest value of each key, and emits each change: `before` and `after`.
 *
 *   in   --a=1-----b=2-----a=3-----a=null-----|
 *   out  --a:-,1---b:-,2---a:1,3---a:3,-------|
 *
 * A tombstone of a key without a row emits nothing. So of two tombstones in a row the first one counts, even if the second has an earlier
 * event time: a temporal join between the two times still finds the row. `GET /state/STEP/KEY` returns the value.
 *
 * Dead letters: `table-full`, for a new key beyond `keysMax`. Equal keys must be in one partition.
 * Memory: keys and values as bytes, and some 20 bytes per key.
 *
 * @example
 * const rates = t.source('rates', kafka.tableSource({ topic: 'rates.v1', schema: RateV1 })).via('rate', table({ keysMax: 10_000 }));
 */
export function table<T>(options: TableOptions): Operator<Upsert<T>, Change<T>> {
  const { keysMax } = options;
  return stateful<Upsert<T>, Change<T>, { rows: ReturnType<typeof mapCell<string, T>> }>({
    kind: 'table',
    settings: { keysMax },
    problems: [...optionProblems('table', options), ...keysMaxProblems(keysMax)],
    cells: { rows: rescale.byKey(mapCell<string, T>(), 0) },
    open: ({ rows }, context) => ({
      onRecord(_, { key, value }, emit) {
        const before = rows.get(key) ?? null;
        if (value === null) {
          if (before === null) return;
          rows.delete(key);
        } else {
          if (before === null && rows.size >= keysMax)
            return context.deadLetter('table-full', `${keysMax} keys are there already`);
          rows.set(key, value);
        }
        emit({ key, before, after: value } as never);
      },
      query: (key) => rows.get(key),
    }),
  });
}
