/**
 * How long do rows wait that come one by one, by chance, at 10, 50 and 80 % of what a model can score, and at 150 %?
 *
 * An open loop: rows come whether those before them are answered or not (Poisson), from a thread that does nothing else; sessions are
 * real and have a thread of their own. Against the service stand two rules on the same model: *greedy* takes all that is there, up to
 * the largest batch (Triton's rule without a delay), *constant wait* waits `waitMax` for the batch to fill.
 *
 * At 150 % rows come in three tiers of 50 % each, and those that would be late are left to a rule. Last, a model shares a worker with
 * one whose batches cost a hundredth, both with more rows than can be scored.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { MillraceError, type ModelHandle, type Tier, tiers } from '../src/core/index.js';
import { createInference } from '../src/inference/index.js';
import { mlp, trees } from '../test/inference/onnx.js';
import { generator } from '../test/random.js';
import type { Benchmark, Goal } from './benchmark.js';
import { arrive, type Latencies } from './inference-load/arrivals.js';
import { fillFrom, openSession, ruleServer, type Server, serviceServer } from './inference-load/servers.js';
import { once, type Spread, spreadOf } from './pairs.js';

export const options = { seconds: 2, rounds: 3, model: '' };

interface Model {
  readonly name: string;
  readonly width: number;
  readonly bytes: Uint8Array;
  readonly batchMax: number;
}

const WAIT_MAX = 5;
const SHARES = [0.1, 0.5, 0.8] as const;
/** Rows that cannot be scored must not pile up: in the seconds of a run they would be some hundred megabytes. */
const GROWTH_MAX_MB = 200;

export const benchmark: Benchmark<typeof options> = async (progress, { seconds, rounds, model: only }) => {
  const random = generator(1);
  const models: readonly Model[] = [
    { name: '200 trees', width: 32, bytes: trees(200, 6, 32, random), batchMax: 1_024 },
    { name: '27 MB network', width: 256, bytes: mlp([256, 2_048, 2_048, 1_024, 1], random), batchMax: 128 },
    { name: '0.46 MB network', width: 64, bytes: mlp([64, 256, 256, 128, 1], random), batchMax: 1_024 },
    // What its layers give of a large batch has no room in the caches: it is the fastest in batches of 64.
    { name: 'wide network', width: 16, bytes: mlp([16, 4_096, 16, 4_096, 1], random), batchMax: 1_024 },
  ];
  const asked = models.filter(({ name }) => only === '' || name === only);
  if (asked.length === 0)
    throw new MillraceError('config', `there is no model '${only}'`, {
      hint: `one of ${models.map(({ name }) => `'${name}'`).join(', ')}`,
    });
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  const goals: Record<string, Goal> = {};
  const details: Record<string, unknown> = {};
  try {
    for (const model of asked) {
      const file = join(folder, `${model.name}.onnx`);
      await writeFile(file, model.bytes);
      const inference = createInference();
      try {
        const spec = { batchMax: model.batchMax, waitMax: WAIT_MAX, providers: ['cpu'] };
        const handle = await inference.open({ model: pathToFileURL(file), ...spec });
        const limits = await limitsOf(model, handle);
        progress(`${model.name}: ${JSON.stringify(limits)}`);
        details[model.name] = { ...limits, ...(await compare(model, handle, limits)) };
        details[`${model.name}, overload`] = await overload(model, handle, limits);
      } finally {
        await inference.close();
      }
    }
    if (only === '') details['worker time of two models'] = await shares(folder, models[1] as Model, goals);
    return { unit: 'ms', figures, ratios, goals, details };
  } finally {
    await rm(folder, { recursive: true });
  }

  /** Latencies by rule and share, each in turn. */
  async function compare(model: Model, handle: ModelHandle, limits: Limits): Promise<Record<string, unknown>> {
    const thread = await openSession(model.bytes);
    const rows = rowsOf(model);
    const rule = (waitMs: number) => ruleServer(thread, rows, { batchMax: model.batchMax, waitMs });
    const servers: Readonly<Record<string, () => Server>> = {
      service: () => serviceServer(handle, rows),
      greedy: () => rule(0),
      'constant wait': () => rule(WAIT_MAX),
    };
    const found: Record<string, unknown> = {};
    for (const share of SHARES) {
      const runs: Record<string, Latencies[]> = {};
      for (let round = 0; round < rounds; round++) {
        for (const [name, server] of Object.entries(servers)) {
          const arrivals = { rowsPerSecond: limits.rowsPerSecond * share, seconds, random: generator(round + 1) };
          const run = await arrive(server(), { ...arrivals, deadlineMs: limits.deadlineMs });
          progress(`${model.name}, ${share * 100} %, ${name}: ${JSON.stringify(run)}`);
          runs[name] = [...(runs[name] ?? []), run];
          await pause(200);
        }
      }
      for (const [name, own] of Object.entries(runs)) {
        const label = `${model.name} at ${share * 100} %, ${name}`;
        for (const key of ['p50', 'p99', 'p999'] as const)
          figures[`${label}: ${key}`] = spreadOf(own.map((run) => run[key]));
        if (share === 0.5 && name === 'service')
          goals[`${label}: p99, ms`] = { is: spreadOf(own.map((run) => run.p99)), atMost: limits.deadlineMs };
        found[label] = {
          inTime: spreadOf(own.map((run) => run.inTime)),
          rowsABatch: spreadOf(own.map((run) => run.rowsABatch)),
        };
      }
      const [own = [], ...others] = Object.values(runs);
      for (const [i, name] of ['greedy', 'constant wait'].entries()) {
        // The other way round it would be infinite where a rule has none in time.
        const inTimeOf = (run: Latencies, at: number) => (others[i]?.[at]?.inTime as number) / run.inTime;
        const label = `${model.name} at ${share * 100} %: rows in time, ${name} through service`;
        ratios[label] = spreadOf(own.map(inTimeOf));
        if (share === 0.8) goals[label] = { is: ratios[label], atMost: 1 };
      }
    }
    await thread.call('close', {});
    return found;
  }

  /** Half as many rows again as can be scored, a third of them in each tier, for the whole time of the rounds. */
  async function overload(model: Model, handle: ModelHandle, limits: Limits): Promise<Record<string, unknown>> {
    const rows = rowsOf(model);
    const deadlineMs = WAIT_MAX + 4 * limits.p99OfABatchMs;
    const before = process.memoryUsage.rss();
    const shedBefore = handle.stats().shed;
    const fates = await Promise.all(
      tiers.map(async (tier, i) => {
        const scored = { rows: 0 };
        const urgency = { tierOf: () => tier, deadlineOf: () => deadlineMs, sheds: true };
        const server = onlyScored(handle, rows, urgency, scored);
        const arrivals = {
          rowsPerSecond: limits.rowsPerSecond / 2,
          seconds: seconds * rounds,
          random: generator(i + 1),
        };
        const { rows: asked, inTime } = await arrive(server, { ...arrivals, deadlineMs, patienceMs: 200 });
        return [tier, { asked, scoredInTime: inTime, scored: scored.rows / asked }] as const;
      }),
    );
    const shed = Object.fromEntries(tiers.map((tier) => [tier, handle.stats().shed[tier] - shedBefore[tier]]));
    const found = {
      deadlineMs,
      ...Object.fromEntries(fates),
      shed,
      rssGrowthMB: (process.memoryUsage.rss() - before) / 1e6,
    };
    progress(`${model.name}, 150 %: ${JSON.stringify(found)}`);
    const label = `${model.name} at 150 %`;
    for (const [tier, { scored, scoredInTime }] of fates) {
      if (tier === 'high') goals[`${label}: in time, ${tier}`] = { is: once(scoredInTime), atLeast: 0.99 };
      else goals[`${label}: scored, ${tier}`] = { is: once(scored), atLeast: 0.001 };
    }
    goals[`${label}: growth of the process, MB`] = { is: once(found.rssGrowthMB), atMost: GROWTH_MAX_MB };
    return found;
  }
};

interface Limits {
  /** What the service scores with all rows at hand. */
  readonly rowsPerSecond: number;
  readonly p99OfABatchMs: number;
  readonly batchRows: number;
  readonly deadlineMs: number;
}

/** What a model can do, measured through the service: with many rows at hand, and with one batch of the best size after another. */
async function limitsOf(model: Model, handle: ModelHandle): Promise<Limits> {
  const rows = rowsOf(model);
  const rowsPerSecond = await saturate(handle, rows, 3_000);
  const batchRows = handle.stats().batchRows[0] as number;
  const times: number[] = [];
  const fill = fillFrom(rows);
  for (const startMs = performance.now(); performance.now() - startMs < 3_000; ) {
    const sinceMs = performance.now();
    await handle.run(batchRows, fill);
    times.push(performance.now() - sinceMs);
  }
  const p99OfABatchMs = times.sort((a, b) => a - b)[Math.floor(0.99 * times.length)] as number;
  return { rowsPerSecond, p99OfABatchMs, batchRows, deadlineMs: WAIT_MAX + 2 * p99OfABatchMs };
}

/** Rows a second of callers that always have more. */
async function saturate(handle: ModelHandle, rows: readonly Float32Array[], ms: number): Promise<number> {
  const startMs = performance.now();
  let scored = 0;
  const fill = fillFrom(rows);
  const caller = async () => {
    while (performance.now() - startMs < ms) {
      await handle.run(rows.length, fill);
      scored += rows.length;
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
  return (scored * 1_000) / (performance.now() - startMs);
}

/** Two models of 100 : 1, by batch, with as many rows as they can take: the worker time of each, by weight. */
async function shares(folder: string, dear: Model, goals: Record<string, Goal>): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  // Cheap, but dear enough that this thread can keep a worker busy with it.
  const cheap: Model = { name: 'cheap', width: 64, bytes: mlp([64, 256, 256, 128, 1], generator(2)), batchMax: 64 };
  const file = join(folder, 'cheap.onnx');
  await writeFile(file, cheap.bytes);
  for (const [one, other] of [
    [1, 1],
    [3, 1],
    [1, 3],
  ] as const) {
    const inference = createInference();
    const open = (name: string, batchMax: number, weight: number) =>
      inference.open({
        model: pathToFileURL(join(folder, name)),
        batchMax,
        waitMax: WAIT_MAX,
        providers: ['cpu'],
        weight,
      });
    const first = await open(`${dear.name}.onnx`, dear.batchMax, one);
    const second = await open('cheap.onnx', cheap.batchMax, other);
    const saturated = Promise.all([saturate(first, rowsOf(dear), 6_000), saturate(second, rowsOf(cheap), 6_000)]);
    // While both have rows: at the end the dear one still has many, and nobody beside it.
    await pause(500);
    const before = [first.stats(), second.stats()];
    await pause(5_000);
    const used = [first, second].map((handle, i) => handle.stats().workerMs - (before[i]?.workerMs ?? 0));
    await saturated;
    const msABatch = [first, second].map((handle) => handle.stats().workerMs / handle.stats().batches);
    const share = (used[0] as number) / ((used[0] as number) + (used[1] as number));
    const shouldBe = one / (one + other);
    goals[`worker time through its share, ${one} : ${other}`] = {
      is: once(share / shouldBe),
      atLeast: 0.9,
      atMost: 1.1,
    };
    found[`weights ${one} : ${other}`] = {
      ...{ share, shouldBe },
      costOfABatch: (msABatch[0] as number) / (msABatch[1] as number),
    };
    await inference.close();
  }
  return found;
}

/** As `serviceServer`, but rows that are left to others never count as answered in time. */
function onlyScored(
  handle: ModelHandle,
  rows: readonly Float32Array[],
  urgency: { readonly tierOf: () => Tier; readonly deadlineOf: () => number; readonly sheds: boolean },
  scored: { rows: number },
): Server {
  const fill = fillFrom(rows);
  return {
    ask(count, onAnswer) {
      void handle.run(count, fill, undefined, urgency).then(({ shed }) => {
        const answered = count - (shed?.size ?? 0);
        scored.rows += answered;
        if (answered > 0) onAnswer(answered);
      });
    },
    batches: () => handle.stats(),
  };
}

const rowsOf = ({ width }: Model): readonly Float32Array[] => {
  const random = generator(3);
  return Array.from({ length: 512 }, () => Float32Array.from({ length: width }, random));
};
