import { type Tier, tiers } from '../../src/core/index.js';
import { bufferPool } from '../../src/inference/scheduling/buffers.js';
import { latencyCurve, type Point } from '../../src/inference/scheduling/latency-curve.js';
import { layoutOf } from '../../src/inference/scheduling/layout.js';
import { createScheduler } from '../../src/inference/scheduling/scheduler.js';
import { generator } from '../random.js';
import { OVERHEAD_MS, worker, world } from './open-loop.js';

/** Rows that come by chance for a model, in three tiers. */
export interface Demand {
  /** What runs take, by rising sizes. */
  readonly points: readonly Point[];
  readonly batchMax: number;
  readonly waitMax: number;
  readonly weight?: number;
  /** By tier, the share of the rows a second that one worker could score at the best size. */
  readonly shares: Readonly<Partial<Record<Tier, number>>>;
  /** Without one, rows wait until it is their turn. */
  readonly deadlineMs?: number;
  /** How many rows come at once (default 1). */
  readonly rowsACall?: number;
}

/** What became of the rows of a tier. */
export interface Fate {
  asked: number;
  scored: number;
  /** Scored within the deadline. */
  inTime: number;
  shed: number;
  /** Left to others after the deadline. */
  shedLate: number;
}

export interface Outcome {
  readonly tiers: Readonly<Record<Tier, Fate>>;
  /** The most rows that waited at once. */
  readonly waitedMax: number;
  /** How long workers were at this model. */
  readonly workerMs: number;
}

const newFate = (): Fate => ({ asked: 0, scored: 0, inTime: 0, shed: 0, shedLate: 0 });

/** A worker that scores the rows of some models for a while, in virtual time. Runs vary as in `openLoop`. */
export async function overload(demands: readonly Demand[], forMs: number, seed: number): Promise<Outcome[]> {
  const random = generator(seed);
  const time = world();
  const noise = () => (0.8 + 0.4 * random()) * (random() < 0.01 ? 3 : 1);
  const scheduler = createScheduler({ workers: 1, nowMs: time.nowMs });
  const run = worker(time);
  const look = () => {
    scheduler.shedLate();
    time.at(time.nowMs() + 20, look);
  };
  look();

  const outcomes = demands.map(({ points, batchMax, waitMax, weight, shares, deadlineMs, rowsACall = 1 }) => {
    const best = points.reduce((a, b) => (b.rows / b.ms > a.rows / a.ms ? b : a));
    const curve = latencyCurve({ points, rowsMax: batchMax });
    const queue = scheduler.queue({
      ...{ batchMax, waitMax, outputSize: 1, version: '', pool: bufferPool(4) },
      ...(weight !== undefined && { weight }),
      layoutOf: (_, count) => layoutOf([{ name: 'x', type: 'float32', shape: [1] }], 1, count),
      curves: [
        latencyCurve({
          points: points.filter(({ rows }) => rows <= best.rows),
          rowsMax: batchMax,
          overheadMs: OVERHEAD_MS,
        }),
      ],
      dispatch(batch) {
        // Of a batch, parts of the best size are run one after another.
        const rest = batch.rows % best.rows;
        const ms = (Math.floor(batch.rows / best.rows) * best.ms + (rest === 0 ? 0 : curve.ms(rest))) * noise();
        run(ms, () => {
          outcome.workerMs += ms;
          queue.complete(batch, { scores: new Float32Array(batch.rows), failures: [], degraded: null }, ms);
        });
      },
    });
    const outcome = {
      tiers: { high: newFate(), normal: newFate(), low: newFate() },
      ...{ waitedMax: 0, workerMs: 0 },
    };
    const ask = (tier: Tier) => {
      const sinceMs = time.nowMs();
      const fate = outcome.tiers[tier];
      const urgency = {
        tierOf: () => tier,
        sheds: true,
        ...(deadlineMs !== undefined && { deadlineOf: () => deadlineMs }),
      };
      fate.asked += rowsACall;
      // Each row has a caller of its own, which sees its answer at the time of it, not of the one before.
      void queue
        .run(rowsACall, () => {}, undefined, urgency)
        .then(({ shed }) => {
          const isInTime = time.nowMs() - sinceMs <= (deadlineMs ?? Number.POSITIVE_INFINITY);
          if (shed === undefined) {
            fate.scored += rowsACall;
            if (isInTime) fate.inTime += rowsACall;
          } else {
            fate.shed += shed.size;
            if (!isInTime) fate.shedLate += shed.size;
          }
        });
      outcome.waitedMax = Math.max(outcome.waitedMax, queue.stats().waiting);
    };
    for (const tier of tiers) {
      const gapMs = (rowsACall * best.ms) / best.rows / (shares[tier] ?? 0);
      const come = () => {
        if (time.nowMs() > forMs) return;
        ask(tier);
        time.at(time.nowMs() - Math.log(1 - random()) * gapMs, come);
      };
      if (Number.isFinite(gapMs)) time.at(0, come);
    }
    return outcome;
  });
  // What has come is answered.
  await time.untilAsync(forMs + 1_000);
  return outcomes;
}
