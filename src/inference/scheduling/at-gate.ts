import type { Gate } from '../residency/residents.js';
import type { Call } from './calls.js';
import { createLanes, type Waiting } from './lanes.js';

export type CallGate = Pick<Gate, 'enter' | 'enterNow' | 'leave'>;

/** The rows of calls that wait until their model is in memory. */
export interface AtGate {
  rows(): number;
  wait(call: Call, entries: readonly Waiting[]): void;
  /** Leaves the rows to others that would be late even if the model were there now. */
  shedLate(): void;
}

export interface AtGateOptions {
  readonly gate: CallGate;
  /** How many rows may wait where others can answer. */
  readonly queueMax: number;
  nowMs(): number;
  /** What the smallest batch of a length takes. */
  msOf(bucket: number): number;
  /** The model is in memory: these rows of the call are left. */
  begin(call: Call, entries: readonly Waiting[]): void;
  shed(waiting: Waiting, why: string): void;
  /** All rows of the call were shed. */
  settle(call: Call): void;
}

/**
 * Rows in front of a model that is not in memory. Those that somebody else can answer do not wait beyond their deadline, and no more than
 * `queueMax` of them wait.
 *
 * Memory: an entry for neighbouring rows of a call; the rows themselves stay with the callers.
 */
export function rowsAtGate({ gate, queueMax, nowMs, msOf, begin, shed, settle }: AtGateOptions): AtGate {
  let lanes = createLanes();
  const buckets = new Set<number>();
  let mayShed = false;

  function leaveToOthers(some: readonly Waiting[], why: string): void {
    for (const each of some) {
      shed(each, why);
      // Its call begins without it.
      each.rows = 0;
      if (each.call.left === 0 && !each.call.isSettled) settle(each.call);
    }
  }

  /** The gate has opened, or will not: of all calls at once. */
  function clear(): void {
    if (lanes.rows() > 0) lanes = createLanes();
    mayShed = false;
  }

  return {
    rows: () => lanes.rows(),

    wait(call, entries) {
      for (const entry of entries) {
        lanes.add(entry);
        buckets.add(entry.bucket);
        mayShed ||= entry.sheds;
      }
      gate.enter(
        () => {
          clear();
          if (call.isSettled) gate.leave();
          else
            begin(
              call,
              entries.filter(({ rows }) => rows > 0),
            );
        },
        (cause) => {
          clear();
          if (!call.isSettled) call.reject(cause);
        },
      );
      const tooMany = lanes.rows() - queueMax;
      if (tooMany > 0 && mayShed)
        leaveToOthers(lanes.removeLowest(tooMany, 0), `more than ${queueMax} rows wait for it to be loaded`);
    },

    shedLate() {
      if (!mayShed) return;
      for (const bucket of buckets)
        leaveToOthers(lanes.removeLate(bucket, nowMs() + msOf(bucket)), 'it is not loaded in time');
    },
  };
}
