// A custom operator: its state is in cells, and its time comes from the records.
import { type Adds, mapCell, type Operator, rescale, stateful, withField } from 'millrace/operator';

/** The fields that the operator adds. */
type Pause = Adds<{ readonly pauseSeconds: number | null }>;

export interface SinceLastOptions<T> {
  /** The key of a record. */
  readonly key: (value: T) => string;
  /** Maximum number of keys; the least recently seen one is dropped first. */
  readonly keysMax: number;
}

/**
 * Adds the seconds of event time since the previous record of the same key; `null` for the first one.
 *
 * Guarantee: the times are in the checkpoint, so a replay gives the same numbers. Memory: one entry per key.
 *
 * @example
 * trades.via('pause', sinceLast({ key: (trade) => trade.symbol, keysMax: 10_000 }));
 */
export function sinceLast<T>({ key, keysMax }: SinceLastOptions<T>): Operator<T, Pause> {
  const cells = { seen: rescale.byKey(mapCell<string, number>({ entriesMax: keysMax })) };
  return stateful<T, Pause, typeof cells>({
    kind: 'since-last',
    settings: { keysMax },
    problems: keysMax >= 1 ? [] : [{ message: `keysMax is ${keysMax}`, hint: 'give a whole number from 1' }],
    cells,
    open: ({ seen }) => ({
      onRecord(_input, value, emit, { eventTimeMs }) {
        const name = key(value);
        const before = seen.get(name);
        seen.set(name, eventTimeMs);
        emit(withField(value, 'pauseSeconds', before === undefined ? null : (eventTimeMs - before) / 1_000));
      },
      query: (name) => seen.get(name),
    }),
  });
}
