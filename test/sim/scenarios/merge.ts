/** One record of an input as the plain loops see it. */
export interface Entry<T> {
  readonly value: T;
  readonly timeMs: number;
  readonly topic: string;
  readonly offset: number;
}

const DAY_MS = 86_400_000;

/**
 * The order in which a task with several inputs must take them: by event time, then input, then offset. An input's time
 * never falls; a record more than a day ahead moves it only when the record right after it is that far ahead as well.
 */
export function merged<T>(inputs: readonly (readonly Entry<T>[])[]): Entry<T>[] {
  const timed = inputs.flatMap((entries, input) => {
    let nowMs = Number.NaN;
    let doubtMs = Number.NaN;
    return entries.map((entry, place) => {
      const { timeMs } = entry;
      if (Number.isNaN(nowMs) || timeMs <= nowMs + DAY_MS) {
        nowMs = Number.isNaN(nowMs) ? timeMs : Math.max(nowMs, timeMs);
        doubtMs = Number.NaN;
      } else if (timeMs >= doubtMs - DAY_MS) {
        nowMs = Math.min(doubtMs, timeMs);
        doubtMs = timeMs > nowMs + DAY_MS ? timeMs : Number.NaN;
      } else doubtMs = timeMs;
      return { entry, atMs: nowMs, input, place };
    });
  });
  timed.sort((a, b) => a.atMs - b.atMs || a.input - b.input || a.place - b.place);
  return timed.map(({ entry }) => entry);
}

/** Values with the places that they were given in the log. */
export const entriesOf = <T extends { readonly timeMs: number }>(
  topic: string,
  values: readonly T[],
  records: readonly { readonly offset: number }[] = [],
): Entry<T>[] =>
  values.map((value, i) => ({
    value,
    timeMs: value.timeMs,
    topic,
    offset: (records[i] as { readonly offset: number }).offset,
  }));
