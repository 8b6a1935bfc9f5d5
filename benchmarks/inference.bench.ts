/**
 * How many rows a second does the inference service score, against `onnxruntime-node` alone at its best batch size?
 *
 * Both sides have one thread that runs the model. The library gets one input again and again, in the batch size that is the fastest
 * for it. The service gets rows of their own in calls of 512, eight at a time, as the tasks of four partitions would make them; it
 * writes them into batches, whose size it chooses itself, sends these to its worker, and hands the answers back in order.
 */
import assert from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { InferenceService, ModelHandle } from '../src/core/index.js';
import { createInference, type InferenceOptions } from '../src/inference/index.js';
import { mlp, trees } from '../test/inference/onnx.js';
import { generator } from '../test/random.js';
import type { Benchmark, BenchmarkResult, Goal } from './benchmark.js';
import { measureInTurn, once, type Run, rateOf, ratioOf, spreadOf } from './pairs.js';

export const options = { seconds: 0.5, rounds: 12 };

interface Model {
  readonly name: string;
  readonly width: number;
  readonly bytes: Uint8Array;
  readonly batchMax: number;
  /** Rows a second that the service should score; without it, 0.9 of what the library does. */
  readonly goal?: number;
}

/** What two workers should score through one, where they and the caller have a core each. */
const TWO_WORKERS = 1.8;
const CORES = 4;
/** What may disturb the event loop, in milliseconds, and what a batch may cost beside its run, in microseconds. */
const STALL_MAX_MS = 10;
const BESIDE_MAX_US = 50;

const CALL = 512;
/** Different rows that the library scores. */
const ROWS = 4_096;
const CALLS = 8;
/** The service's batches of the small network for the cost of a batch: so small that the run is next to nothing. */
const SMALL_BATCH = 8;

export const benchmark: Benchmark<typeof options> = async (progress, { seconds, rounds }) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const random = generator(1);
  const models: readonly Model[] = [
    { name: 'small network', width: 32, bytes: mlp([32, 64, 32, 1], random), batchMax: 1_024, goal: 1_200_000 },
    { name: '0.46 MB network', width: 64, bytes: mlp([64, 256, 256, 128, 1], random), batchMax: 1_024 },
    { name: '27 MB network', width: 256, bytes: mlp([256, 2_048, 2_048, 1_024, 1], random), batchMax: 128 },
    { name: '200 trees', width: 32, bytes: trees(200, 6, 32, random), batchMax: 1_024 },
    // What its layers give of a large batch has no room in the caches: it is the fastest in batches of 64.
    { name: 'wide network', width: 16, bytes: mlp([16, 4_096, 16, 4_096, 1], random), batchMax: 1_024 },
  ];
  const results: Part[] = [];
  try {
    for (const model of models) {
      const file = join(folder, `${model.name}.onnx`);
      await writeFile(file, model.bytes);
      results.push(await compare(model, file, seconds, rounds, progress));
    }
    results.push(await costOfABatch(models[0] as Model, join(folder, 'small network.onnx'), seconds, rounds, progress));
    return {
      unit: 'rows/s',
      figures: Object.assign({}, ...results.map(({ figures }) => figures)),
      ratios: Object.assign({}, ...results.map(({ ratios }) => ratios)),
      goals: Object.assign({}, ...results.map(({ goals }) => goals)),
      details: Object.assign({}, ...results.map(({ details }) => details)),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
};

type Part = Pick<BenchmarkResult, 'figures' | 'ratios' | 'goals' | 'details'>;
type Progress = (line: string) => void;

/** The service with one worker and with two, against the library. */
async function compare(model: Model, file: string, seconds: number, rounds: number, progress: Progress): Promise<Part> {
  const { name, width, batchMax, goal } = model;
  const alone = await library(model);
  const [best, curve] = await alone.bestSize(batchMax);
  const one = await service(file, batchMax, {});
  const two = await service(file, batchMax, { workers: 2 });
  const rows = rowsOf(width);
  const stalls: number[] = [];
  try {
    const contestants = [
      { name: `${name}, library`, work: () => alone.run(best, seconds) },
      {
        name: `${name}, service`,
        work: async () => {
          const { delay, result } = await withDelay(() => score(one.handle, rows, seconds));
          stalls.push(delay);
          return result;
        },
      },
      { name: `${name}, 2 workers`, work: () => score(two.handle, rows, seconds) },
    ] as const;
    const [library, service_, two_] = contestants.map((contestant) => contestant.name) as [string, string, string];
    const { runs, rates } = await measureInTurn(contestants, { rounds }, progress);
    const ratio = ratioOf(runs, service_, library, rateOf);
    const twice = ratioOf(runs, two_, service_, rateOf);
    // What the chosen size scores alone, through the best one.
    const [chosen = 0] = one.handle.stats().runRows;
    const ofSize = once((curve[chosen] ?? Number.NaN) / (curve[best] as number));
    const goals: Record<string, Goal> = {
      [`${name}: longest stall of the event loop, ms`]: { is: spreadOf(stalls), atMost: STALL_MAX_MS },
      [`${name}: library at the size that the service runs, through its best`]: { is: ofSize, atLeast: 0.9 },
      ...(goal === undefined
        ? { [`${name}: service through library`]: { is: ratio, atLeast: 0.9 } }
        : { [`${name}: service, rows/s`]: { is: rates[service_] as Goal['is'], atLeast: goal } }),
      ...(availableParallelism() >= CORES && { [`${name}: 2 workers through 1`]: { is: twice, atLeast: TWO_WORKERS } }),
    };
    return {
      figures: rates,
      ratios: { [`${name}: service through library`]: ratio, [`${name}: 2 workers through 1`]: twice },
      goals,
      details: {
        [name]: {
          libraryBestSize: best,
          libraryRowsPerSecond: curve,
          service: statsOf(one.handle),
          longestEventLoopDelayMs: { service: spreadOf(stalls), idle: spreadOf(await idleDelays(seconds, rounds)) },
        },
      },
    };
  } finally {
    await one.close();
    await two.close();
    await alone.release();
  }
}

/** What a batch costs beside its run: the service's time of one through the library's, where both run batches of eight rows. */
async function costOfABatch(
  model: Model,
  file: string,
  seconds: number,
  rounds: number,
  progress: Progress,
): Promise<Part> {
  const alone = await library(model);
  const inference = await service(file, SMALL_BATCH, {});
  const rows = rowsOf(model.width);
  try {
    const contestants = [
      { name: 'batches of 8, library', work: () => alone.run(SMALL_BATCH, seconds) },
      { name: 'batches of 8, service', work: () => score(inference.handle, rows, seconds) },
    ] as const;
    const { runs } = await measureInTurn(contestants, { rounds }, progress);
    const micros = (run: Run) => (1e6 * run.seconds * SMALL_BATCH) / run.records;
    const [library_, service_] = contestants.map(({ name }) => (runs[name] as readonly Run[]).map(micros));
    const beside = (service_ as number[]).map((taken, i) => taken - ((library_ as number[])[i] as number));
    const goals = { 'us a batch beside the run': { is: spreadOf(beside), atMost: BESIDE_MAX_US } };
    return { figures: {}, ratios: {}, goals };
  } finally {
    await inference.close();
    await alone.release();
  }
}

/** The library alone, on one thread: this one. */
async function library({ bytes, width }: Model) {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  // Many rows, one batch after another: a processor learns the ways of a few rows through trees by heart.
  const data = Float32Array.from({ length: ROWS * width }, generator(3));
  async function run(size: number, seconds: number): Promise<Run> {
    const batches = Array.from({ length: Math.max(1, Math.floor(ROWS / size)) }, (_, i) => ({
      x: new Tensor('float32', data.subarray(i * size * width, (i + 1) * size * width), [size, width]),
    }));
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    let records = 0;
    for (let i = 0; performance.now() - startedMs < seconds * 1_000; i++) {
      await session.run(batches[i % batches.length] as (typeof batches)[number]);
      records += size;
    }
    return { records, seconds: (performance.now() - startedMs) / 1_000, cpuSeconds: cpuSecondsSince(cpu) };
  }
  /** The size that scores the most rows a second, and what each scored. */
  async function bestSize(most: number): Promise<[number, Record<number, number>]> {
    const rates: Record<number, number> = {};
    for (let size = 1; size <= most; size *= 2) rates[size] = 0;
    // Twice, and the better time of each: a disturbance does not decide.
    for (let round = 0; round < 2; round++)
      for (const size of Object.keys(rates).map(Number))
        rates[size] = Math.max(rates[size] as number, Math.round(rateOf(await run(size, 0.3))));
    const [best] = Object.entries(rates).sort(([, a], [, b]) => b - a)[0] as [string, number];
    return [Number(best), rates];
  }
  return { run, bestSize, release: () => session.release() };
}

/** The service with a model. */
async function service(file: string, batchMax: number, options: InferenceOptions) {
  const inference: InferenceService = createInference(options);
  const handle = await inference.open({ model: pathToFileURL(file), batchMax, waitMax: 5, providers: ['cpu'] });
  return { handle, close: () => inference.close() };
}

function statsOf(model: ModelHandle) {
  const { rows, batches, workerMs, batchRows, runRows } = model.stats();
  return { rowsABatch: rows / batches, msABatch: workerMs / batches, growsTo: batchRows[0], rowsRunAtOnce: runRows[0] };
}

const rowsOf = (width: number): readonly Float32Array[] => {
  const random = generator(3);
  return Array.from({ length: CALL }, () => Float32Array.from({ length: width }, random));
};

/** Calls with rows, some at a time, for so many seconds. */
async function score(model: ModelHandle, rows: readonly Float32Array[], seconds: number): Promise<Run> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1_000;
  let records = 0;
  const caller = async () => {
    while (performance.now() < endMs) {
      const { failures } = await model.run(rows.length, (row, [into], place) => {
        const numbers = into as Float32Array;
        const values = rows[row] as Float32Array;
        const at = place * values.length;
        for (let i = 0; i < values.length; i++) numbers[at + i] = values[i] as number;
      });
      assert(failures.size === 0);
      records += rows.length;
    }
  };
  await Promise.all(Array.from({ length: CALLS }, caller));
  return { records, seconds: (performance.now() - startedMs) / 1_000, cpuSeconds: cpuSecondsSince(cpu) };
}

/** What work gives, and the longest delay of this event loop meanwhile. */
async function withDelay<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly delay: number }> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const result = await work();
  histogram.disable();
  return { result, delay: histogram.max / 1e6 };
}

/** The delays of an event loop that has nothing to do: what the machine adds. */
async function idleDelays(seconds: number, rounds: number): Promise<number[]> {
  const delays: number[] = [];
  for (let round = 0; round < rounds; round++) delays.push((await withDelay(() => pause(seconds * 1_000))).delay);
  return delays;
}

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
