import { type DeadLetter, inTheLog } from '../../core/index.js';
import { getOrInsert } from '../../util/maps.js';

/** A dead letter without what it says about its record. */
export interface LastError {
  /** Processing time. */
  readonly atMs: number;
  readonly reason: string;
  /** Where the record was, as TOPIC/PARTITION/OFFSET. */
  readonly place: string;
}

/** For each step. */
export const ERRORS_MAX = 5;

/**
 * The newest dead letters of each step of a task, without details and records: those may hold personal data.
 *
 * Memory: five for each step. A round costs at most five, however many letters it has.
 */
export class LastErrors {
  private readonly errors = new Map<string, readonly LastError[]>();

  /** Takes the letters of a round. */
  note(letters: readonly DeadLetter[], atMs: number): void {
    for (const { step, reason, origin } of letters.slice(-ERRORS_MAX)) {
      const { topic, partition, offset } = inTheLog(origin);
      const before = getOrInsert(this.errors, step, () => []);
      const error = { atMs, reason, place: `${topic}/${partition}/${offset}` };
      this.errors.set(step, [...before, error].slice(-ERRORS_MAX));
    }
  }

  byStep(): ReadonlyMap<string, readonly LastError[]> {
    return new Map(this.errors);
  }
}
