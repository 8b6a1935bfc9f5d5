/**
 * What does the live page of a large run cost a browser, and does it grow?
 *
 * A run of 300 steps, 64 tasks and 200 measures in a process of its own, looked at in Chromium. `later` is the highest heap
 * after a collection in the second half of the time through that of the first. Tasks of the page are counted in CPU, since others may use the cores meanwhile. The benchmark fails where
 * the page costs more than it may. `--seconds 600` looks for ten minutes.
 */
import type { Benchmark } from './benchmark.js';
import { watchPage } from './page-load/watch.js';
import { spreadOf } from './pairs.js';

export const options = { seconds: 60, steps: 300, tasks: 64, measures: 200 };

const MIB = 2 ** 20;

/** What it may cost at most. */
const limits: Readonly<Record<string, number>> = {
  'ms to the first paint': 1_000,
  'ms of CPU of the longest task': 50,
  'kB/s of a viewer': 20,
  'heap of the server, later': 1.1,
  'heap of the page, later': 1.1,
};

/** Of the second half through the first, without the first sample. */
function growthOf([, ...samples]: readonly number[]): number {
  const half = Math.floor(samples.length / 2);
  return Math.max(...samples.slice(-half)) / Math.max(...samples.slice(0, half));
}

export const benchmark: Benchmark<typeof options> = async (progress, load) => {
  const cost = await watchPage(load, progress);
  const one = (value: number) => spreadOf([value]);
  const figures = {
    'ms to the first paint': one(cost.firstPaintMs),
    'ms to the drawing': one(cost.drawnMs),
    'ms of CPU of the longest task': one(cost.longestTaskMs),
    'tasks above 50 ms by the clock': one(cost.longTasksMs.length),
    'kB/s of a viewer': one(cost.bytesASecond / 1_000),
    'changes of the document, a picture': one(cost.changesAPicture),
    'MiB of heap of the server': spreadOf(cost.serverHeap.map((bytes) => bytes / MIB)),
    'MiB of heap of the page': spreadOf(cost.pageHeap.map((bytes) => bytes / MIB)),
  };
  const ratios = {
    'heap of the server, later': one(growthOf(cost.serverHeap)),
    'heap of the page, later': one(growthOf(cost.pageHeap)),
  };
  const found: Readonly<Record<string, { readonly median: number }>> = { ...figures, ...ratios };
  const beyond = Object.entries(limits).filter(([name, limit]) => (found[name]?.median ?? 0) > limit);
  for (const [name, { median }] of Object.entries(found)) progress(`${name}: ${median}`);
  if (beyond.length > 0)
    throw new Error(`too much: ${beyond.map(([name]) => `${name}: ${found[name]?.median}`).join(', ')}`);
  return { unit: 'see each', figures, ratios, details: { pictures: cost.pictures, longTasksMs: cost.longTasksMs } };
};
