import { MillraceError } from '../core/errors.js';
import type { FeatureNumbers, FeatureShape, Learner, Refusal } from '../core/learner.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { type BaselineCell, baselineCells, openBaselines } from '../ml/evaluation/baseline-cells.js';
import { binaryJudgeOf, type Judge, type Sums } from '../ml/evaluation/judges.js';
import { type Baseline, lastClass, lastNumber, majority, runningMean, runningRate } from '../ml/index.js';
import { openLogic } from '../ml/model.js';
import { type LabelForm, labelForm } from '../operators/ml/learned.js';

/** Score bins of the ROC AUC over a whole file: the error of ties within bins is below the digits that are shown. */
const BINS = 65_536;

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
  readonly model: Metrics;
  readonly baselines: Readonly<Record<string, Metrics>>;
}

export interface Progressive {
  /** Predicts a row, scores the prediction by its label, then learns from it. */
  add(features: FeatureNumbers, label: unknown): void;
  readonly result: ProgressiveResult;
}

/**
 * Progressive validation: each row is predicted first, then learnt from, in order. So every row is a test row, and no prediction knows
 * its label. The baselines that a model of its kind must beat stand beside it.
 *
 * Memory: that of the learner, and some numbers a metric, whatever the number of rows.
 *
 * Source: Blum, Kalai and Langford, "Beating the Hold-Out", COLT 1999.
 *
 * @throws MillraceError `config` for a learner without labels
 * @example
 * const validation = progressive(logisticRegression({ optimizer: sgd({ rate: 0.01 }) }), shape);
 * for (const row of rows) validation.add(encode(row), row.late);
 * validation.result.model.log_loss;
 */
export function progressive(learner: Learner<never, unknown>, shape: FeatureShape): Progressive {
  const form = formOf(learner);
  const judge = form.kind === 'binary' ? binaryJudgeOf(BINS) : form.judge;
  const baselines = Object.entries<Baseline<unknown, never>>(baselinesOf[form.kind]);
  const model = openLogic(learner, shape, opened(learner.cells(shape)));
  const beside = openBaselines(
    baselines,
    opened(baselineCells(baselines, form.kind)) as Readonly<Record<string, BaselineCell>>,
    form.classes,
  );
  const scorers = Array.from(
    { length: 1 + baselines.length },
    (): Sums => ({ values: new Float64Array(judge.size), touch: untouched }),
  );
  const said = new Array<number>(judge.width + baselines.length).fill(0);
  const groups = beside.groupsOf({});
  const refused: Record<string, number> = {};
  const refuse = (reason: Refusal) => {
    refused[reason] = (refused[reason] ?? 0) + 1;
  };
  let rows = 0;
  return {
    add(features, label) {
      const truth = form.truthOf(label);
      if (typeof truth === 'string') {
        refuse(truth);
        return;
      }
      form.write(model.predictOne(features), said);
      beside.predict(groups, said, judge.width);
      for (let s = 0; s < scorers.length; s++) {
        const from = s === 0 ? 0 : judge.width + s - 1;
        judge.add(scorers[s] as Sums, 0, said, from, truth, s === 0);
      }
      rows += 1;
      beside.learn(groups, truth);
      const result = model.learnOne(features, label as never);
      if (result !== 'learnt') refuse(result);
    },
    get result() {
      const metricsOf = (scorer: number): Metrics =>
        Object.fromEntries(judge.measures((scorers[scorer] as Sums).values, rows, scorer === 0 || judge.width === 1));
      return {
        rows,
        refused,
        model: metricsOf(0),
        baselines: Object.fromEntries(baselines.map(([name], i) => [name, metricsOf(i + 1)])),
      };
    },
  };
}

const untouched = (): void => {};

const opened = (specs: CellSpecs): Record<string, Cell> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.open()]));

function formOf(learner: Learner<never, unknown>): LabelForm & { readonly judge: Judge } {
  const form = labelForm(learner, []);
  if (form) return form;
  throw new MillraceError('config', `${learner.kind} learns without labels, so there is nothing to score it by`, {
    hint: 'give a learner of a probability, a number or classes',
  });
}
