import { transform } from '../../core/define.js';
import type { Operator } from '../../core/operator.js';
import type { Upsert } from '../../core/record.js';

/** A change of a database row as Debezium tells it (with or without its `payload` envelope). */
export interface DebeziumEvent<T> {
  readonly before?: T | null;
  readonly after?: T | null;
  /** `c` created, `u` updated, `d` deleted, `r` read by a snapshot, `t` table truncated, `m` a message. */
  readonly op: string;
  readonly ts_ms?: number | null;
}

/**
 * Turns Debezium's change events into upserts: one for each created, updated or snapshot row, and one with `null` for a deleted row. The
 * tombstone that Debezium sends after a deletion repeats the deletion, so the source drops and counts it.
 *
 * Dead letters: `truncated-table` (the keys of the deleted rows are not known), `strange-op`, `no-row` (an event without the row that its
 * `op` needs). Messages (`m`) are ignored.
 *
 * @example
 * t.source('customers', kafka.source({ topic: 'shop.public.customers', schema: json<DebeziumEvent<Customer>>() }))
 *   .via('rows', fromDebezium({ key: (row) => String(row.id) }))
 *   .via('customer', table({ keysMax: 1_000_000 }));
 */
export function fromDebezium<T>({ key }: { readonly key: (row: T) => string }): Operator<DebeziumEvent<T>, Upsert<T>> {
  return transform<DebeziumEvent<T>, Upsert<T>>({
    kind: 'fromDebezium',
    open: (context) => (event, emit) => {
      const { op, before, after } = (event as { readonly payload?: DebeziumEvent<T> }).payload ?? event;
      switch (op) {
        case 'c':
        case 'u':
        case 'r':
          if (after === null || after === undefined)
            return context.deadLetter('no-row', `'${op}' without a row after it`);
          // A row whose key was changed is another row: the old one is gone.
          if (before !== null && before !== undefined && key(before) !== key(after))
            emit({ key: key(before), value: null } as never);
          emit({ key: key(after), value: after } as never);
          return;
        case 'd':
          if (before === null || before === undefined)
            return context.deadLetter(
              'no-row',
              "'d' without a row before it: let the table log it (REPLICA IDENTITY FULL)",
            );
          emit({ key: key(before), value: null } as never);
          return;
        case 'm':
          return;
        case 't':
          return context.deadLetter('truncated-table', 'which keys are gone is not known');
        default:
          return context.deadLetter('strange-op', `'${op}' is not an operation of Debezium`);
      }
    },
  });
}
