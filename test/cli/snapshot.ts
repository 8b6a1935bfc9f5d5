import type { ConfidenceInterval } from '../../src/core/index.js';
import { DurationHistogram, type RunSnapshot } from '../../src/runtime/index.js';

const counters = [
  { step: 'orders', name: 'read', value: 120 },
  { step: 'dedupe', name: 'duplicates', value: 5 },
  { step: 'validate', name: 'dead:range:amount', value: 2 },
  { step: 'orders', name: 'dead:truncated', value: 1 },
  { step: 'history', name: 'written', value: 112 },
];

const lastRestarts = [
  { atMs: 3_000, cause: 'connect ECONNREFUSED 127.0.0.1:8123 (history)', where: 'history' },
  { atMs: 4_000, cause: 'no leader for orders.v1/0', where: undefined },
];
const measurement = (
  name: string,
  slice: string,
  value: number,
  interval?: ConfidenceInterval,
): RunSnapshot['slices'][number] => ({
  row: { topology: 'orders', step: 'model', task: 0, name, slice, version: 'a1b2@7', eventTimeMs: 1_000, value },
  interval,
});

/** A run as it looks from outside, with one of everything. */
export function someSnapshot(): RunSnapshot {
  const latency = new DurationHistogram();
  latency.record(2, 90);
  latency.record(50, 10);
  const early = new DurationHistogram();
  early.record(1.5, 120);
  return {
    tasks: [
      {
        subtopology: 'orders',
        partition: 0,
        epoch: 7,
        positions: { orders: { offset: 120, mergeTimeMs: 0 } },
        lag: { orders: 5 },
        unreadMs: { orders: 1_200 },
        watermarkMs: 1_500,
        recordsInFlight: 3,
        uncommittedSinceMs: 1_000,
        isAtRest: false,
        pending: [],
        time: {
          totalMs: 1_000,
          blockedMs: 600,
          idleMs: 100,
          workMs: new Map([['dedupe', 250]]),
          pendingMs: new Map([['history', 700]]),
          waitedMs: new Map([['history', 600]]),
          heldMs: new Map(),
        },
        epochs: {
          phaseMs: { drain: 300, prepare: 20, store: 80, commit: 40 },
          bytes: 70_000,
          last: { endedMs: 1_000, phaseMs: { drain: 30, prepare: 2, store: 8, commit: 4 }, bytes: 9_000 },
        },
        queryable: ['dedupe'],
        errors: new Map([['orders', [{ atMs: 2_000, reason: 'truncated', place: 'orders.v1/0/17' }]]]),
        stateBytes: new Map([['dedupe', 40_000]]),
        counters: counters.map((each) => ({ ...each, restored: 0 })),
      },
    ],
    isPaused: false,
    counters,
    measures: [
      {
        ...{ topology: 'orders', step: 'model', task: 0, name: 'roc_auc', slice: '', version: '' },
        ...{ eventTimeMs: 1_000, value: 0.75 },
      },
    ],
    slices: [
      measurement('roc_auc', '', 0.75, [0.7, 0.8]),
      measurement('roc_auc:hourRate', '', 0.625),
      measurement('roc_auc:lastClass', '', 0.5),
      measurement('roc_auc', 'origin=JFK', 0.8125, [0.6, 0.95]),
      measurement('distance:delay', '', 0.125),
    ],
    outages: [{ sink: 'history', sinceMs: 1_000, cause: 'connect ECONNREFUSED 127.0.0.1:8123' }],
    throttledMs: 2_500,
    models: [
      {
        version: 'abc',
        sizes: [{ rowsMax: 128, batches: 5, rows: 640, waitMs: 20, runMs: 1_500 }],
        ...{ model: 'risk.onnx', provider: 'cpu', rows: 640, failed: 2, batches: 5, lost: 1, workerMs: 1_500 },
        ...{
          notFinite: 7,
          checks: 9,
          wrongChecks: 1,
          answerMs: { p50: 2, p99: 9 },
          slowness: 1,
          isOpen: true,
          openings: 2,
        },
        ...{ shed: { high: 0, normal: 0, low: 3 }, late: 4, waiting: 6 },
        ...{ batchRows: [256], runRows: [256] },
        ...{
          loads: 3,
          loadMs: 60,
          evictions: 2,
          residentBytes: 4_194_304,
          cache: { hits: 40, shared: 10, misses: 600 },
        },
      },
    ],
    standbys: [{ subtopology: 'orders', partition: 7, ready: true, recordsBehind: 12, bytes: 4_096 }],
    health: [{ subtopology: 'orders', partition: 0, restarts: 3, stalls: 1, lastRestarts, waitsFor: 'labels' }],
    spans: { sent: 40, dropped: 2 },
    latency,
    latencies: new Map([
      ['dedupe', early],
      ['history', latency.copy()],
    ]),
    busyMs: new Map([['dedupe', 250]]),
  };
}
