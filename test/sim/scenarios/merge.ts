/** One record of an input as the plain loops see it. */
export interface Entry<T> {
  readonly value: T;
  /** NaN of one that cannot be read: it stands where the one before it does. */
  readonly timeMs: number;
  readonly topic: string;
  readonly offset: number;
}

const DAY_MS = 86_400_000;

/** Records that must agree before the time of an input is settled, and that must lie far ahead in a row to move it then. */
const SETTLED = 3;
const WITNESSES = 10;

/** A record in the merged order. */
export interface Merged<T> extends Entry<T> {
  /** The time of its input where that is settled: only this raises the watermark. */
  readonly settledMs: number;
}

interface Timed<T> {
  readonly entry: Entry<T>;
  /** The time that it is merged by, and how many records agree with it. */
  readonly atMs: number;
  readonly agreed: number;
}

/**
 * The order in which a task with several inputs must take them: by the time of the input, then input, then offset. Only a
 * record of a time that is not settled goes first where it lies a day ahead of one that two records agree with.
 */
export function merged<T>(inputs: readonly (readonly Entry<T>[])[]): Merged<T>[] {
  const timed = inputs.map(timedBy);
  const next = inputs.map(() => 0);
  const order: Merged<T>[] = [];
  for (;;) {
    const heads = timed.flatMap((all, input) => {
      const head = all[next[input] as number];
      return head ? [{ ...head, input }] : [];
    });
    const [first] = [...heads].sort((a, b) => a.atMs - b.atMs || a.input - b.input);
    if (!first) return order;
    const isFar = ({ agreed, atMs }: Timed<T>) => agreed < SETTLED && atMs > first.atMs + DAY_MS;
    const taken = (first.agreed >= 2 && heads.find(isFar)) || first;
    order.push({ ...taken.entry, settledMs: taken.agreed < SETTLED ? Number.NEGATIVE_INFINITY : taken.atMs });
    next[taken.input] = (next[taken.input] as number) + 1;
  }
}

/** The clock of docs/adr/0018, told a second time and by itself. */
function timedBy<T>(entries: readonly Entry<T>[]): Timed<T>[] {
  let nowMs = Number.NaN;
  let agreed = 0;
  let ahead: number[] = [];
  let behindMs = Number.NaN;
  return entries.map((entry) => {
    const { timeMs } = entry;
    if (Number.isNaN(timeMs)) return { entry, atMs: nowMs, agreed };
    const isNear = Math.abs(timeMs - nowMs) <= DAY_MS;
    if (agreed === 0 || isNear) {
      nowMs = agreed === 0 ? timeMs : Math.max(nowMs, timeMs);
      agreed = Math.min(SETTLED, agreed + 1);
      ahead = [];
      behindMs = Number.NaN;
    } else if (timeMs > nowMs) {
      behindMs = Number.NaN;
      ahead.push(timeMs);
      if (ahead.length >= (agreed < SETTLED ? agreed + 1 : WITNESSES)) {
        agreed = Math.min(SETTLED, ahead.length);
        nowMs = Math.min(...ahead);
        // Those near it are no doubt any more: it is the highest time that is reached without a jump.
        for (const each of ahead.sort((a, b) => a - b)) if (each <= nowMs + DAY_MS) nowMs = each;
        ahead = ahead.filter((each) => each > nowMs);
      }
    } else if (agreed < SETTLED) {
      ahead = [];
      const agrees = Math.abs(timeMs - behindMs) <= DAY_MS;
      if (agrees) {
        nowMs = Math.max(timeMs, behindMs);
        agreed = 2;
      }
      behindMs = agrees ? Number.NaN : timeMs;
    }
    const counts = agreed >= SETTLED || Math.abs(timeMs - nowMs) <= DAY_MS;
    return { entry, atMs: counts ? nowMs : timeMs, agreed };
  });
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
