import { days } from '../core/index.js';

/**
 * What time it is on a stream, by the event times of its records: their maximum, unless a record claims a time that
 * nobody confirms. A plain value, so that it can lie in a cell.
 */
export interface EventClock {
  nowMs: number;
  /** 0: no record yet; 1: one record, unconfirmed; 2: a second record agreed. */
  subtopology: 0 | 1 | 2;
  /** Records in a row that were ahead by more than a credible jump, and the lowest of their times. */
  aheadCount: number;
  aheadMinMs: number;
  /** While unconfirmed: the last time that lay far behind. */
  behindMs: number;
}

export const eventClock = (): EventClock => ({
  nowMs: 0,
  subtopology: 0,
  aheadCount: 0,
  aheadMinMs: 0,
  behindMs: Number.NEGATIVE_INFINITY,
});

/** The clock that stands furthest ahead, of those that some record agreed with. */
export const furthest = (clocks: readonly EventClock[]): EventClock =>
  clocks.reduce((best, each) =>
    each.subtopology > best.subtopology || (each.subtopology === best.subtopology && each.nowMs > best.nowMs)
      ? each
      : best,
  );

/** The least jump that is believed at once, whatever the step's own horizon. */
const JUMP_MIN = days(1);
/** Records in a row that a longer jump needs before it is believed. */
const AHEAD_NEEDED = 10;

/** The jump that a step with this retention or age believes from one record. */
export const credibleJump = (horizonMs: number): number => Math.max(JUMP_MIN, horizonMs);

/**
 * Shows the clock a record's event time and returns what time it is now. A function of the records alone, hence the
 * same in every replay.
 *
 * One absurd time must not carry the clock away, or every record after it would be stale for ever. So a jump of more than
 * `jumpMs` is believed only when 10 records in a row lie beyond it, and then only up to the lowest of them; a pause
 * of the stream costs these few records, an absurd record among sane ones costs nothing. The first record of all
 * has nothing to be measured by: it sets the clock, but until a second one agrees with it, two later records that agree with each other
 * far before it move the clock back. Times that are no finite number are passed over.
 */
export function observe(clock: EventClock, timeMs: number, jumpMs: number): number {
  if (!Number.isFinite(timeMs)) return clock.nowMs;
  if (clock.subtopology === 0) {
    clock.nowMs = timeMs;
    clock.subtopology = 1;
  } else if (timeMs > clock.nowMs + jumpMs) {
    observeAhead(clock, timeMs);
  } else if (timeMs >= clock.nowMs - jumpMs) {
    clock.nowMs = Math.max(clock.nowMs, timeMs);
    clock.subtopology = 2;
    clock.aheadCount = 0;
  } else if (clock.subtopology === 1) {
    observeBehind(clock, timeMs, jumpMs);
  }
  return clock.nowMs;
}

function observeAhead(clock: EventClock, timeMs: number): void {
  clock.aheadMinMs = clock.aheadCount === 0 ? timeMs : Math.min(clock.aheadMinMs, timeMs);
  clock.aheadCount++;
  if (clock.aheadCount < AHEAD_NEEDED) return;
  clock.nowMs = clock.aheadMinMs;
  clock.subtopology = 2;
  clock.aheadCount = 0;
}

function observeBehind(clock: EventClock, timeMs: number, jumpMs: number): void {
  if (Math.abs(timeMs - clock.behindMs) <= jumpMs) {
    clock.nowMs = Math.max(timeMs, clock.behindMs);
    clock.subtopology = 2;
  } else {
    clock.behindMs = timeMs;
  }
}
