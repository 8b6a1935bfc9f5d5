/**
 * What do six metrics over three slicings of 20 values cost `evaluate`, beside the join of predictions and labels?
 *
 * 100 predictions a second, each with a label ten minutes later; windows of an hour, labels are awaited for an hour, so two to three windows are
 * open. The join alone has no metrics and no slices. Both hand over their changes every 25,000 records, as an epoch does. The cost is
 * processor time; memory is that of the step after a collection.
 */
import { hours } from '../src/index.js';
import { chance } from '../src/ml/chance.js';
import { accuracy, brier, calibrationError, fBeta, logLoss, rocAuc } from '../src/ml/metrics/index.js';
import { evaluate } from '../src/operators/index.js';
import type { Benchmark } from './benchmark.js';
import { measurePairs, once, type Run, spreadOf } from './pairs.js';
import { StepAlone } from './work/step-alone.js';

interface Prediction {
  readonly id: number;
  readonly p: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}
interface Label {
  readonly id: number;
  readonly late: boolean;
}

export const options = { labels: 400_000, pairs: 7 };

const PREDICTIONS_MS = 10;
const LATER_MS = 600_000;
const EPOCH_RECORDS = 25_000;
const WARM_LABELS = 20_000;

const common = {
  prediction: { key: (row: Prediction) => row.id, value: (row: Prediction) => row.p },
  label: { key: (label: Label) => label.id, value: (label: Label) => label.late },
  wait: hours(1),
  every: hours(1),
  pendingMax: 1_000_000,
};
const joined = () => evaluate({ ...common, metrics: {} });
const measured = () =>
  evaluate({
    ...common,
    metrics: {
      loss: logLoss(),
      brier: brier(),
      auc: rocAuc(),
      right: accuracy(),
      f1: fBeta(),
      calibration: calibrationError(),
    },
    slices: { a: ({ a }) => a, b: ({ b }) => b, c: ({ c }) => c },
  });

const rows = Array.from({ length: 8_192 }, (_, i) => {
  const at = (n: number) => Math.floor(20 * chance(1, n, i));
  return { p: chance(2, 0, i), late: chance(2, 1, i) < chance(2, 0, i), a: at(0), b: at(1), c: at(2) };
});

/** Bytes on the heap and in buffers, after a collection. */
function heldBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A step that goes on where it was: predictions, and labels of those of ten minutes ago. */
class Course {
  private next = 0;
  private readonly step: StepAlone;
  constructor(operator: ConstructorParameters<typeof StepAlone>[0]) {
    this.step = new StepAlone(operator, 0);
  }

  run(labels: number): number {
    const lag = LATER_MS / PREDICTIONS_MS;
    for (const end = this.next + labels; this.next < end; this.next++) {
      const timeMs = 1_000_000_000_000 + this.next * PREDICTIONS_MS;
      const { p, a, b, c } = rows[this.next % rows.length] as (typeof rows)[number];
      this.step.record({ id: this.next, p, a, b, c }, timeMs);
      const id = this.next - lag;
      if (id >= 0) this.step.record({ id, late: rows[id % rows.length]?.late }, timeMs, 1);
      if (this.next % EPOCH_RECORDS === 0) this.step.epoch();
    }
    return labels;
  }
}

const microsOf = ({ records, cpuSeconds }: Run): number => (1e6 * cpuSeconds) / records;

export const benchmark: Benchmark<typeof options> = async (progress, { labels, pairs }) => {
  const held = (operator: () => ConstructorParameters<typeof StepAlone>[0]): readonly [Course, number] => {
    const before = heldBytes();
    const course = new Course(operator());
    course.run(LATER_MS / PREDICTIONS_MS + WARM_LABELS);
    return [course, heldBytes() - before];
  };
  const [alone, aloneBytes] = held(joined);
  const [six, sixBytes] = held(measured);
  const { runs } = await measurePairs(
    [
      { name: 'joined', work: () => alone.run(labels) },
      { name: 'measured', work: () => six.run(labels) },
    ],
    { pairs, warmUps: 1 },
    progress,
  );
  const { joined: first = [], measured: second = [] } = runs;
  const added = spreadOf(second.map((run, i) => microsOf(run) - microsOf(first[i] as Run)));
  const addedMiB = once((sixBytes - aloneBytes) / 2 ** 20);
  return {
    unit: 'us of processor time a label, unless named',
    figures: {
      'the join alone': spreadOf(first.map(microsOf)),
      'with six metrics over three slicings': spreadOf(second.map(microsOf)),
      'six metrics over three slicings add': added,
      'memory that they add, MiB': addedMiB,
    },
    ratios: {},
    goals: {
      'what they add, us a label': { is: added, atMost: 1 },
      'memory that they add, MiB': { is: addedMiB, atMost: 2 },
    },
  };
};
