/**
 * What does the state of a learner cost: bytes an epoch, the stall of a commit, the time of a restore?
 *
 * A model as `learn` hosts it predicts and learns rows of 30 dense numbers and 8 hashed coordinates (trees get the dense ones), and
 * commits to the embedded store on this disk. At full rate an epoch lasts 500 ms, at 1,000 rows/s it has 500 rows and nobody
 * waits for the next. A commit's stall is the time from the end of learning to the synced commit. The restore follows a
 * run that did not end in order: reading the store, and then all that makes the model ready.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '../src/core/checkpoint.js';
import type { FeatureNumbers, FeatureShape, Learner } from '../src/core/learner.js';

import type { StateChange } from '../src/core/state.js';
import { chance } from '../src/ml/chance.js';
import {
  adaptiveRandomForest,
  factorizationMachine,
  ftrl,
  hoeffdingTree,
  logisticRegression,
  sgd,
} from '../src/ml/index.js';
import { modelCells, openModel } from '../src/ml/model.js';
import { updateWriter } from '../src/ml/update-codec.js';
import { openEmbedded } from '../src/profiles/embedded/index.js';
import { TaskState } from '../src/runtime/task-state.js';
import { localRegistry } from '../src/schema/index.js';
import { updateChunk } from '../src/state/index.js';
import { originAt } from '../src/testing/contract.js';
import type { Benchmark, Goal } from './benchmark.js';
import type { Spread } from './pairs.js';

const DENSE = 30;
const HASHED = 8;
const HASHED_SIZE = 1 << 18;
const ROWS = 50_000;
const EPOCH_MS = 500;
const PACED_ROWS = 500;
const STEP = 'model';
const TASK = { topology: 'learner-state', partition: 0 };

interface Case {
  readonly shape: FeatureShape;
  // biome-ignore lint/suspicious/noExplicitAny: the label of each is what its rows have
  readonly learner: Learner<any, unknown>;
}

function forest(trees: number) {
  return adaptiveRandomForest({ classes: [false, true], trees });
}

/** What is measured; further learners are lines here. */
const cases: Readonly<Record<string, Case>> = {
  'FTRL 2^18': {
    shape: { denseSize: DENSE, hashedSize: HASHED_SIZE },
    learner: logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }),
  },
  'FM(8) 2^18': {
    shape: { denseSize: DENSE, hashedSize: HASHED_SIZE },
    learner: factorizationMachine({ optimizer: sgd({ rate: 0.01 }), factors: 8 }),
  },
  'Hoeffding tree': {
    shape: { denseSize: DENSE, hashedSize: 0 },
    learner: hoeffdingTree({ classes: [false, true] }),
  },
  'ARF(10)': { shape: { denseSize: DENSE, hashedSize: 0 }, learner: forest(10) },
  'ARF(100)': { shape: { denseSize: DENSE, hashedSize: 0 }, learner: forest(100) },
};

/** `only` runs those whose names contain it. */
export const options = { seconds: 20, only: '' };

/** Rows whose label follows from some of their numbers. */
function rowsOf({
  denseSize,
  hashedSize,
}: FeatureShape): { readonly features: FeatureNumbers; readonly label: boolean }[] {
  const count = hashedSize > 0 ? HASHED : 0;
  return Array.from({ length: ROWS }, (_, row) => {
    const dense = Float32Array.from({ length: denseSize }, (_, i) => chance(1, i, row));
    const indices = Uint32Array.from({ length: count }, (_, i) => Math.floor(chance(2, i, row) * hashedSize));
    const label = (dense[0] as number) + (dense[1] as number) * (dense[2] as number) > 0.5 + chance(3, 0, row) / 2;
    return { features: { dense, indices, values: new Float32Array(count).fill(1) }, label };
  });
}

/** The bytes of an update of these rows, which are all of one size. */
function updateBytes(shape: FeatureShape, { features, label }: ReturnType<typeof rowsOf>[number]): number {
  const chunk = updateChunk(1 << 16);
  const write = updateWriter(shape);
  let before = 0;
  for (let i = 0; i < 2; i++) {
    before = chunk.at;
    write(() => chunk, features, label, 1, originAt(i));
  }
  return chunk.at - before; // the second names no topic
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
const single = (value: number): Spread => ({ median: value, low: value, high: value });
const sizeOf = (changes: readonly StateChange[]): number =>
  changes.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);

async function measure({ learner, shape }: Case, seconds: number, paced: boolean, path: string) {
  const embedded = await openEmbedded({ path, registry: localRegistry() });
  const rows = rowsOf(shape);
  const cells = modelCells(learner, shape);
  const open = async () => {
    const ledger = await embedded.openLedger(TASK);
    const startedMs = performance.now();
    const restored = await ledger.restore();
    const readMs = performance.now() - startedMs;
    const state = new TaskState(restored.state, () => performance.now());
    const opened = state.open(STEP, cells);
    const model = openModel(learner, shape, opened, { name: STEP });
    for (const _ of state.catchUp(STEP));
    model.predictOne((rows[0] as (typeof rows)[number]).features); // with all that it makes at its first use
    return {
      ledger,
      state,
      model,
      readMs,
      readyMs: performance.now() - startedMs - readMs,
      bytes: sizeOf(restored.state),
    };
  };
  const { ledger, state, model } = await open();
  const stallsMs: number[] = [];
  const written: number[] = [];
  let [learnt, snapshots, busyMs] = [0, 0, 0];
  const startedMs = performance.now();
  for (let epoch = 1; performance.now() - startedMs < seconds * 1_000; epoch++) {
    const beganMs = performance.now();
    for (
      let row = 0;
      paced ? row < PACED_ROWS : row % 64 > 0 || performance.now() - beganMs < EPOCH_MS;
      row++, learnt++
    ) {
      const { features, label } = rows[learnt % ROWS] as (typeof rows)[number];
      model.predictOne(features);
      model.learnOne(features, label, 1, originAt(learnt));
    }
    const endedMs = performance.now();
    busyMs += endedMs - beganMs;
    const changes = state.takeChanges(new Map([[STEP, busyMs]]));
    const checkpoint: Checkpoint = { epoch, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} };
    await ledger.commit(checkpoint, changes);
    stallsMs.push(performance.now() - endedMs);
    written.push(sizeOf(changes));
    if (changes.some(({ cell, bytes }) => cell !== 'update-log' && bytes)) snapshots += 1;
  }
  const again = await open();
  await embedded.close();
  stallsMs.sort((a, b) => a - b);
  const epochs = written.length;
  const total = written.reduce((sum, bytes) => sum + bytes, 0);
  const sizes = written.toSorted((a, b) => a - b);
  return {
    rowsPerSecond: learnt / (busyMs / 1_000),
    bytes: { median: total / epochs, low: at(sizes, 0), high: at(sizes, 1) },
    snapshots: snapshots / epochs,
    stallP50: at(stallsMs, 0.5),
    stallP99: at(stallsMs, 0.99),
    readMs: again.readMs,
    readyMs: again.readyMs,
    stored: again.bytes,
    overUpdates: total / (learnt * updateBytes(shape, rows[0] as (typeof rows)[number])),
  };
}

export const benchmark: Benchmark<typeof options> = async (progress, { seconds, only }) => {
  const figures: Record<string, Spread> = {};
  const goals: Record<string, Goal> = {};
  for (const [name, each] of Object.entries(cases).filter(([name]) => name.includes(only)))
    for (const paced of [false, true]) {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-learner-state-'));
      try {
        const found = await measure(each, seconds, paced, join(folder, 'store'));
        const of = `${name}, ${paced ? '1,000 rows/s' : 'full rate'}`;
        if (!paced) figures[`${of}: rows/s`] = single(found.rowsPerSecond);
        figures[`${of}: KiB written an epoch, mean (least to most)`] = {
          median: found.bytes.median / 1_024,
          low: found.bytes.low / 1_024,
          high: found.bytes.high / 1_024,
        };
        figures[`${of}: share of epochs with a snapshot`] = single(found.snapshots);
        figures[`${of}: stall of a commit, ms, median`] = single(found.stallP50);
        figures[`${of}: restore, ms, reading`] = single(found.readMs);
        figures[`${of}: KiB of state at the restore`] = single(found.stored / 1_024);
        goals[`${of}: bytes written through bytes of its updates`] = { is: single(found.overUpdates), atMost: 3 };
        goals[`${of}: stall of a commit, ms, p99`] = { is: single(found.stallP99), atMost: 100 };
        goals[`${of}: restore, ms, beside reading`] = { is: single(found.readyMs), atMost: 5_000 };
        progress(`${of}: ${(found.bytes.median / 1_024).toFixed(0)} KiB an epoch, p99 ${found.stallP99.toFixed(0)} ms`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  return { unit: 'as named', figures, ratios: {}, goals };
};
