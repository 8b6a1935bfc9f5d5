import { type CellSpec, type Learner, type MetricRow, seconds } from '../../../src/core/index.js';
import { featureView, numeric } from '../../../src/ml/features/index.js';
import { halfSpaceTrees, minMaxScaler, pipe } from '../../../src/ml/index.js';
import { detectAnomalies, featurize, map } from '../../../src/operators/index.js';
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
              'said',
              map(({ anomaly }) => anomaly),
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

const cellsOf = (learner: Learner<never, unknown>) =>
  Object.fromEntries(Object.entries<CellSpec>(learner.cells(view.shape)).map(([name, spec]) => [name, spec.open()]));

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

function check(task: number, order: readonly Entry<Row>[], outcome: Outcome): void {
  const cells = cellsOf(trees);
  const model = trees.open(cells, view.shape);
  const { vector } = view.open();
  const out: Expected[] = [];
  const measured: Pick<MetricRow, 'name' | 'value' | 'eventTimeMs'>[] = [];
  const before = new Scores();
  let learned = 0;
  let window = { startMs: 0, scored: 0, scores: 0, anomalous: 0 };
  for (const { value, topic, offset } of order) {
    const startMs = Math.floor(value.timeMs / METRICS) * METRICS;
    if (startMs !== window.startMs) {
      const eventTimeMs = window.startMs + METRICS;
      if (window.scored > 0)
        measured.push(
          { name: 'scored', value: window.scored, eventTimeMs },
          { name: 'score_mean', value: window.scores / window.scored, eventTimeMs },
          { name: 'anomalous', value: window.anomalous, eventTimeMs },
        );
      window = { startMs, scored: 0, scores: 0, anomalous: 0 };
    }
    const row = vector(value);
    const score = model.predictOne(row);
    const isWarm = learned >= WINDOW_ROWS;
    const anomalous = isWarm && before.exceeds(score);
    out.push({
      value: { score, anomalous, modelVersion: `anomalies.${task}.${learned - (learned % 10)}` },
      topic,
      offset,
    });
    if (isWarm) {
      window.scored += 1;
      window.scores += score;
      if (anomalous) window.anomalous += 1;
    }
    if (!anomalous && model.learnOne(row, undefined) === 'learnt') learned += 1;
  }
  exactly('out', outcome.output('out').rows, out);
  deadLetters(outcome.output('$dead-letters').rows, []);
  if (learned < order.length / 2) throw new Error(`only ${learned} of ${order.length} rows were learnt`);
  const rows = outcome
    .output('$metrics')
    .rows.map(({ value }) => value as MetricRow)
    .filter(({ name }) => !name.startsWith('counter:'))
    .map(({ name, value, eventTimeMs }) => ({ name, value, eventTimeMs }));
  const wrong = rows.findIndex((row, i) => !same(row, measured[i]));
  if (wrong >= 0 || rows.length !== measured.length)
    throw new Error(
      `of ${rows.length} measures ${JSON.stringify(rows.at(wrong))} is wrong, expected ${JSON.stringify(measured.at(wrong))} of ${measured.length}`,
    );
}
