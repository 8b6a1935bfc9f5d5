import { performance } from 'node:perf_hooks';
import type { ModelReport } from '../core/inference.js';
import { DurationHistogram, ERRORS_MAX, type LastError, type Restart, type RunSnapshot } from '../runtime/index.js';
import type { Topology } from '../topology/index.js';
import type { Alert } from './alerts/watch.js';
import { healthOf } from './health.js';
import {
  furthestBehind,
  type InputFigures,
  InputLags,
  lagOf,
  most,
  ROWS_MAX,
  rowsLeft,
  smoothing,
} from './input-figures.js';
import { type Bins, binsOf, type Percentiles, percentilesOf, RecentLatencies } from './latency-figures.js';
import { type MetricFigures, metricsOf } from './metric-figures.js';
import { type QualityFigures, qualityOf } from './quality-figures.js';
import { countsOf } from './run-counts.js';
import { type Silence, silences } from './silences.js';
import { type Bottleneck, bottleneckText, type NodeShares, TimeShares } from './time-shares.js';

/** The figures of a source, step or sink. Rates are records a second, smoothed over five seconds. */
export interface NodeFigures {
  readonly in: number;
  readonly out: number;
  readonly inRate: number;
  readonly outRate: number;
  /** How the last second was spent, in the task that was idle least; `null` before the first second is over. */
  readonly shares: NodeShares | null;
  /**
   * How long ago its records had been received when it was done with them, over the last ten seconds, in milliseconds; `null` without a
   * record.
   */
  readonly latency: Percentiles | null;
  /** The same as a histogram. */
  readonly latencyBins: Bins;
  readonly deadLetters: number;
  /** What it counts besides. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the last checkpoints have of its state, encoded. */
  readonly stateBytes: number;
  /** Whether `/state` has answers of it. */
  readonly hasQueries: boolean;
  /** Its newest dead letters since their tasks were opened, at most five; the newest first. */
  readonly errors: readonly (LastError & { readonly task: number })[];
}

/** The form of pictures, which processes of other versions tell each other. Raise it with every change. */
export const PICTURE_FORM = 8;

/** What the page shows of a process: one value a second. */
export interface Picture {
  readonly form: number;
  readonly atMs: number;
  readonly startedMs: number;
  readonly upSeconds: number;
  readonly status: 'ok' | 'paused' | 'degraded' | 'stopped';
  readonly tasks: number;
  readonly tasksAtRest: number;
  readonly readRate: number;
  readonly writtenRate: number;
  /** Records behind the ends of the logs; `null` where no source can tell. */
  readonly lag: number | null;
  /** By how many a second it grows, or shrinks. */
  readonly lagRate: number;
  /** From the event time of the oldest record that has not been read to now; `null` where it is not known. */
  readonly lagSeconds: number | null;
  /** From source to sink, over the last ten seconds, in milliseconds; `null` without a record. */
  readonly latency: Percentiles | null;
  /** The same as a histogram. */
  readonly latencyBins: Bins;
  /** The share of time in which the thread of this process worked. */
  readonly loop: number;
  /** What the process has in memory. */
  readonly memoryBytes: number;
  /** For how long the task that is slowest to commit has had records that no checkpoint has. */
  readonly uncommittedSeconds: number;
  readonly nodes: Readonly<Record<string, NodeFigures>>;
  /** What the run waits for, or takes most of the thread. */
  readonly bottleneck: Bottleneck | null;
  readonly bottleneckText: string;
  /** Where there are more than fit, those that are furthest behind. */
  readonly inputs: readonly InputFigures[];
  /** Rows that do not fit, by list. */
  readonly left: { readonly inputs: number; readonly measures: number };
  readonly deadLetters: readonly { readonly step: string; readonly reason: string; readonly count: number }[];
  /** Those over all slices first. */
  readonly measures: readonly MetricFigures[];
  /** Rules of records and windows. */
  readonly quality: readonly QualityFigures[];
  /** The ONNX models that are loaded. */
  readonly models: readonly Pick<ModelReport, 'model' | 'provider' | 'rows' | 'failed' | 'batches' | 'lost'>[];
  /** What has not answered for more than a second, and is not called down. */
  readonly silent: readonly Silence[];
  readonly sinksDown: readonly { readonly sink: string; readonly seconds: number; readonly cause: string }[];
  /** Alert rules; those that fire first. */
  readonly alerts: readonly AlertFigures[];
  /** The last epochs of tasks; of many those that took longest. */
  readonly epochs: readonly EpochFigures[];
  readonly restarts: number;
  /** The newest of them, at most twenty; the newest first. */
  readonly lastRestarts: readonly RestartFigures[];
  readonly warnings: readonly string[];
}

/** Where an alert rule stands. */
export interface AlertFigures extends Pick<Alert, 'name' | 'state' | 'sinceMs' | 'why'> {
  readonly severity: Alert['rule']['severity'];
}

/** A task that was restored from its checkpoint. */
export interface RestartFigures extends Restart {
  readonly subtopology: string;
  readonly task: number;
}

/** The last epoch of a task. */
export interface EpochFigures {
  readonly subtopology: string;
  readonly task: number;
  readonly epoch: number;
  readonly ageSeconds: number;
  readonly drainMs: number;
  readonly prepareMs: number;
  readonly storeMs: number;
  readonly commitMs: number;
  /** State that it has stored. */
  readonly bytes: number;
}

export const EPOCHS_MAX = 10;
export const RESTARTS_MAX = 20;
const CAUSE_MAX = 300;
const RATE_SECONDS = 5;
const DEAD = 'dead:';
/** Counters that boxes show by themselves. */
const FLOW: ReadonlySet<string> = new Set(['read', 'in', 'out', 'written']);

type Counters = Map<string, Map<string, number>>;

/**
 * Makes a picture of a run at each call, about once a second. Rates are differences to the call before, so the first picture has none.
 *
 * Memory: the counters of the last call and, for each step and sink, ten latency histograms.
 */
export function pictures(
  topology: Topology,
  snapshot: () => RunSnapshot,
  isReady: () => boolean,
  alerts: () => readonly Alert[] = () => [],
  nowMs: () => number = Date.now,
): () => Picture {
  const startedMs = nowMs();
  let beforeMs: number | undefined;
  let counted = new Map<string, number>();
  const timeShares = new TimeShares(topology);
  const measuresOf = metricsOf(topology);
  const rulesOf = qualityOf(topology);
  let loopBefore = performance.eventLoopUtilization();
  const rates = new Map<string, number>();
  const recentLatencies = new RecentLatencies();
  const inputLags = new InputLags(topology);

  return () => {
    const from = snapshot();
    const atMs = nowMs();
    const seconds = beforeMs === undefined ? 0 : (atMs - beforeMs) / 1_000;
    const counters = countersOf(from);
    const counts = countsOf(from.tasks);
    // What a task brought with it was counted elsewhere, long ago.
    const restored = new Map(counts.map(({ step, name, value, inThisRun }) => [`${step}\0${name}`, value - inThisRun]));
    const processed = new Map<string, number>();
    const weight = smoothing(seconds, RATE_SECONDS);
    for (const [step, all] of counters)
      for (const [name, value] of all) {
        const key = `${step}\0${name}`;
        const here = value - (restored.get(key) ?? 0);
        processed.set(key, here);
        const more = here - (counted.get(key) ?? Number.NaN);
        if (!(seconds > 0 && more >= 0)) continue; // one that fell was that of a task that has left
        const before = rates.get(key) ?? more / seconds;
        rates.set(key, before + weight * (more / seconds - before));
      }
    const rateOf = (step: string, name: string): number => rates.get(`${step}\0${name}`) ?? 0;
    const total = (name: string) => [...counters.keys()].reduce((sum, step) => sum + rateOf(step, name), 0);

    const loop = performance.eventLoopUtilization(loopBefore).utilization;
    const times = timeShares.next(from.tasks, loop);
    const stateBytes = stateBytesIn(from);
    const queryable = new Set(from.tasks.flatMap((task) => task.queryable));
    const latencies = recentLatencies.next(from.latencies);
    const nodes: Record<string, NodeFigures> = {};
    for (const [step, all] of counters) {
      const input = all.has('read') ? 'read' : 'in';
      const output = all.has('written') ? 'written' : all.has('out') ? 'out' : input;
      nodes[step] = {
        in: all.get(input) ?? all.get(output) ?? 0,
        out: all.get(output) ?? 0,
        inRate: rateOf(step, all.has(input) ? input : output),
        outRate: rateOf(step, output),
        shares: times.nodes.get(step) ?? null,
        latency: percentilesOf(latencies.get(step)),
        latencyBins: binsOf(latencies.get(step)),
        deadLetters: [...all].reduce((sum, [name, value]) => sum + (name.startsWith(DEAD) ? value : 0), 0),
        counts: Object.fromEntries([...all].filter(([name]) => !FLOW.has(name) && !name.startsWith(DEAD))),
        stateBytes: stateBytes.get(step) ?? 0,
        hasQueries: queryable.has(step),
        errors: newest(errorsOf(from, step), ERRORS_MAX),
      };
    }
    const health = healthOf(from, isReady(), atMs, counts);
    const latency = new DurationHistogram();
    for (const { id } of topology.sinks) latency.add(latencies.get(id) ?? new DurationHistogram());
    const [inputs, measures] = [inputLags.next(from, atMs, seconds), measuresOf(from.slices)];
    const picture: Picture = {
      form: PICTURE_FORM,
      atMs,
      startedMs,
      upSeconds: Math.round((atMs - startedMs) / 1_000),
      status: health.status === 'ok' && from.isPaused ? 'paused' : health.status,
      tasks: from.tasks.length,
      tasksAtRest: from.tasks.filter(({ isAtRest }) => isAtRest).length,
      readRate: total('read'),
      writtenRate: total('written'),
      ...lagOf(inputs),
      latency: percentilesOf(latency),
      latencyBins: binsOf(latency),
      loop,
      memoryBytes: process.memoryUsage.rss(),
      uncommittedSeconds: Math.max(0, ...from.tasks.map((task) => uncommittedSeconds(task, atMs))),
      nodes,
      bottleneck: times.bottleneck ?? null,
      bottleneckText: bottleneckText(times.bottleneck),
      inputs: furthestBehind(inputs),
      left: { inputs: rowsLeft(inputs), measures: rowsLeft(measures) },
      deadLetters: deadLettersOf(counters),
      measures: measures.slice(0, ROWS_MAX),
      quality: rulesOf(counters, from.slices).slice(0, ROWS_MAX),
      models: from.models
        .slice(0, ROWS_MAX)
        .map(({ model, provider, rows, failed, batches, lost }) => ({ model, provider, rows, failed, batches, lost })),
      sinksDown: health.sinksDown,
      silent: silences(from.tasks),
      alerts: alertsOf(alerts()),
      epochs: slowestEpochs(epochsOf(from, atMs)),
      restarts: health.restarts,
      lastRestarts: newest(restartsOf(from), RESTARTS_MAX),
      warnings: health.warnings,
    };
    beforeMs = atMs;
    counted = processed;
    loopBefore = performance.eventLoopUtilization();
    return picture;
  };
}

export const ALERT_ORDER: readonly Alert['state'][] = ['firing', 'pending', 'resolved', 'inactive'];

const alertsOf = (alerts: readonly Alert[]): readonly AlertFigures[] =>
  alerts
    .map(({ name, state, sinceMs, why, rule: { severity } }) => ({ name, state, sinceMs, why, severity }))
    .sort((a, b) => ALERT_ORDER.indexOf(a.state) - ALERT_ORDER.indexOf(b.state));

/** By step and name, over all tasks. */
function countersOf({ counters }: RunSnapshot): Counters {
  const byStep: Counters = new Map();
  for (const { step, name, value } of counters) {
    const ofStep = byStep.get(step) ?? new Map<string, number>();
    byStep.set(step, ofStep);
    ofStep.set(name, (ofStep.get(name) ?? 0) + value);
  }
  return byStep;
}

function stateBytesIn({ tasks }: RunSnapshot): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [step, bytes] of tasks.flatMap((task) => [...task.stateBytes]))
    sums.set(step, (sums.get(step) ?? 0) + bytes);
  return sums;
}

const errorsOf = ({ tasks }: RunSnapshot, step: string): NodeFigures['errors'] =>
  tasks.flatMap(({ partition, errors }) => (errors.get(step) ?? []).map((error) => ({ ...error, task: partition })));

/** A message may hold what a server said, however long. */
const restartsOf = ({ health }: RunSnapshot): Picture['lastRestarts'] =>
  health.flatMap(({ subtopology, partition, lastRestarts }) =>
    lastRestarts.map(({ cause, ...rest }) => ({
      ...rest,
      cause: cause.slice(0, CAUSE_MAX),
      subtopology,
      task: partition,
    })),
  );

/** So many of those with the latest times, the newest first. */
export const newest = <Row extends { readonly atMs: number; readonly task: number }>(
  rows: readonly Row[],
  rowsMax: number,
): Row[] => rows.toSorted((a, b) => b.atMs - a.atMs || a.task - b.task).slice(0, rowsMax);

/** For how long a task has had records that no checkpoint has. */
export const uncommittedSeconds = (
  { uncommittedSinceMs }: Pick<RunSnapshot['tasks'][number], 'uncommittedSinceMs'>,
  nowMs: number,
): number => (uncommittedSinceMs === undefined ? 0 : Math.max(0, (nowMs - uncommittedSinceMs) / 1_000));

const epochsOf = ({ tasks }: RunSnapshot, nowMs: number): EpochFigures[] =>
  tasks.flatMap(({ subtopology, partition, epoch, epochs: { last } }) => {
    if (!last) return [];
    const { drain, prepare, store, commit } = last.phaseMs;
    return [
      {
        ...{ subtopology, task: partition, epoch, ageSeconds: (nowMs - last.endedMs) / 1_000, bytes: last.bytes },
        ...{ drainMs: drain, prepareMs: prepare, storeMs: store, commitMs: commit },
      },
    ];
  });

export const slowestEpochs = (epochs: readonly EpochFigures[]): EpochFigures[] =>
  most(epochs, EPOCHS_MAX, ({ drainMs, prepareMs, storeMs, commitMs }) => drainMs + prepareMs + storeMs + commitMs);

const deadLettersOf = (counters: Counters): Picture['deadLetters'] =>
  [...counters]
    .flatMap(([step, all]) =>
      [...all].flatMap(([name, count]) =>
        name.startsWith(DEAD) && count > 0 ? [{ step, reason: name.slice(DEAD.length), count }] : [],
      ),
    )
    .sort((a, b) => b.count - a.count)
    .slice(0, ROWS_MAX);
