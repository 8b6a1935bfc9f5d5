import { days } from './duration.js';
import { BEFORE_ALL_MS } from './record.js';

/**
 * The clock of a stream, by the event times of its records: the highest of them. A time far ahead is believed only after enough
 * records in a row lie as far ahead, so nine wrong records in a row cannot move a settled clock. It is a plain value that cells and
 * checkpoints can store.
 *
 * Memory: at most nine numbers beside four. Reasons: docs/adr/0018.
 */
export interface EventClock {
  /** The highest believed time; `BEFORE_ALL_MS` before the first record. */
  nowMs: number;
  /** The number of records that agreed with it, counted up to `SETTLED`. With fewer the clock is tentative. */
  agreed: number;
  /** The times of the last records that lay too far ahead to be believed, ascending. */
  ahead: number[];
  /** For a tentative clock: the time of the last record, if it lay far behind. */
  behindMs: number | null;
}

/** The number of records that must agree before a clock is settled. */
export const SETTLED = 3;
/** The number of records in a row that must lie far ahead before a settled clock follows them. */
export const WITNESSES = 10;

/** The smallest jump that one record may cause, whatever the horizon of a step. */
const JUMP_MIN = days(1);

/** The largest jump that one record may cause in a step that keeps records for `horizonMs`. */
export const credibleJump = (horizonMs: number): number => Math.max(JUMP_MIN, horizonMs);

/**
 * How much of the room of a step that keeps records for `horizonMs` a record may use: half of it where it lies so far ahead that its
 * time may be absurd. The watermark never comes to an absurd time, so such records stay, and would fill all of it in the end.
 */
export function roomFor(timeMs: number, watermarkMs: number, horizonMs: number, max: number): number {
  const isFar = timeMs - watermarkMs > credibleJump(10 * horizonMs);
  return isFar && watermarkMs > BEFORE_ALL_MS ? Math.ceil(max / 2) : max;
}

/** Why there is no room for a record. */
export const fullText = (room: number, max: number): string =>
  `${room} records wait already${room < max ? ', and its time is far ahead' : ''}`;

export const eventClock = (nowMs = BEFORE_ALL_MS): EventClock => ({
  nowMs,
  agreed: nowMs === BEFORE_ALL_MS ? 0 : SETTLED,
  ahead: [],
  behindMs: null,
});

/** Whether enough records agree that a few wrong ones cannot move the clock. */
export const isSettled = (clock: EventClock): boolean => clock.agreed >= SETTLED;

/** The clock that most records agree with; among equals the one furthest ahead. */
export const furthest = (clocks: readonly EventClock[]): EventClock =>
  clocks.reduce((best, each) =>
    each.agreed > best.agreed || (each.agreed === best.agreed && each.nowMs > best.nowMs) ? each : best,
  );

/**
 * Updates the clock with the event time of the next record. Returns the time that the record counts with, which is that of the
 * clock. If a record disagrees with a tentative clock, it counts with its own time, since either may be wrong. The result depends
 * only on the times, so every replay gives the same.
 *
 * - A time at most `jumpMs` away agrees: the clock rises to it at once.
 * - A time further ahead must be confirmed. A settled clock follows after ten records in a row, to the lowest of their times. A
 *   tentative clock needs one record more than agree with it.
 * - A time further behind does not move a settled clock. A tentative clock goes back when two such records in a row agree.
 *
 * Times that are not finite are ignored.
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
  // A new array, because checkpoints may hold the old one.
  const ahead = [...clock.ahead, timeMs].sort((a, b) => a - b);
  clock.ahead = ahead;
  if (ahead.length < (isSettled(clock) ? WITNESSES : clock.agreed + 1)) return;
  restartAt(clock, ahead[0] as number, Math.min(ahead.length, SETTLED));
  // All others lie ahead of it. They confirm each other as long as they are near.
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

/** The progress of a task, written to every partition of its output. */
export interface WatermarkMarker {
  readonly task: number;
  /** The number of tasks of its sub-topology. Readers wait for a marker of each. */
  readonly tasks: number;
  /** No record of this task with an earlier event time follows, except late ones. */
  readonly watermarkMs: number;
  /** The task has nothing to read: readers do not wait for it until its next marker. */
  readonly idle: boolean;
}

/** What the markers up to a point of the log say about the tasks of a sub-topology. */
export interface WatermarkMarkers {
  /** How many tasks the sub-topology has. */
  readonly tasks: number;
  /** The newest watermark of each task that has written a marker; `null` if it is idle. */
  readonly watermarksMs: Readonly<Record<number, number | null>>;
}
