import { ERRORS_MAX } from '../../runtime/index.js';
import { furthestBehind, lagOf, ROWS_MAX, rowsLeft } from '../input-figures.js';
import { binsOf, histogramOf, percentilesOf } from '../latency-figures.js';
import { ALERT_ORDER, type NodeFigures, newest, type Picture, RESTARTS_MAX, slowestEpochs } from '../live.js';
import { mergedMetric, metricKey, wholeFirst } from '../metric-figures.js';
import { mergedQuality } from '../quality-figures.js';
import { type Bottleneck, bottleneckText } from '../time-shares.js';

/**
 * The pictures of several processes as one, the own one first. Counts and rates are sums, latencies those of all records together,
 * shares of time those of the task that was idle least; measures are sums of counts, and otherwise means over all tasks.
 */
export function mergedPicture(own: Picture, others: readonly Picture[]): Picture {
  const all = [own, ...others];
  const sum = (of: (picture: Picture) => number) => all.reduce((total, picture) => total + of(picture), 0);
  const latency = histogramOf(all.flatMap(({ latencyBins }) => latencyBins));
  const inputs = all.flatMap((each) => each.inputs);
  const measures = wholeFirst(
    byKey(
      all.flatMap((each) => each.measures),
      metricKey,
      mergedMetric,
      Number.POSITIVE_INFINITY,
    ),
  );
  const bottleneck = all.map((each) => each.bottleneck).reduce(worse, null);
  const is = (wanted: Picture['status']) => all.some(({ status }) => status === wanted);
  return {
    ...own,
    status: own.status === 'stopped' ? 'stopped' : is('degraded') ? 'degraded' : is('paused') ? 'paused' : own.status,
    tasks: sum(({ tasks }) => tasks),
    tasksAtRest: sum(({ tasksAtRest }) => tasksAtRest),
    readRate: sum(({ readRate }) => readRate),
    writtenRate: sum(({ writtenRate }) => writtenRate),
    ...lagOf(all),
    latency: percentilesOf(latency),
    latencyBins: binsOf(latency),
    loop: Math.max(...all.map(({ loop }) => loop)),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    uncommittedSeconds: Math.max(...all.map(({ uncommittedSeconds }) => uncommittedSeconds)),
    nodes: mergedNodes(all),
    bottleneck,
    bottleneckText: bottleneckText(bottleneck),
    inputs: furthestBehind(inputs),
    left: {
      inputs: rowsLeft(inputs) + sum(({ left }) => left.inputs),
      measures: rowsLeft(measures) + Math.max(...all.map(({ left }) => left.measures)),
    },
    deadLetters: byKey(
      all.flatMap(({ deadLetters }) => deadLetters),
      ({ step, reason }) => `${step}\0${reason}`,
      (a, b) => ({ ...a, count: a.count + b.count }),
    ).sort((a, b) => b.count - a.count),
    measures: measures.slice(0, ROWS_MAX),
    quality: byKey(
      all.flatMap(({ quality }) => quality),
      ({ step, text }) => `${step}\0${text}`,
      mergedQuality,
    ),
    models: byKey(
      all.flatMap(({ models }) => models),
      ({ model, provider }) => `${model}\0${provider}`,
      (a, b) => ({
        ...a,
        rows: a.rows + b.rows,
        failed: a.failed + b.failed,
        batches: a.batches + b.batches,
        lost: a.lost + b.lost,
      }),
    ),
    sinksDown: byKey(
      all.flatMap(({ sinksDown }) => sinksDown),
      ({ sink }) => sink,
      (a, b) => (b.seconds > a.seconds ? b : a),
    ),
    silent: byKey(
      all.flatMap(({ silent }) => silent),
      ({ id }) => id,
      (a, b) => (b.seconds > a.seconds ? b : a),
    ),
    alerts: byKey(
      all.flatMap(({ alerts }) => alerts),
      ({ name }) => name,
      (a, b) => (ALERT_ORDER.indexOf(b.state) < ALERT_ORDER.indexOf(a.state) ? b : a),
    ).sort((a, b) => ALERT_ORDER.indexOf(a.state) - ALERT_ORDER.indexOf(b.state)),
    epochs: slowestEpochs(all.flatMap(({ epochs }) => epochs)),
    restarts: sum(({ restarts }) => restarts),
    lastRestarts: newest(
      all.flatMap(({ lastRestarts }) => lastRestarts),
      RESTARTS_MAX,
    ),
    warnings: [...new Set(all.flatMap(({ warnings }) => warnings))],
  };
}

function mergedNodes(all: readonly Picture[]): Picture['nodes'] {
  const entries = byKey<readonly [string, NodeFigures]>(
    all.flatMap(({ nodes }) => Object.entries(nodes)),
    ([id]) => id,
    ([id, a], [, b]) => [id, mergedNode(a, b)],
    Number.POSITIVE_INFINITY,
  );
  return Object.fromEntries(entries);
}

function mergedNode(a: NodeFigures, b: NodeFigures): NodeFigures {
  const latency = histogramOf([...a.latencyBins, ...b.latencyBins]);
  return {
    in: a.in + b.in,
    out: a.out + b.out,
    inRate: a.inRate + b.inRate,
    outRate: a.outRate + b.outRate,
    shares: a.shares === null || (b.shares !== null && b.shares.idle < a.shares.idle) ? b.shares : a.shares,
    latency: percentilesOf(latency),
    latencyBins: binsOf(latency),
    deadLetters: a.deadLetters + b.deadLetters,
    counts: summed(a.counts, b.counts),
    stateBytes: a.stateBytes + b.stateBytes,
    hasQueries: a.hasQueries || b.hasQueries,
    errors: newest([...a.errors, ...b.errors], ERRORS_MAX),
  };
}

function summed(a: NodeFigures['counts'], b: NodeFigures['counts']): NodeFigures['counts'] {
  const sums = { ...a };
  for (const [name, value] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + value;
  return sums;
}

/** What a task waits for counts more than what takes a thread. */
function worse(a: Bottleneck | null, b: Bottleneck | null): Bottleneck | null {
  if (a === null || b === null) return a ?? b;
  const [waitsA, waitsB] = [a.kind !== 'busy', b.kind !== 'busy'];
  if (waitsA !== waitsB) return waitsA ? a : b;
  return b.share > a.share ? b : a;
}

/** At most so many items, those with the same key as one. */
function byKey<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  merge: (a: T, b: T) => T,
  itemsMax: number = ROWS_MAX,
): T[] {
  const found = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    const known = found.get(key);
    found.set(key, known === undefined ? item : merge(known, item));
  }
  return [...found.values()].slice(0, itemsMax);
}
