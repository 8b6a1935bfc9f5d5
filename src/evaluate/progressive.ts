import { accumulatorOf } from '../aggregates/accumulator.js';
import type { Aggregate } from '../aggregates/index.js';
import { MillraceError } from '../core/errors.js';
import type { ClassLabel, FeatureNumbers, FeatureShape, Learner, Refusal } from '../core/learner.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { type BaselineCell, baselineCells, openBaselines } from '../ml/evaluation/baseline-cells.js';
import {
  type Baseline,
  type LabelKind,
  lastClass,
  lastNumber,
  majority,
  runningMean,
  runningRate,
} from '../ml/index.js';
import { isUsable, type Labelled } from '../ml/metrics/labelled.js';
import { openLogic } from '../ml/model.js';
import { type LabelForm, labelForm } from '../operators/ml/learned.js';
import { metricsFor, shownByDefault } from './metrics.js';
import { waitingLabels } from './waiting-labels.js';

const baselinesOf = {
  binary: { 'running-rate': runningRate(), majority: majority(), 'last-class': lastClass() },
  number: { 'running-mean': runningMean(), 'last-number': lastNumber() },
  class: { majority: majority(), 'last-class': lastClass() },
} as const;

/** Metrics by name; `NaN` where one has no value. */
export type Metrics = Readonly<Record<string, number>>;

export interface ProgressiveResult {
  /** Rows with a label that can be used. */
  readonly rows: number;
  /** Rows that were not learnt from, by the reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Rows for which the model had no finite prediction: they count in no metric of the model. */
  readonly unscored: number;
  readonly model: Metrics;
  readonly baselines: Readonly<Record<string, Metrics>>;
  /** The model by slice, in the order in which they were met; `rows` is their number. */
  readonly slices: Readonly<Record<string, { readonly rows: number; readonly model: Metrics }>>;
  /** Rows that waited for their labels at a time, at most. */
  readonly waitingMost: number;
}

/** What else is known of a row. */
export interface RowFacts {
  /** How much it counts, in metrics and in learning; 1 by default. */
  readonly weight?: number;
  /** The groups that it is measured in, besides all. */
  readonly slices?: readonly string[];
  /** When it was predicted and when its label came: until then other rows are predicted without it. */
  readonly times?: readonly [predictedMs: number, labelledMs: number];
}

export interface Progressive {
  /** Predicts a row, scores the prediction by its label, then learns from it: at once, or when its label comes. */
  add(features: FeatureNumbers, label: unknown, facts?: RowFacts): void;
  /** Scores and learns from what still waits for its label, in the order in which the labels come. */
  finish(): void;
  result(): ProgressiveResult;
}

/**
 * Progressive validation: each row is predicted first, then learnt from, in order. So every row is a test row, and no prediction knows
 * its label. The baselines that a model of its kind must beat stand beside it.
 *
 * Memory: that of the learner, at most 2 MiB a metric, class and slice, and the rows that wait for their labels.
 *
 * Source: Blum, Kalai and Langford, "Beating the Hold-Out", COLT 1999.
 *
 * @throws MillraceError `config` for a learner without labels, or a metric that there is not for its labels
 * @example
 * const validation = progressive(logisticRegression({ optimizer: sgd({ rate: 0.01 }) }), shape);
 * for (const row of rows) validation.add(encode(row), row.late);
 * validation.result().model.log_loss;
 */
export function progressive(
  learner: Learner<never, unknown>,
  shape: FeatureShape,
  wanted?: readonly string[],
): Progressive {
  const form = formOf(learner);
  const { classes = [] } = learner;
  const width = Math.max(1, form.classes);
  const metrics = metricsWanted(form.kind, classes, wanted);
  const baselines = Object.entries<Baseline<unknown, never>>(baselinesOf[form.kind]);
  const model = openLogic(learner, shape, opened(learner.cells(shape)));
  const beside = openBaselines(
    baselines,
    opened(baselineCells(baselines, form.kind)) as Readonly<Record<string, BaselineCell>>,
    form.classes,
  );
  const scorers = Array.from({ length: 1 + baselines.length }, () => scorerOf(metrics));
  const said = new Array<number>(width + baselines.length).fill(0);
  const groups = beside.groupsOf({});
  const refused: Record<string, number> = {};
  const refuse = (reason: Refusal) => {
    refused[reason] = (refused[reason] ?? 0) + 1;
  };
  const bySlice = new Map<string, { rows: number; readonly scorer: Scorer }>();
  const waiting = waitingLabels<Waiting>();
  let rows = 0;
  let unscored = 0;
  let waitingMost = 0;
  const sliceOf = (name: string) => {
    const known = bySlice.get(name) ?? { rows: 0, scorer: scorerOf(metrics) };
    bySlice.set(name, known);
    return known;
  };
  const judge = ({ features, said, label, truth, weight, slices }: Waiting): void => {
    const happened = form.kind === 'class' ? label : truth;
    for (let s = 0; s < scorers.length; s++) {
      const told = said[s === 0 ? 0 : width + s - 1] as number;
      const prediction = form.kind !== 'class' ? told : s === 0 ? said : classes[told];
      (scorers[s] as Scorer).add(prediction, happened, weight);
      if (s > 0) continue;
      for (const name of slices) {
        const slice = sliceOf(name);
        slice.rows += 1;
        slice.scorer.add(prediction, happened, weight);
      }
    }
    rows += 1;
    const result = model.learnOne(features, label as never, weight);
    if (result === 'learnt') beside.learn(groups, truth, weight);
    else refuse(result);
  };
  return {
    add(features, label, { weight = 1, slices = [], times } = {}) {
      if (times) waiting.take(times[0], judge);
      const truth = form.truthOf(label);
      if (typeof truth === 'string') {
        refuse(truth);
        return;
      }
      form.write(model.predictOne(features), said, 0);
      beside.predict(groups, said, width);
      for (let i = 0; i < width; i++) {
        if (isUsable(said[i])) continue;
        unscored += 1;
        break;
      }
      if (times === undefined) {
        judge({ features, said, label, truth, weight, slices });
        return;
      }
      const { dense, indices, values } = features;
      const own = { dense: dense.slice(), indices: indices.slice(), values: values.slice() };
      waiting.add(times[1], { features: own, said: [...said], label, truth, weight, slices });
      waitingMost = Math.max(waitingMost, waiting.size());
    },
    finish: () => waiting.take(Number.POSITIVE_INFINITY, judge),
    result() {
      const [ofModel, ...ofBaselines] = scorers.map((scorer) => scorer.result());
      return {
        rows,
        refused,
        unscored,
        model: ofModel as Metrics,
        baselines: Object.fromEntries(baselines.map(([name], i) => [name, ofBaselines[i] as Metrics])),
        slices: Object.fromEntries(
          [...bySlice].map(([name, { rows: count, scorer }]) => [name, { rows: count, model: scorer.result() }]),
        ),
        waitingMost,
      };
    },
  };
}

/** A row that was predicted, and what its label will say. */
interface Waiting {
  readonly features: FeatureNumbers;
  readonly said: readonly number[];
  readonly label: unknown;
  readonly truth: number;
  readonly weight: number;
  readonly slices: readonly string[];
}

/** Metrics of one predictor. */
interface Scorer {
  add(prediction: unknown, label: unknown, weight: number): void;
  result(): Metrics;
}

type Wanted = Readonly<Record<string, Aggregate<Labelled, number | null>>>;

function metricsWanted(kind: LabelKind, classes: readonly ClassLabel[], wanted = shownByDefault[kind]): Wanted {
  const all = metricsFor(kind, classes);
  const unknown = wanted.find((name) => !(name in all));
  if (unknown === undefined)
    return Object.fromEntries(wanted.map((name) => [name, all[name]?.() as Aggregate<Labelled, number | null>]));
  throw new MillraceError('config', `there is no metric '${unknown}' for this learner`, {
    hint: `it has: ${Object.keys(all).join(', ')}`,
  });
}

function scorerOf(metrics: Wanted): Scorer {
  const accumulator = accumulatorOf(metrics);
  const numbers = new Float64Array(accumulator.numbers);
  const values = new Array<unknown>(accumulator.values);
  accumulator.init(numbers, 0, values, 0);
  return {
    add(prediction, label, weight) {
      accumulator.add(numbers, 0, values, 0, { prediction, label, weight }, 0);
    },
    result() {
      const found: Record<string, number | null> = {};
      accumulator.results(found, numbers, 0, values, 0);
      return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, value ?? Number.NaN]));
    },
  };
}

const opened = (specs: CellSpecs): Record<string, Cell> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));

function formOf(learner: Learner<never, unknown>): LabelForm {
  const form = labelForm(learner, []);
  if (form) return form;
  throw new MillraceError('config', `${learner.kind} learns without labels, so there is nothing to score it by`, {
    hint: 'give a learner of a probability, a number or classes',
  });
}
