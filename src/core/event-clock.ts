import { days } from './duration.js';
import { BEFORE_ALL_MS } from './record.js';

/**
 * What time it is on a stream, by the event times of its records. It is the highest of them, but a time that lies far ahead is
 * believed only when enough records in a row lie as far ahead: nine wrong records in a row cannot move a settled clock.
 * A plain value, so that it can lie in a cell and in a checkpoint.
 *
 * Memory: at most nine numbers beside four. Why so: docs/adr/0018.
 */
export interface EventClock {
  /** The highest time that is believed; `BEFORE_ALL_MS` before the first record. */
  nowMs: number;
  /** How many records have agreed with it, counted up to `SETTLED`. With fewer the clock is tentative. */
  agreed: number;
  /** Ascending: the times of the last records that all lay too far ahead to be believed. */
  ahead: number[];
  /** Of a tentative clock: the time of the last record, if it lay far behind. */
  behindMs: number | null;
}

/** Records that must agree before a clock is settled. */
export const SETTLED = 3;
/** Records in a row that must lie far ahead before a settled clock follows them. */
export const WITNESSES = 10;

/** The least jump that one record may make, whatever the horizon of a step. */
const JUMP_MIN = days(1);

/** The jump that one record may make in a step that keeps records for `horizonMs`. */
export const credibleJump = (horizonMs: number): number => Math.max(JUMP_MIN, horizonMs);

export const eventClock = (nowMs = BEFORE_ALL_MS): EventClock => ({
  nowMs,
  agreed: nowMs === BEFORE_ALL_MS ? 0 : SETTLED,
  ahead: [],
  behindMs: null,
});

/** Whether so many records agree that a few wrong ones cannot move the clock any more. */
export const isSettled = (clock: EventClock): boolean => clock.agreed >= SETTLED;

/** The clock that most records agree with, and of those the one that is furthest ahead. */
export const furthest = (clocks: readonly EventClock[]): EventClock =>
  clocks.reduce((best, each) =>
    each.agreed > best.agreed || (each.agreed === best.agreed && each.nowMs > best.nowMs) ? each : best,
  );

/**
 * Shows the clock the event time of the next record and returns the time that the record counts with: that of the clock. Only
 * while the clock is tentative, a record that disagrees with it counts with its own time, since either may be wrong.
 * It depends on the times alone, so every replay gives the same.
 *
 * - A time at most `jumpMs` away agrees: the clock rises to it at once.
 * - A time further ahead must be confirmed. A settled clock rises to a time when ten records in a row lie at it or beyond.
 *   A tentative one needs one record more than agree with it.
 * - A time further behind does not move a settled clock. A tentative one goes back when two such records in a row agree.
 *
 * Times that are no finite number are passed over.
 */
export function observe(clock: EventClock, timeMs: number, jumpMs: number): number {
  if (timeMs <= clock.nowMs + jumpMs && timeMs >= clock.nowMs - jumpMs) {
    if (timeMs > clock.nowMs) clock.nowMs = timeMs;
    if (clock.agreed < SETTLED) clock.agreed++;
    if (clock.ahead.length > 0) clock.ahead = [];
    clock.behindMs = null;
    return clock.nowMs;
  }
  if (!Number.isFinite(timeMs)) return clock.nowMs;
  if (clock.agreed === 0) restartAt(clock, timeMs, 1);
  else if (timeMs > clock.nowMs) observeAhead(clock, timeMs, jumpMs);
  else if (!isSettled(clock)) observeBehind(clock, timeMs, jumpMs);
  return isSettled(clock) || Math.abs(clock.nowMs - timeMs) <= jumpMs ? clock.nowMs : timeMs;
}

function observeAhead(clock: EventClock, timeMs: number, jumpMs: number): void {
  clock.behindMs = null;
  // Another array instead of a changed one: checkpoints may hold the one before.
  const ahead = [...clock.ahead, timeMs].sort((a, b) => a - b);
  clock.ahead = ahead;
  if (ahead.length < (isSettled(clock) ? WITNESSES : clock.agreed + 1)) return;
  restartAt(clock, ahead[0] as number, Math.min(ahead.length, SETTLED));
  // All the others lie ahead of it, and confirm each other as far as they are near.
  let next = 1;
  while (next < ahead.length && (ahead[next] as number) <= clock.nowMs + jumpMs) clock.nowMs = ahead[next++] as number;
  clock.ahead = ahead.slice(next);
}

function observeBehind(clock: EventClock, timeMs: number, jumpMs: number): void {
  clock.ahead = [];
  if (clock.behindMs !== null && Math.abs(timeMs - clock.behindMs) <= jumpMs)
    restartAt(clock, Math.max(timeMs, clock.behindMs), 2);
  else clock.behindMs = timeMs;
}

function restartAt(clock: EventClock, nowMs: number, agreed: number): void {
  clock.nowMs = nowMs;
  clock.agreed = agreed;
  clock.ahead = [];
  clock.behindMs = null;
}

/** What a task says of itself in every partition that it writes to: how far it has come. */
export interface WatermarkMarker {
  readonly task: number;
  /** How many tasks its sub-topology has: readers wait for a mark of each. */
  readonly tasks: number;
  /** No record of this task with an earlier event time follows, late ones excepted. */
  readonly watermarkMs: number;
  /** It has nothing to read at the moment: nobody should wait for it until it says otherwise. */
  readonly idle: boolean;
}

/** What is known of a subtopology's tasks by their marks, up to a place in the log. */
export interface WatermarkMarkers {
  /** How many tasks the sub-topology has. */
  readonly tasks: number;
  /** The newest watermark of each task that was heard of; `null` for one that is idle. */
  readonly watermarksMs: Readonly<Record<number, number | null>>;
}
