import { tiers, type Urgency } from '../../core/index.js';
import type { Call, Span } from './calls.js';

/** Rows of one call that wait, one after another: of one length, in one tier, due at one time. */
export interface Waiting {
  readonly call: Call;
  readonly bucket: number;
  /** The number of its tier, 0 for the most urgent. */
  readonly tier: number;
  /** How long they may take; nothing without a deadline. */
  readonly withinMs: number | undefined;
  /** Whether others answer in place of the model where it would be late. */
  readonly sheds: boolean;
  first: number;
  rows: number;
}

/** The place of rows without a deadline among those of their tier, in milliseconds from when they came. */
const PATIENCE_MS = 1_000;

/** The place of rows in their lane. Those without a deadline have one too, so that others cannot pass them for ever. */
const placeMs = ({ call, withinMs = PATIENCE_MS }: Waiting): number => call.sinceMs + withinMs;

/** The rows of a call as entries: neighbours that are alike share one. */
export function entriesOf(
  call: Call,
  bucketOf: ((row: number) => number) | undefined,
  { tierOf, deadlineOf, sheds = false }: Urgency,
): readonly Waiting[] {
  const { rows } = call;
  const entries: Waiting[] = [];
  const areAlike = bucketOf === undefined && tierOf === undefined && deadlineOf === undefined;
  for (let first = 0; first < rows; ) {
    const bucket = bucketOf?.(first) ?? 0;
    const tier = tierOf?.(first) ?? 'normal';
    const within = deadlineOf?.(first);
    let end = areAlike ? rows : first + 1;
    while (
      end < rows &&
      (bucketOf?.(end) ?? 0) === bucket &&
      (tierOf?.(end) ?? 'normal') === tier &&
      deadlineOf?.(end) === within
    )
      end++;
    const entry: Waiting = {
      call,
      bucket,
      tier: tiers.indexOf(tier),
      withinMs: within,
      sheds: sheds && within !== undefined,
      first,
      rows: end - first,
    };
    // Most calls have one: an array that grows would have room for 16 more.
    if (entry.rows === rows) return [entry];
    entries.push(entry);
    first = end;
  }
  return entries;
}

/** The rows of a model that wait for a batch. */
export interface Lanes {
  /** How many wait, in all or of one length. */
  rows(bucket?: number): number;
  /** How many wait in a tier and in those before it. */
  rowsBefore(tier: number): number;
  add(waiting: Waiting): void;
  /** Since when the oldest row of this length waits. */
  sinceMs(bucket: number): number;
  /** The row whose turn it is among those of this length. */
  first(bucket: number): Waiting | undefined;
  /** Of these lengths, the one of the row whose turn it is. */
  next(buckets: readonly number[]): number | undefined;
  /** Takes up to `most` rows of one length, in their turn. */
  take(bucket: number, most: number, nowMs: number): Span[];
  /** Removes all rows of a call, and returns how many. */
  removeCall(call: Call): number;
  /** Removes the rows of a length that may be shed and are due before `ms`. */
  removeLate(bucket: number, ms: number): Waiting[];
  /** Removes up to `rows` rows that may be shed: the last ones of the lowest tiers, and none of a tier before `tier`. */
  removeLowest(rows: number, tier: number): Waiting[];
}

/** The waiting rows of a tier and a length. */
interface Lane {
  /** In the order in which they are due. */
  readonly rows: Waiting[];
  /** Whether the first may be younger than one behind it. */
  isMixed: boolean;
  /** Of a mixed lane, since when the oldest row waits; `NaN` if it has to be looked for. */
  oldestMs: number;
}

/** What tiers get, by rows, where all of them have more than can be answered. */
export const tierWeights = [16, 4, 1] as const;
/** After so long the rows of a tier count twice, after twice as long three times: at most as those of the tier above. */
const AGEING_MS = 1_000;

/**
 * The waiting rows of a model, in *lanes*: one for each tier and length.
 *
 * In a lane the row that is due first comes first. Tiers share the rows of batches by weight, where one that comes back after a pause
 * has no claims from before (start-time fair queueing, Goyal et al. 1996), and rows gain weight as they wait; so no tier starves.
 * Only rows of one length share a batch: the row whose turn it is decides which.
 *
 * Memory: an entry for the neighbouring rows of a call that have the same length, tier and deadline.
 */
export function createLanes(): Lanes {
  /** By bucket and tier. */
  const lanes: (Lane[] | undefined)[] = [];
  const tierRows = tierWeights.map(() => 0);
  let allRows = 0;
  const bucketRows: number[] = [];
  /** By tier, the weighted rows that it got, and that of the tier which was served last. */
  const served = tierWeights.map(() => 0);
  let virtual = 0;

  const laneOf = (bucket: number, tier: number): Lane => {
    lanes[bucket] ??= tierWeights.map(() => ({ rows: [], isMixed: false, oldestMs: Number.NaN }));
    return lanes[bucket]?.[tier] as Lane;
  };
  const headOf = (bucket: number, tier: number): Waiting | undefined => lanes[bucket]?.[tier]?.rows[0];
  const claimOf = (tier: number): number => Math.max(served[tier] as number, virtual);
  const count = ({ bucket, tier }: Waiting, rows: number) => {
    allRows += rows;
    (tierRows[tier] as number) += rows;
    bucketRows[bucket] = (bucketRows[bucket] ?? 0) + rows;
  };

  /** The row of a length whose turn it is; of those in other tiers than one. */
  function turnOf(bucket: number, exceptTier = -1): Waiting | undefined {
    let turn: Waiting | undefined;
    for (let tier = 0; tier < tierWeights.length; tier++) {
      const head = headOf(bucket, tier);
      if (head === undefined || tier === exceptTier) continue;
      if (turn === undefined || claimOf(tier) < claimOf(turn.tier)) turn = head;
    }
    return turn;
  }

  const weightOf = ({ tier, call }: Waiting, nowMs: number): number =>
    Math.min(
      tierWeights[tier - 1] ?? Number.POSITIVE_INFINITY,
      (tierWeights[tier] as number) * (1 + (nowMs - call.sinceMs) / AGEING_MS),
    );

  return {
    rows: (bucket) => (bucket === undefined ? allRows : (bucketRows[bucket] ?? 0)),
    rowsBefore: (tier) => tierRows.reduce((sum, rows, each) => sum + (each <= tier ? rows : 0), 0),

    add(waiting) {
      const lane = laneOf(waiting.bucket, waiting.tier);
      const { rows } = lane;
      const { sinceMs } = waiting.call;
      const place = placeMs(waiting);
      let at = rows.length;
      while (at > 0 && placeMs(rows[at - 1] as Waiting) > place) at--;
      // It passes older ones; or, where a call was made from inside another, it is older than those before it.
      if (at < rows.length || (at > 0 && (rows[at - 1] as Waiting).call.sinceMs > sinceMs)) lane.isMixed = true;
      lane.oldestMs = Math.min(lane.oldestMs, sinceMs);
      if (at === rows.length) rows.push(waiting);
      else rows.splice(at, 0, waiting);
      count(waiting, waiting.rows);
    },

    sinceMs(bucket) {
      let sinceMs = Number.POSITIVE_INFINITY;
      for (const lane of lanes[bucket] ?? []) sinceMs = Math.min(sinceMs, oldestOf(lane));
      return sinceMs;
    },

    first: (bucket) => turnOf(bucket),

    next(buckets) {
      let next: Waiting | undefined;
      for (const bucket of buckets) {
        const turn = turnOf(bucket);
        if (turn !== undefined && (next === undefined || isBefore(turn, next))) next = turn;
      }
      return next?.bucket;
    },

    take(bucket, most, nowMs) {
      const spans: Span[] = [];
      for (let taken = 0; taken < most; ) {
        const turn = turnOf(bucket);
        if (turn === undefined) break;
        const { tier } = turn;
        const lane = laneOf(bucket, tier);
        const other = turnOf(bucket, tier);
        let gone = 0;
        let claim = claimOf(tier);
        // Until it is the turn of another tier.
        for (const head of lane.rows) {
          const weight = weightOf(head, nowMs);
          const lead = other === undefined ? most : Math.floor((claimOf(other.tier) - claim) * weight) + 1;
          const rows = Math.min(head.rows, most - taken, lead);
          const { call, first, withinMs } = head;
          spans.push({ call, inCall: first, inBatch: taken, rows, withinMs });
          virtual = claim;
          claim += rows / weight;
          taken += rows;
          count(head, -rows);
          head.first += rows;
          head.rows -= rows;
          if (head.rows === 0) gone++;
          if (taken === most || head.rows > 0 || (other !== undefined && claimOf(other.tier) <= claim)) break;
        }
        served[tier] = claim;
        cut(lane, 0, gone);
      }
      return spans;
    },

    removeCall(call) {
      let removed = 0;
      for (const lane of lanes.flatMap((ofBucket) => ofBucket ?? [])) {
        for (const waiting of lane.rows.filter((each) => each.call === call)) {
          removed += waiting.rows;
          remove(lane, waiting);
        }
      }
      return removed;
    },

    removeLate(bucket, ms) {
      const late: Waiting[] = [];
      for (const lane of lanes[bucket] ?? []) {
        const { rows } = lane;
        let end = 0;
        let kept = 0;
        for (; end < rows.length && placeMs(rows[end] as Waiting) < ms; end++) {
          const waiting = rows[end] as Waiting;
          // What may be shed has a deadline, which is its place.
          if (waiting.sheds) {
            count(waiting, -waiting.rows);
            late.push(waiting);
          } else rows[kept++] = waiting;
        }
        // All at once, since those behind move up.
        if (kept < end) cut(lane, kept, end - kept);
      }
      return late;
    },

    removeLowest(rows, highest) {
      const removed: Waiting[] = [];
      let left = rows;
      for (let tier = tierWeights.length - 1; tier >= highest && left > 0; tier--) {
        for (const ofBucket of lanes) {
          const lane = ofBucket?.[tier];
          if (lane === undefined) continue;
          for (const waiting of lane.rows.toReversed()) {
            if (!waiting.sheds || left <= 0) continue;
            const part = Math.min(left, waiting.rows);
            left -= part;
            if (part === waiting.rows) removed.push(remove(lane, waiting));
            else {
              waiting.rows -= part;
              count(waiting, -part);
              removed.push({ ...waiting, first: waiting.first + waiting.rows, rows: part });
            }
          }
        }
      }
      return removed;
    },
  };

  function isBefore(a: Waiting, b: Waiting): boolean {
    return a.tier === b.tier ? placeMs(a) < placeMs(b) : claimOf(a.tier) < claimOf(b.tier);
  }

  function remove(lane: Lane, waiting: Waiting): Waiting {
    const { oldestMs } = lane;
    cut(lane, lane.rows.indexOf(waiting), 1);
    // The last ones of a lane leave one by one where too many wait. An older one is still there.
    if (lane.isMixed && waiting.call.sinceMs > oldestMs) lane.oldestMs = oldestMs;
    count(waiting, -waiting.rows);
    return waiting;
  }
}

function cut(lane: Lane, at: number, many: number): void {
  lane.rows.splice(at, many);
  lane.oldestMs = Number.NaN;
  if (lane.rows.length === 0) lane.isMixed = false;
}

/** Since when the oldest row of a lane waits. That of a mixed one is looked for when it may have left, so once for a batch. */
function oldestOf(lane: Lane): number {
  const { rows, isMixed } = lane;
  if (!isMixed) return rows[0]?.call.sinceMs ?? Number.POSITIVE_INFINITY;
  if (Number.isNaN(lane.oldestMs)) lane.oldestMs = rows.reduce(older, Number.POSITIVE_INFINITY);
  return lane.oldestMs;
}

const older = (ms: number, { call }: Waiting): number => Math.min(ms, call.sinceMs);
