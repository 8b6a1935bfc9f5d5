import { BEFORE_ALL_MS, type Checkpoint, isSettled, type Origin, SETTLED, type Tick } from '../core/index.js';
import { type Input, JUMP_MS, MARKER, Unusable } from './input.js';

/** The part of a round from one source. */
export interface Share {
  readonly values: unknown[];
  readonly origins: Origin[];
  readonly unusable: { readonly cause: Unusable; readonly origin: Origin }[];
}

export const emptyShare = (): Share => ({ values: [], origins: [], unusable: [] });

/** A bounded piece of the merged order of a task's inputs. */
export interface Round {
  /** In the order of the topology's sources. */
  readonly shares: readonly Share[];
  /** The number of records, including unusable ones. */
  readonly records: number;
  /** Their approximate memory. */
  readonly bytes: number;
  /** Where the watermark rose. */
  readonly ticks: readonly Tick[];
}

/** The progress of event time in the merged order of a task. */
export interface EventTime {
  watermarkMs: number;
  /** How far the watermark trails the merge time: the largest `outOfOrdernessMax` of the inputs. */
  readonly disorderMs: number;
}

/**
 * An input's merge time never decreases, and the earliest is taken first. So every record after one with merge time t has at least
 * the merge time t, and at least the event time t minus the disorder.
 */
export function eventTimeOf(inputs: readonly Input[], stored: Checkpoint['positions'] = {}): EventTime {
  const disorderMs = Math.max(0, ...inputs.map(({ node }) => node.source.outOfOrdernessMax ?? 0));
  // The merged order has advanced to the merge time of its most advanced input, which another version of the topology may have had.
  const positions = [...inputs.map(({ position }) => position), ...Object.values(stored)];
  const mergeTimeMs = Math.max(...positions.map((position) => position.mergeTimeMs));
  return { watermarkMs: Math.max(BEFORE_ALL_MS, mergeTimeMs - disorderMs), disorderMs };
}

/**
 * Takes the next round from the heads of all inputs: by merge time, then input order, then offset. It stops if an input has nothing
 * buffered and its next record could come first. So the order depends on the logs alone, not on the polls. Returns `undefined` if
 * nothing can be taken. Updates `time`.
 *
 * An input with an `idleTimeout` that has had no record for so long is not waited for. Its later records come at once, and late:
 * there the order depends on the clock.
 */
export function mergeRound(
  inputs: readonly Input[],
  recordsMax: number,
  time: EventTime,
  bytesMax = Number.POSITIVE_INFINITY,
): Round | undefined {
  const { shares, shareOf } = sharesFor(inputs);
  let records = 0;
  let bytes = 0;
  const ticks: Tick[] = [];
  while (records < recordsMax && bytes < bytesMax) {
    const next = earliest(inputs);
    if (next < 0) break;
    const input = inputs[next] as Input;
    const share = shareOf[next] as Share;
    const value = input.headValue;
    const origin = input.headOrigin;
    const watermarkMs = isTentative(input) ? BEFORE_ALL_MS : input.headTimeMs - time.disorderMs;
    origin.order = records;
    if (watermarkMs > time.watermarkMs) {
      time.watermarkMs = watermarkMs;
      ticks.push({ watermarkMs, origin });
    }
    if (value === MARKER) {
      // A marker has moved time, above; no stream gets it.
    } else if (value instanceof Unusable) share.unusable.push({ cause: value, origin });
    else {
      share.values.push(value);
      share.origins.push(origin);
    }
    bytes += input.headBytes;
    input.shift();
    records += 1;
  }
  if (records === 0) return undefined;
  for (const input of inputs) input.settle();
  return { shares, records, bytes, ticks };
}

/** A share for each source, and the share of each input: the inputs of a global source are adjacent and have one share. */
function sharesFor(inputs: readonly Input[]): { readonly shares: Share[]; readonly shareOf: readonly Share[] } {
  const shares: Share[] = [];
  const shareOf = inputs.map(({ node }, index) => {
    if (node !== inputs[index - 1]?.node) shares.push(emptyShare());
    return shares[shares.length - 1] as Share;
  });
  return { shares, shareOf };
}

/** Whether too few records agree about the time of the head. */
function isTentative({ headClock }: Input): boolean {
  return headClock !== undefined && !isSettled(headClock);
}

/**
 * The input whose head comes first, or -1 if an input must be waited for (or none is left). An empty input is waited for only if
 * its next record could come first.
 */
function earliest(inputs: readonly Input[]): number {
  let best = -1;
  let bestTimeMs = Number.POSITIVE_INFINITY;
  let isHere = false;
  let tentative = -1;
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index] as Input;
    const hasHead = input.buffered > 0;
    if (!hasHead && (input.ended || input.isIdle)) continue;
    const timeMs = hasHead ? input.headTimeMs : input.nextTimeMs;
    if (hasHead && isTentative(input)) tentative = index;
    if (best < 0 || timeMs < bestTimeMs) {
      best = index;
      bestTimeMs = timeMs;
      isHere = hasHead;
    }
  }
  if (!isHere) return -1;
  return tentative < 0 ? best : farAhead(inputs, best);
}

/**
 * A tentative head that lies far ahead of the first one, whose time is confirmed. It is taken at once; otherwise a wrong time at
 * the beginning of a log would hold that log back until the others have ended.
 */
function farAhead(inputs: readonly Input[], best: number): number {
  const first = inputs[best] as Input;
  if (first.headTimeMs === BEFORE_ALL_MS || (first.headClock?.agreed ?? SETTLED) < 2) return best;
  const index = inputs.findIndex(
    (input) => input.buffered > 0 && isTentative(input) && input.headTimeMs > first.headTimeMs + JUMP_MS,
  );
  return index < 0 ? best : index;
}
