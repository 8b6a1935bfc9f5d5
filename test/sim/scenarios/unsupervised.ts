import { type CellSpec, type Learner, type MetricRow, seconds } from '../../../src/core/index.js';
import { featureView, numeric } from '../../../src/ml/features/index.js';
import { halfSpaceTrees, kMeans, minMaxScaler, pipe, standardScaler } from '../../../src/ml/index.js';
import { assignCluster, detectAnomalies, featurize, map } from '../../../src/operators/index.js';
import {
  logOf,
  type Outcome,
  type Random,
  type Scenario,
  same,
  simSink,
  simSource,
} from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { deadLetters, type Expected, exactly } from './compare.js';
import { type Entry, entriesOf } from './merge.js';

interface Row {
  readonly timeMs: number;
  readonly x: number;
  readonly y: number;
}

const view = featureView({
  name: 'unsupervised',
  version: 1,
  columns: { x: (r: Row) => r.x, y: (r: Row) => r.y },
  features: { x: numeric('x'), y: numeric('y') },
});

/** Small windows, so that the trees forget often. */
const WINDOW_ROWS = 30;
const trees = pipe(minMaxScaler(), halfSpaceTrees({ trees: 4, height: 5, window: WINDOW_ROWS }));
const QUANTILE = 0.95;
const clusters = pipe(standardScaler(), kMeans({ clusters: 4, halfLife: 40 }));
const METRICS = seconds(1);

/** Learning without labels: which records are learnt depends on the scores of all before them. */
export const unsupervised: Scenario = {
  name: 'unsupervised',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const log = { rows: inputs.map((rows) => logOf(rows.map(withTime), random)) };
    return {
      log,
      topology: () =>
        topology('unsupervised', { deadLetters: simSink('transactional'), metrics: simSink('transactional') }, (t) => {
          t.source(
            'rows',
            simSource<Row>('rows', ({ timeMs }) => timeMs),
          )
            .via('features', featurize(view))
            .via(
              'anomalies',
              detectAnomalies(trees, {
                as: 'anomaly',
                view,
                learnBelowQuantile: QUANTILE,
                metricsInterval: METRICS,
                versionEveryRecords: 10,
              }),
            )
            .via(
              'segments',
              assignCluster(clusters, { as: 'segment', view, metricsInterval: METRICS, versionEveryRecords: 10 }),
            )
            .via(
              'said',
              map(({ anomaly, segment }) => ({ anomaly, segment })),
            )
            .to('out', simSink('transactional'));
        }),
      check: (task, outcome) => check(task, entriesOf('rows', inputs[task] ?? [], log.rows[task]), outcome),
    };
  },
};

const withTime = (value: Row) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, count: number): Row[] {
  let timeMs = 1_000_000;
  return Array.from({ length: count }, (_, i) => {
    timeMs += random.int(16);
    // What is usual moves from time to time; a few rows lie anywhere, and some cannot be learnt.
    const center = random.chance(0.03) ? random.int(1_000) : 200 + 300 * (Math.floor(i / 300) % 2);
    return { timeMs, x: random.chance(0.01) ? 1e9 : center + random.int(60), y: center + random.int(90) };
  });
}

/** A learner alone: nothing of it is logged or restored. */
function openAlone<P>(learner: Learner<unknown, P>) {
  const specs = Object.entries<CellSpec>(learner.cells(view.shape));
  return learner.open(Object.fromEntries(specs.map(([name, spec]) => [name, spec.open()])), view.shape);
}

/** Scores as a quantile tells them apart, in order. */
class Scores {
  private readonly sorted: number[] = [];

  /** Whether a score is above the quantile of those before it; adds it. */
  exceeds(score: number): boolean {
    const bin = Math.floor(Math.log(score / (1 - score)) / 0.02);
    const { sorted } = this;
    const isAbove =
      sorted.length >= 1 / (1 - QUANTILE) - 1e-6 &&
      bin > (sorted[Math.floor(QUANTILE * (sorted.length - 1))] as number);
    sorted.splice(sorted.findLastIndex((each) => each <= bin) + 1, 0, bin);
    return isAbove;
  }
}

type Measured = Pick<MetricRow, 'name' | 'value' | 'eventTimeMs'>;

/** Sums of rows that are measured, by windows. */
class Windows {
  readonly measured: Measured[] = [];
  private startMs = 0;
  private rows = 0;
  private sums = [0, 0];

  constructor(private readonly measures: (rows: number, sums: readonly number[]) => Record<string, number>) {}

  turn(timeMs: number): void {
    const startMs = Math.floor(timeMs / METRICS) * METRICS;
    if (startMs === this.startMs) return;
    const eventTimeMs = this.startMs + METRICS;
    if (this.rows > 0)
      for (const [name, value] of Object.entries(this.measures(this.rows, this.sums)))
        this.measured.push({ name, value, eventTimeMs });
    this.startMs = startMs;
    this.rows = 0;
    this.sums = [0, 0];
  }

  add(a: number, b = 0): void {
    this.rows += 1;
    this.sums = [(this.sums[0] as number) + a, (this.sums[1] as number) + b];
  }
}

function check(task: number, order: readonly Entry<Row>[], outcome: Outcome): void {
  const model = openAlone(trees);
  const groups = openAlone(clusters);
  const { vector } = view.open();
  const out: Expected[] = [];
  const before = new Scores();
  const scored = new Windows((rows, [scores = 0, anomalous = 0]) => ({
    scored: rows,
    score_mean: scores / rows,
    anomalous,
  }));
  const assigned = new Windows((rows, [off = 0]) => ({ assigned: rows, distance_mean: off / rows }));
  const learned = { anomalies: 0, segments: 0 };
  const version = (step: keyof typeof learned) => `${step}.${task}.${learned[step] - (learned[step] % 10)}`;
  for (const { value, topic, offset } of order) {
    for (const windows of [scored, assigned]) windows.turn(value.timeMs);
    const row = vector(value);
    const score = model.predictOne(row);
    const isWarm = learned.anomalies >= WINDOW_ROWS;
    const anomalous = isWarm && before.exceeds(score);
    if (isWarm) scored.add(score, anomalous ? 1 : 0);
    const distances = groups.predictOne(row);
    const distance = Math.min(...distances);
    assigned.add(distance);
    const said = {
      anomaly: { score, anomalous, modelVersion: version('anomalies') },
      segment: { cluster: distances.indexOf(distance), distance, modelVersion: version('segments') },
    };
    out.push({ value: said, topic, offset });
    if (!anomalous && model.learnOne(row, undefined) === 'learnt') learned.anomalies += 1;
    if (groups.learnOne(row, undefined) === 'learnt') learned.segments += 1;
  }
  exactly('out', outcome.output('out').rows, out);
  deadLetters(outcome.output('$dead-letters').rows, []);
  if (learned.anomalies < order.length / 2)
    throw new Error(`only ${learned.anomalies} of ${order.length} rows were learnt`);
  for (const { measured } of [scored, assigned]) sameMeasures(outcome, measured);
}

/** The measures of a step: each once, in order. Those of two steps may mix in any way. */
function sameMeasures(outcome: Outcome, expected: readonly Measured[]): void {
  const names = new Set(expected.map(({ name }) => name));
  const rows = outcome
    .output('$metrics')
    .rows.map(({ value }) => value as MetricRow)
    .filter(({ name }) => names.has(name))
    .map(({ name, value, eventTimeMs }) => ({ name, value, eventTimeMs }));
  const wrong = rows.findIndex((row, i) => !same(row, expected[i]));
  if (wrong >= 0 || rows.length !== expected.length)
    throw new Error(
      `of ${rows.length} measures ${JSON.stringify(rows.at(wrong))} is wrong, expected ${JSON.stringify(expected.at(wrong))} of ${expected.length}`,
    );
}
