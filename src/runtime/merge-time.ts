import { BEFORE_ALL_MS } from '../core/index.js';

/**
 * How far a single record may move an input's time ahead. One record with an absurd time (the year 2100) must not make
 * the other inputs wait for it, so a larger jump counts only once a second record agrees.
 */
export const JUMP_MAX_MS = 24 * 3_600_000;

/** Where an input's time stands: the highest time believed, and a jump that nothing has confirmed yet. */
export interface MergeClock {
  timeMs: number;
  suspectMs: number | null;
}

/**
 * Moves the clock by one record and returns the record's merge time: its place among the records of other inputs.
 * Merge times never fall, so a late record keeps its log order and the merged order is a function of the logs alone.
 */
export function advance(clock: MergeClock, eventTimeMs: number): number {
  if (eventTimeMs <= clock.timeMs) {
    clock.suspectMs = null;
  } else if (clock.timeMs === BEFORE_ALL_MS || eventTimeMs <= clock.timeMs + JUMP_MAX_MS) {
    clock.timeMs = eventTimeMs;
    clock.suspectMs = null;
  } else if (clock.suspectMs !== null && eventTimeMs >= clock.suspectMs - JUMP_MAX_MS) {
    clock.timeMs = Math.min(clock.suspectMs, eventTimeMs);
    clock.suspectMs = eventTimeMs > clock.timeMs + JUMP_MAX_MS ? eventTimeMs : null;
  } else {
    clock.suspectMs = eventTimeMs;
  }
  return clock.timeMs;
}
