// A custom operator: what it keeps lies in cells, time comes from the record.
import { type Adds, mapCell, type Operator, rescale, stateful, withField } from 'millrace/operator';

/** What the operator adds to a record. */
type Pause = Adds<{ readonly pauseSeconds: number | null }>;

export interface SinceLastOptions<T> {
  /** Whose records follow each other. */
  readonly key: (value: T) => string;
  /** Keys held at most; the one seen longest ago makes room. */
  readonly keysMax: number;
}

/**
 * Adds how many seconds of event time have passed since the record before of the same key; `null` for the first.
 *
 * Guarantee: the times are in the checkpoint, so a replay gives the same numbers. Memory: one entry a key.
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
