/**
 * How well do many models share a memory that is too small for all of them?
 *
 * 300 networks of 1 to 8 MB, which take more than `mebibytes` together, are asked in turn by some callers, by Zipf's law. Printed are
 * the memory of the process, the share of the calls whose model was in memory, against the best that hindsight could do (Belady 1966),
 * and how long both kinds of calls take. The second part asks a small model at a constant rate beside large ones that push each other
 * out: how much later does it answer? Of two, each stays for a while before the other is loaded; of seven, one is always being loaded.
 * Two workers: one loads while the other scores.
 */
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ModelHandle } from '../src/core/index.js';
import { createInference } from '../src/inference/index.js';
import { mlp } from '../test/inference/onnx.js';
import { hitsInHindsight, rateOf, zipf } from '../test/inference/residency/belady.js';
import { generator } from '../test/random.js';
import type { Benchmark } from './benchmark.js';
import { once, type Spread, spreadOf } from './pairs.js';

export const options = { models: 300, mebibytes: 1_024, seconds: 60, callers: 4, exponent: 1, loadSeconds: 60 };

type Progress = (line: string) => void;

const WIDTH = 64;
const ROWS = 16;
const MB = 2 ** 20;
const BATCH_MAX = 64;

export const benchmark: Benchmark<typeof options> = async (progress, given) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-residency-'));
  try {
    const many = await manyModels(folder, given, progress);
    const some = await slowLoads(folder, { large: 2, mebibytes: 300, seconds: given.loadSeconds }, progress);
    const always = await slowLoads(folder, { large: 7, mebibytes: 1_500, seconds: given.loadSeconds }, progress);
    const through = 'p99 of a small model beside slow loads through alone';
    return {
      unit: 'ms, hit rate in percent, MiB',
      figures: {
        ...many.figures,
        'p99 of a small model alone': some.alone,
        'p99 beside slow loads': some.beside,
        'p99 beside loads without end': always.beside,
      },
      ratios: { [through]: some.slowed, 'p99 beside loads without end through alone': always.slowed },
      goals: { ...many.goals, [through]: { is: some.slowed, atMost: 1.1 } },
      details: { ...many.details, slowLoads: some.details, loadsWithoutEnd: always.details },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
};

interface Call {
  readonly model: number;
  readonly isHit: boolean;
  readonly ms: number;
}

async function manyModels(folder: string, given: typeof options, progress: Progress) {
  const { models, mebibytes, seconds, callers, exponent } = given;
  const memoryMax = mebibytes * MB;
  const random = generator(1);
  const files: URL[] = [];
  for (let i = 0; i < models; i++) {
    // Two layers of as many units as make the file 1 to 8 MB.
    const units = Math.round(Math.sqrt(((1 + 7 * random()) * 1e6) / 4));
    const file = join(folder, `${i}.onnx`);
    await writeFile(file, mlp([WIDTH, units, units, 1], random));
    files.push(pathToFileURL(file));
  }
  progress(`${models} models are written`);

  const warnings: string[] = [];
  const inference = createInference({
    memoryMax,
    isolation: 'process',
    onWarning: (message) => warnings.push(message),
  });
  const spec = { batchMax: BATCH_MAX, waitMax: 5, providers: ['cpu'] };
  const small = join(folder, 'small.onnx');
  await writeFile(small, mlp([WIDTH, 8, 1], random));
  const pinned = await inference.open({ ...spec, model: pathToFileURL(small), isPinned: true });
  await ask(pinned);
  const baseline = workersRss();
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, workersRss());
  }, 20);
  try {
    const startedMs = performance.now();
    const handles: ModelHandle[] = [];
    for (const [i, model] of files.entries()) {
      handles.push(await inference.open({ ...spec, model }));
      if (i % 50 === 49) progress(`${i + 1} models opened, ${Math.round(workersRss() / MB)} MiB`);
    }
    const openSeconds = (performance.now() - startedMs) / 1_000;
    const peakAtOpen = peak;
    const calls = await zipfCalls(handles, { seconds, callers, exponent });
    const bytesOf = handles.map(sizeOf(handles));
    const own = rateOf(calls.map(({ isHit }) => isHit));
    const trace = calls.map(({ model }) => model);
    const best = rateOf(hitsInHindsight(trace, bytesOf, memoryMax));
    const stats = handles.map((handle) => handle.stats());
    const loads = stats.reduce((sum, { loads }) => sum + loads, 0) - models;
    const loadMs = stats.map(({ loads, loadMs }) => loadMs / loads);
    progress(`hit rate ${own.toFixed(4)}, in hindsight ${best.toFixed(4)}; peak ${Math.round(peak / MB)} MiB`);
    assert.deepEqual(warnings, []);
    const percent = (share: number) => once(100 * share);
    const memory = once((peak - baseline) / MB);
    return {
      goals: {
        'memory of the models, MiB': { is: memory, atMost: mebibytes },
        'hit rate behind hindsight, points': { is: percent(best - own), atMost: 5 },
      },
      figures: {
        'hit rate': percent(own),
        'hit rate in hindsight': percent(best),
        'p50 of a resident model': once(quantile(timesOf(calls, true), 0.5)),
        'p99 of a resident model': once(quantile(timesOf(calls, true), 0.99)),
        'p50 of a cold model': once(quantile(timesOf(calls, false), 0.5)),
        'p99 of a cold model': once(quantile(timesOf(calls, false), 0.99)),
        'memory of the worker, MiB': once(peak / MB),
        'memory of its models, MiB': memory,
      },
      details: {
        budgetMebibytes: mebibytes,
        baselineMebibytes: baseline / MB,
        peakAtOpenMebibytes: peakAtOpen / MB,
        calls: calls.length,
        openSeconds,
        loads,
        loadMs: spreadOf(loadMs),
        measuredBytesOfAllModels: bytesOf.reduce((sum, bytes) => sum + bytes, 0),
      },
    };
  } finally {
    clearInterval(watch);
    await inference.close();
  }
}

/** What a model takes, as measured when it was in memory last; of one that is not there now, as its neighbours do for their size. */
function sizeOf(handles: readonly ModelHandle[]) {
  const known = handles.map((handle) => handle.stats().residentBytes);
  const average = known.reduce((sum, bytes) => sum + bytes, 0) / known.filter((bytes) => bytes > 0).length;
  return (_: ModelHandle, i: number): number => known[i] || average;
}

/** What the worker processes have in memory. */
function workersRss(): number {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const pagesOf = (pid: string) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pids.reduce((sum, pid) => sum + 4_096 * pagesOf(pid), 0);
}

const timesOf = (calls: readonly Call[], isHit: boolean) =>
  calls.filter((call) => call.isHit === isHit).map(({ ms }) => ms);

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

async function zipfCalls(
  handles: readonly ModelHandle[],
  { seconds, callers, exponent }: { seconds: number; callers: number; exponent: number },
): Promise<Call[]> {
  const next = zipf(handles.length, exponent, generator(2));
  const calls: Call[] = [];
  const endMs = performance.now() + seconds * 1_000;
  const caller = async () => {
    while (performance.now() < endMs) {
      const model = next();
      const handle = handles[model] as ModelHandle;
      const isHit = handle.stats().residentBytes > 0;
      const startedMs = performance.now();
      // In the order of the calls, as hindsight sees them.
      const call = { model, isHit, ms: 0 };
      calls.push(call);
      await ask(handle);
      call.ms = performance.now() - startedMs;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return calls;
}

async function ask(handle: ModelHandle): Promise<void> {
  const { failures } = await handle.run(ROWS, (row, [into], place) => {
    (into as Float32Array).fill(row / ROWS, place * WIDTH, (place + 1) * WIDTH);
  });
  assert(failures.size === 0);
}

/** Calls a second of the small model. */
const RATE = 200;
/** Each has a time with nothing beside it, and one beside loads. They are short: the machine's own pace drifts within a minute. */
const ROUNDS = 12;

interface Slow {
  readonly large: number;
  readonly mebibytes: number;
  readonly seconds: number;
}

/** A small model at a constant rate, with nothing beside it, and beside large models that push each other out. */
async function slowLoads(folder: string, { large: count, mebibytes, seconds }: Slow, progress: Progress) {
  const random = generator(5);
  const file = async (name: string, widths: readonly number[]) => {
    await writeFile(join(folder, `${name}.onnx`), mlp(widths, random));
    return pathToFileURL(join(folder, `${name}.onnx`));
  };
  const spec = { batchMax: 16, waitMax: 5, providers: ['cpu'] };
  const inference = createInference({ workers: 2, memoryMax: mebibytes * MB });
  try {
    const hot = await inference.open({ ...spec, model: await file('hot', [WIDTH, 256, 256, 1]), isPinned: true });
    const large: ModelHandle[] = [];
    for (let i = 0; i < count; i++)
      large.push(await inference.open({ ...spec, model: await file(`large-${i}`, [WIDTH, 4_096, 6_144, 1]) }));
    const loaded = () => large.reduce((sum, handle) => sum + handle.stats().loads, 0);
    await atRate(hot, 2);
    const alone: number[][] = [];
    const beside: number[][] = [];
    let loads = 0;
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await atRate(hot, seconds / ROUNDS));
      const before = loaded();
      const busy = { isOver: false };
      const loading = keepLoading(large, busy);
      beside.push(await atRate(hot, seconds / ROUNDS));
      busy.isOver = true;
      await loading;
      loads += loaded() - before;
      const [one, other] = [alone, beside].map((rounds) => p99(rounds.at(-1) as number[]).toFixed(2));
      progress(`p99 ${one} ms alone, ${other} ms beside ${loads} loads`);
    }
    const loadMs = large.reduce((sum, handle) => sum + handle.stats().loadMs, 0) / loaded();
    return {
      // Of all rounds together: in one, ten calls decide its p99, and those the machine delays for its own reasons.
      slowed: once(p99(beside.flat()) / p99(alone.flat())),
      ...{ alone: allOf(alone), beside: allOf(beside) },
      details: {
        loads,
        loadMs,
        slowedByRound: spreadOf(beside.map((times, i) => p99(times) / p99(alone[i] as number[]))),
      },
    };
  } finally {
    await inference.close();
  }
}

const p99 = (times: readonly number[]) => quantile(times, 0.99);

/** Of the calls of all rounds, and of those of the best and of the worst round. */
function allOf(rounds: readonly number[][]): Spread {
  const { low, high } = spreadOf(rounds.map(p99));
  return { median: p99(rounds.flat()), low, high };
}

async function keepLoading(large: readonly ModelHandle[], busy: { readonly isOver: boolean }): Promise<void> {
  for (let i = 0; !busy.isOver; i++) {
    await ask(large[i % large.length] as ModelHandle);
    await pause(200);
  }
}

/** Calls at a constant rate, and what each takes from when it was due. */
async function atRate(handle: ModelHandle, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const startedMs = performance.now();
  const calls: Promise<void>[] = [];
  for (let i = 0; i < RATE * seconds; i++) {
    const dueMs = startedMs + (1_000 * i) / RATE;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await pause(aheadMs);
    // Timers come up to a millisecond too soon.
    const fromMs = Math.min(dueMs, performance.now());
    calls.push(ask(handle).then(() => void times.push(performance.now() - fromMs)));
  }
  await Promise.all(calls);
  return times;
}
