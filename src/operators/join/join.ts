import { stateful } from '../../core/define.js';
import { type Duration, formatDuration } from '../../core/duration.js';
import { fullText, roomFor } from '../../core/event-clock.js';
import type { MultiInputOperator, Problem } from '../../core/operator.js';
import { ALL_TIMERS, type MapCell, mapCell, rescale, type TimerCell, timerCell, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';

/** The keys, the time interval and the bounds of a join of two streams. */
export interface JoinOptions<L, R> {
  /** The join keys. */
  readonly keys: {
    readonly left: (value: L) => Key | null | undefined;
    readonly right: (value: R) => Key | null | undefined;
  };
  /** The interval of the join: a right record matches from `before` before a left one to `after` after it, both inclusive. */
  readonly within: { readonly before: Duration; readonly after: Duration };
  /** How far a record may be behind the watermark and still be joined (default: 0). */
  readonly allowedLateness?: Duration;
  /** Maximum number of records, of both sides together. */
  readonly entriesMax: number;
}

/**
 * Joins two streams: emits every pair with equal keys and event times within the interval, exactly once.
 *
 *   left   --a---------b----------|      within 2 before, 3 after
 *   right  ------x--y-------------|
 *   out    -----ax-ay--by---------|
 *
 * A pair is emitted when its second record is processed, at the later of both event times. A record is kept until the watermark has
 * passed its event time by `before` or `after` (0 if negative) and `allowedLateness`: then no partner can come. A record that is later
 * than `allowedLateness` is a dead letter.
 *
 * Counters: `expired` (records that are not kept any more). Dead letters: `late`, `empty-key`, `join-full` (a record above
 * `entriesMax`, or above half of it and far ahead of the watermark, since its time may be absurd; it is not joined). Equal keys must be
 * in one partition.
 * Memory: `entriesMax` records and some 150 bytes each. The time for a record is linear in the number of kept records of its key.
 *
 * @example
 * orders.via('paid', { right: payments }, innerJoin({
 *   keys: { left: (o) => o.orderId, right: (p) => p.orderId },
 *   within: { before: minutes(0), after: hours(1) },
 *   combine: (order, payment) => ({ ...order, paidAt: payment.at }),
 *   entriesMax: 1_000_000,
 * }));
 */
export const innerJoin = <L, R, Out>(
  options: JoinOptions<L, R> & { readonly combine: (left: L, right: R) => Out },
): MultiInputOperator<L, { right: R }, Out> =>
  join('innerJoin', options, options.combine as Combine<Out>, false, false);

/**
 * Like `innerJoin`, but a left record without a partner is emitted too, once, with `null` for the right side. It is emitted when no
 * partner can come any more, at that event time.
 *
 * @example
 * orders.via('paid', { right: payments }, leftJoin({
 *   keys: { left: (o) => o.orderId, right: (p) => p.orderId },
 *   within: { before: minutes(0), after: hours(1) },
 *   combine: (order, payment) => ({ ...order, paidAt: payment?.at ?? null }),
 *   entriesMax: 1_000_000,
 * }));
 */
export const leftJoin = <L, R, Out>(
  options: JoinOptions<L, R> & { readonly combine: (left: L, right: R | null) => Out },
): MultiInputOperator<L, { right: R }, Out> => join('leftJoin', options, options.combine as Combine<Out>, true, false);

/**
 * Like `innerJoin`, but a record of either side without a partner is emitted too, once, with `null` for the other side. It is emitted
 * when no partner can come any more, at that event time.
 *
 * @example
 * asked.via('pairs', { right: answered }, outerJoin({
 *   keys: { left: (q) => q.id, right: (a) => a.id },
 *   within: { before: minutes(1), after: minutes(1) },
 *   combine: (question, answer) => ({ question, answer }),
 *   entriesMax: 100_000,
 * }));
 */
export const outerJoin = <L, R, Out>(
  options: JoinOptions<L, R> & { readonly combine: (left: L | null, right: R | null) => Out },
): MultiInputOperator<L, { right: R }, Out> => join('outerJoin', options, options.combine as Combine<Out>, true, true);

type Combine<Out> = (left: unknown, right: unknown) => Out;

/** A record that waits: its event time, itself, and whether it has met a partner. */
type Entry = [timeMs: number, value: unknown, matched: 0 | 1];

/** One side of a join as it runs. */
interface Side {
  readonly entries: MapCell<Key, Entry[]>;
  readonly due: TimerCell<Key>;
  readonly keyOf: (value: never) => Key | null | undefined;
  /** How long before and after its event time a partner may lie; below 0 where all of the interval lies on one side of it. */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly emitsAlone: boolean;
  readonly pair: (own: unknown, other: unknown) => unknown;
}

const entriesIn = (cells: Readonly<Record<'left' | 'right', MapCell<Key, Entry[]>>>): number =>
  [cells.left, cells.right]
    .flatMap((side) => [...side.keys()].map((key) => side.get(key)?.length ?? 0))
    .reduce((sum, entries) => sum + entries, 0);

function join<L, R, Out>(
  kind: string,
  options: JoinOptions<L, R>,
  combine: Combine<Out>,
  leftAlone: boolean,
  rightAlone: boolean,
): MultiInputOperator<L, { right: R }, Out> {
  requireOptions(kind, options);
  const { keys, within, allowedLateness = 0 as Duration, entriesMax } = options;
  const { before, after } = within;
  const horizonMs = Math.max(0, before, after) + allowedLateness;
  const problems = [...optionProblems(kind, options), ...problemsOf(before, after, allowedLateness, entriesMax)];
  const cells = {
    left: rescale.byKey(mapCell<Key, Entry[]>(), 0),
    right: rescale.byKey(mapCell<Key, Entry[]>(), 1),
    leftDue: rescale.byKey(timerCell<Key>({ timersMax: ALL_TIMERS }), 0),
    rightDue: rescale.byKey(timerCell<Key>({ timersMax: ALL_TIMERS }), 1),
    held: rescale.derived(valueCell({ initial: 0 }), entriesIn),
  };
  return stateful<L, { right: R }, Out, typeof cells>({
    kind,
    settings: {
      before: formatDuration(before),
      after: formatDuration(after),
      allowedLateness: formatDuration(allowedLateness),
      entriesMax,
    },
    problems,
    keys: [keys.left, keys.right],
    inputs: ['right'],
    cells,
    open({ left, right, leftDue, rightDue, held }, context) {
      const expired = context.counter('expired');
      const sides: readonly [Side, Side] = [
        {
          entries: left,
          due: leftDue,
          keyOf: keys.left,
          beforeMs: before,
          afterMs: after,
          emitsAlone: leftAlone,
          pair: combine,
        },
        {
          entries: right,
          due: rightDue,
          keyOf: keys.right,
          beforeMs: after,
          afterMs: before,
          emitsAlone: rightAlone,
          pair: (own, other) => combine(other, own),
        },
      ];
      // One past the last moment at which a partner would not be late, and after the watermark at which the record came:
      // what is emitted must not lie below it.
      const expiryOf = (side: Side, timeMs: number) => timeMs + Math.max(0, side.afterMs) + allowedLateness + 1;

      const expire = (side: Side, key: Key, nowMs: number, emit: (value: never, timeMs: number) => void) => {
        const entries = side.entries.get(key) ?? [];
        const kept = entries.filter((entry) => expiryOf(side, entry[0]) > nowMs);
        for (const [timeMs, value, matched] of entries) {
          if (expiryOf(side, timeMs) <= nowMs && side.emitsAlone && matched === 0)
            emit(side.pair(value, null) as never, nowMs);
        }
        if (kept.length > 0) side.entries.set(key, kept);
        else side.entries.delete(key);
        held.set(held.get() - (entries.length - kept.length));
        expired.add(entries.length - kept.length);
      };

      return {
        onRecord(input, value, emit, { eventTimeMs }) {
          const [own, other] = input === 0 ? sides : [sides[1], sides[0]];
          const key = own.keyOf(value as never);
          if (isEmptyKey(key)) return context.deadLetter('empty-key', emptyKeyText(key));
          if (eventTimeMs < context.watermarkMs - allowedLateness)
            return context.deadLetter('late', `${context.watermarkMs - eventTimeMs} ms behind the watermark`);
          const room = roomFor(eventTimeMs, context.watermarkMs, horizonMs, entriesMax);
          if (held.get() >= room) return context.deadLetter('join-full', fullText(room, entriesMax));

          const partners = other.entries.get(key) ?? [];
          let met = false;
          let news = false;
          for (const partner of partners) {
            const aheadMs = partner[0] - eventTimeMs;
            if (aheadMs < -own.beforeMs || aheadMs > own.afterMs) continue;
            emit(own.pair(value, partner[1]) as never, aheadMs > 0 ? partner[0] : undefined);
            met = true;
            if (partner[2] === 0 && other.emitsAlone) {
              partner[2] = 1;
              news = true;
            }
          }
          if (news) other.entries.set(key, partners);
          const entries = own.entries.get(key) ?? [];
          entries.push([eventTimeMs, value, met ? 1 : 0]);
          own.entries.set(key, entries);
          own.due.add(expiryOf(own, eventTimeMs), key);
          held.set(held.get() + 1);
        },

        onWatermark(watermarkMs, emit) {
          const [a, b] = sides;
          // In the order of time over both sides, so that what is emitted does not depend on how the watermark rose.
          for (;;) {
            const nextMs = Math.min(a.due.nextMs, b.due.nextMs);
            if (nextMs > watermarkMs) return;
            for (const side of sides) side.due.takeDue(nextMs, (key) => expire(side, key, nextMs, emit as never));
          }
        },
      };
    },
  });
}

function problemsOf(
  before: number | undefined,
  after: number | undefined,
  allowedLateness: number,
  entriesMax: number,
): Problem[] {
  const problems: Problem[] = [];
  if (before === undefined || after === undefined)
    problems.push({
      message: `within.${before === undefined ? 'before' : 'after'} is missing`,
      hint: 'give both: within: { before: minutes(0), after: hours(1) }',
    });
  else if (!(before + after >= 0))
    problems.push({
      message: `the interval from ${-before} to ${after} ms is empty`,
      hint: 'its end must not be before its start',
    });
  if (!(allowedLateness >= 0))
    problems.push({ message: `allowedLateness is ${allowedLateness}`, hint: 'give it a duration, or leave it out' });
  if (!(entriesMax >= 1))
    problems.push({
      message: `entriesMax is ${entriesMax}`,
      hint: 'give it the number of records that come within the interval, and some more',
    });
  return problems;
}
