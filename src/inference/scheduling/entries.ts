import { type Tier, tiers, type Urgency } from '../../core/index.js';
import type { Call } from './calls.js';
import type { Waiting } from './lanes.js';

/** The place of rows without a deadline among those of their tier, in milliseconds from when they came. */
const PATIENCE_MS = 1_000;

/** The rows of a call as entries: neighbours that are alike share one. */
export function entriesOf(call: Call, bucketOf: (row: number) => number, urgency: Urgency, sinceMs: number): Waiting[] {
  const { tierOf = () => 'normal', deadlineOf = () => undefined, sheds = false } = urgency;
  const entries: Waiting[] = [];
  let [bucket, tier, within]: [number, Tier | undefined, number | undefined] = [-1, undefined, undefined];
  for (let row = 0; row < call.rows; row++) {
    const last = entries.at(-1);
    const [ownBucket, ownTier, ownWithin] = [bucketOf(row), tierOf(row), deadlineOf(row)];
    if (last !== undefined && ownBucket === bucket && ownTier === tier && ownWithin === within) {
      last.rows++;
      continue;
    }
    [bucket, tier, within] = [ownBucket, ownTier, ownWithin];
    entries.push({
      ...{ call, bucket, tier: tiers.indexOf(ownTier), sinceMs, first: row, rows: 1 },
      dueMs: sinceMs + (within ?? Number.POSITIVE_INFINITY),
      placeMs: sinceMs + (within ?? PATIENCE_MS),
      sheds: sheds && within !== undefined,
    });
  }
  return entries;
}
