import { stateful } from '../../core/define.js';
import { type Duration, formatDuration } from '../../core/duration.js';
import { fullText, roomFor } from '../../core/event-clock.js';
import type { MultiInputOperator, Problem } from '../../core/operator.js';
import type { Change } from '../../core/record.js';
import { ALL_TIMERS, mapCell, rescale, timerCell, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, keysMaxProblems } from '../keys.js';
import { optionProblems } from '../options.js';

/** The key, the lateness and the bounds of a join of a stream with a table. */
export interface JoinTableOptions<T> {
  /** The key of the table row for a record. */
  readonly key: (value: T) => string | null | undefined;
  /** How far behind the watermark a record may come and still count, and a change for records of its own time; not at
   * all by default. */
  readonly allowedLateness?: Duration;
  /** Maximum number of keys of the table; a change of one more is refused. */
  readonly keysMax: number;
  /** Maximum number of records that wait for earlier changes. */
  readonly pendingMax: number;
}

/**
 * Joins a stream with a table, as of the event time of each record (a temporal join): a record is joined with the version of its row that
 * was valid at that time, whichever arrived first. A record without a row is dropped.
 *
 *   table   --r=1-------------r=2---------|
 *   stream  --------a----------------b----|     a late record of the time of `a` would meet r=1 too
 *   out     --------a1---------------b2---|
 *
 * A record waits until the watermark shows that no earlier change can come. If inputs are in order (no `outOfOrdernessMax`), it does not
 * wait. A change and a record with the same event time are processed in their merged order. A record that is later than
 * `allowedLateness` is a dead letter. A change that is later is applied to the records after it, and counted, because records of its
 * time may have been joined with the earlier row.
 *
 * Counters: `unmatched` (no row: dropped), `joined`, `late_changes`. Dead letters: `late`, `empty-key`, `table-full`, `join-full` (more
 * than `pendingMax` wait, or half as many for one that is far ahead of the watermark: its time may be absurd).
 * Equal keys must be in one partition.
 * Memory: the table (with deleted rows, as far as `keysMax` allows), older versions that records may still need, and `pendingMax`
 * records. A change stays until the watermark comes to its time, so each with an absurd one is a version for good: no bound holds those,
 * and a key is taken in wherever its first change lies, as after a pause of days.
 *
 * @example
 * orders.via('in-euro', { table: rates }, joinTable({
 *   key: (o) => o.currency,
 *   combine: (order, rate) => ({ ...order, euro: order.amount * rate.euro }),
 *   keysMax: 200,
 *   pendingMax: 100_000,
 * }));
 */
export const joinTable = <T, R, Out>(
  options: JoinTableOptions<T> & { readonly combine: (value: T, row: R) => Out },
): MultiInputOperator<T, { table: Change<R> }, Out> =>
  asOf<T, R, Out>('joinTable', options, (value, row) =>
    row === null ? undefined : { out: options.combine(value, row) },
  );

/**
 * Like `joinTable`, but a record without a row is emitted too, with `null` for the row.
 *
 * @example
 * orders.via('customer', { table: customers }, leftJoinTable({
 *   key: (o) => o.customer,
 *   combine: (order, customer) => ({ ...order, since: customer?.since ?? null }),
 *   keysMax: 1_000_000,
 *   pendingMax: 100_000,
 * }));
 */
export const leftJoinTable = <T, R, Out>(
  options: JoinTableOptions<T> & { readonly combine: (value: T, row: R | null) => Out },
): MultiInputOperator<T, { table: Change<R> }, Out> =>
  asOf<T, R, Out>('leftJoinTable', options, (value, row) => ({ out: options.combine(value, row) }));

/** A row as it was from a time on; `null` where it was gone. `at` is its place in the merged order. */
type Version = readonly [timeMs: number, at: number, row: unknown];
type Pending = readonly [value: unknown, key: string];

const isBefore = ([timeMs, at]: Version, thenMs: number, order: number): boolean =>
  timeMs < thenMs || (timeMs === thenMs && at < order);

/** Since when a row is gone of which no other version is known. */
const goneSince = ([version, another]: readonly Version[]): number | undefined =>
  version !== undefined && another === undefined && version[2] === null ? version[0] : undefined;

function asOf<T, R, Out>(
  kind: string,
  options: JoinTableOptions<T> & { readonly combine: unknown },
  combine: (value: T, row: R | null) => { readonly out: Out } | undefined,
): MultiInputOperator<T, { table: Change<R> }, Out> {
  const { key, allowedLateness = 0 as Duration, keysMax, pendingMax } = options;
  const problems = [...optionProblems(kind, options), ...problemsOf(allowedLateness, keysMax, pendingMax)];
  const bounded = problems.length === 0;
  const cells = {
    versions: rescale.byKey(mapCell<string, readonly Version[]>(), 1),
    /** Rows with versions that nobody can ask for any more, by when that is. */
    outdated: rescale.byKey(timerCell<string>({ timersMax: ALL_TIMERS }), 1),
    /** Rows of which nothing is known but that they are gone, by when they went: the first ones make room for others. */
    gone: rescale.byKey(timerCell<string>({ timersMax: ALL_TIMERS }), 1),
    pending: rescale.whileEmpty(mapCell<number, Pending>()),
    due: rescale.whileEmpty(timerCell<number>({ timersMax: bounded ? pendingMax : 1 })),
    next: rescale.merged(valueCell({ initial: 0 }), rescale.highest),
  };
  return stateful<T, { table: Change<R> }, Out, typeof cells>({
    kind,
    settings: { allowedLateness: formatDuration(allowedLateness), keysMax, pendingMax },
    problems,
    keys: [key, undefined],
    inputs: ['table'],
    cells,
    open({ versions, outdated, gone, pending, due, next }, context) {
      // A run warns where many records are lost; a left join emits those without a row.
      const joined = kind === 'joinTable' ? context.counter('joined') : undefined;
      const unmatched = context.counter('unmatched');
      const lateChanges = context.counter('late_changes');
      const rowAt = (of: string, timeMs: number, at: number): R | null => {
        const known = versions.get(of)?.findLast((version) => isBefore(version, timeMs, at));
        return (known?.[2] as R | undefined) ?? null;
      };
      const meet = (value: T, of: string, timeMs: number, at: number, emit: (out: Out) => void) => {
        const row = rowAt(of, timeMs, at);
        if (row === null) unmatched.add();
        else joined?.add();
        const met = combine(value, row);
        if (met) emit(met.out);
      };
      /**
       * Leaves the version that holds at `nowMs`, and those after it. That a row is gone is remembered as well: a change from
       * before that, told late, would bring it back.
       */
      const forget = (of: string, nowMs: number) => {
        const known = versions.get(of) ?? [];
        const kept = known.slice(
          Math.max(
            0,
            known.findLastIndex(([timeMs]) => timeMs < nowMs),
          ),
        );
        if (kept.length < known.length) versions.set(of, kept);
        const goneMs = goneSince(kept);
        if (goneMs !== undefined && goneMs < nowMs) gone.add(goneMs, of);
      };
      const makeRoom = () => {
        while (versions.size >= keysMax && gone.size > 0) gone.takeDue(gone.nextMs, (of) => versions.delete(of));
        return versions.size < keysMax;
      };

      return {
        onRecord(input, value, emit, { eventTimeMs }) {
          const horizonMs = context.watermarkMs - allowedLateness;
          const isLate = eventTimeMs < horizonMs;
          if (isLate && input === 0)
            return context.deadLetter('late', `${context.watermarkMs - eventTimeMs} ms behind the watermark`);
          const at = next.get();
          next.set(at + 1);
          if (input === 1) {
            const change = value as Change<R>;
            const known = versions.get(change.key);
            if (!known && !makeRoom()) return context.deadLetter('table-full', `${keysMax} keys are there already`);
            const goneMs = goneSince(known ?? []);
            if (goneMs !== undefined) gone.delete(goneMs, change.key);
            const version: Version = [eventTimeMs, at, change.after];
            const place = (known ?? []).findLastIndex(([timeMs]) => timeMs <= eventTimeMs) + 1;
            versions.set(change.key, (known ?? []).toSpliced(place, 0, version));
            if (!isLate) return outdated.add(eventTimeMs + allowedLateness + 1, change.key);
            lateChanges.add();
            return forget(change.key, horizonMs);
          }
          const of = key(value as T);
          if (isEmptyKey(of)) return context.deadLetter('empty-key', emptyKeyText(of));
          if (eventTimeMs <= context.watermarkMs)
            return meet(value as T, of, eventTimeMs, at, emit as (out: Out) => void);
          const room = roomFor(eventTimeMs, context.watermarkMs, allowedLateness, pendingMax);
          if (due.size >= room) return context.deadLetter('join-full', fullText(room, pendingMax));
          pending.set(at, [value, of]);
          due.add(eventTimeMs, at);
        },

        onWatermark(watermarkMs, emit) {
          due.takeDue(watermarkMs, (at, timeMs) => {
            const [value, of] = pending.get(at) as Pending;
            pending.delete(at);
            meet(value as T, of, timeMs, at, (out) => emit(out as never, timeMs));
          });
          outdated.takeDue(watermarkMs, (of, timeMs) => forget(of, timeMs - allowedLateness));
        },

        query: (of) => versions.get(of)?.at(-1)?.[2] ?? undefined,
      };
    },
  });
}

function problemsOf(allowedLateness: number, keysMax: number, pendingMax: number): Problem[] {
  const problems: Problem[] = [];
  if (!(allowedLateness >= 0))
    problems.push({ message: `allowedLateness is ${allowedLateness}`, hint: 'give it a duration, or leave it out' });
  problems.push(...keysMaxProblems(keysMax));
  if (!(pendingMax >= 1))
    problems.push({
      message: `pendingMax is ${pendingMax}`,
      hint: 'give it the number of records within the disorder, and some more',
    });
  return problems;
}
