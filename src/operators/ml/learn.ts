import type { FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Free, MultiInputOperator, MultiInputSplitter, Problem } from '../../core/operator.js';
import { modelCells, openModel } from '../../ml/model.js';
import { type ModelByKey, modelByKeyCells, modelWidth, openModelByKey } from '../../ml/model-by-key.js';
import { requireOptions } from '../options.js';
import { type LabelOptions, learnFromLabels } from './learn-from-labels.js';
import { type LearnDriftOptions, learnWithDrift, type ModelDriftRow } from './learn-with-drift.js';
import type { LearnedBy } from './learned.js';

type Key = string | number;

/** Where `learn` finds the label of a record, how long it waits for it, and how predictions are measured. */
export interface LearnOptions<Row, Label, As extends string, B extends string, Y = boolean, P = number>
  extends LabelOptions<Row, Label, As, B, Y, P> {
  /** A model for each key. Until a key has its first label, a pooled model answers for it, which learns from all records. */
  readonly by?: {
    /** The key of the model that a record belongs to. */
    readonly key: (row: Row) => Key;
    /** Maximum number of models; the one that learned least recently is dropped first. */
    readonly modelsMax: number;
  };
}

/**
 * Online learning with honest delay (progressive validation): predicts each record at once, keeps what the model saw
 * until the label arrives, scores *that* prediction, and only then learns from it. Takes any learner with labels: true or
 * false, numbers, classes. What is added follows from it: `probability`, `value`, or `label` and `scores`.
 *
 *   in      --a------b------c--|
 *   labels  -----(a)-----------|
 *   out     --A------B------C--|     A was predicted by the empty model, B and C by one that has learnt a
 *
 * Guarantees: a prediction depends on no record or label after it; all state is in the checkpoint, so a replay predicts,
 * learns and measures the same to the last bit. A label without a waiting record changes nothing.
 * Counters: `predicted`, `learned`, `unmatched` (a label for no waiting record), `duplicate_labels` (one for a record
 * that had its label already), `expired` (records whose label never came), `pending_evicted` (beyond `pendingMax`),
 * `refused` (the learner refused the update), `refused:<reason>`, such as `refused:not-finite`, and `models_evicted` (beyond
 * `by.modelsMax`).
 * Measures at the end of each window of event time, once the stream's time has passed it, of the model and, as
 * `<measure>:<baseline>`, of each baseline. All: `labelled`. True or false: `positives`, `log_loss`, `roc_auc` (512 score bins;
 * left out where all labels were alike), `accuracy` of the model. Numbers: `label_mean`, `mae`, `rmse`. Classes: `accuracy`,
 * `macro_f1`, `log_loss` of the model.
 * With `label.late`, `label.missing` or `label.corrections` labels are treated as these say, at a record's place in the merged order and never by
 * the clock. Measures are then by the window of the prediction, and a later row of a window replaces the earlier; there are `coverage`,
 * `assumed`, `corrected`, `label_delay_p50_ms` and `label_delay_p95_ms` as well, and counters `late_labels`, `assumed`, `corrected`,
 * `waiting_already` (a record whose key waits: it is predicted and not kept) and `pending_full` (beyond `pendingMax` the new record is not kept).
 * Dead letters: `late-label`.
 * By key, a model begins as the pooled one is at the first label of its key, and both learn that label.
 *
 * With `drift` a detector watches the errors of the model, in the order of its labels, and `act` says what follows. A `challenger` begins
 * at a warning, or at the drift where nothing warned; it replaces the model as soon as its loss over `compareLabels` labels after the drift
 * is less by three standard errors. Errors that fall are told and not acted on. Beside `replace` and `reset` a dummy does the same for a
 * model of its own, by chance: only what is better than `log_loss:dummy` is worth anything. At each label that is learnt the chance of
 * its drift is the number of drifts that were acted on so far, divided by the number of labels learnt so far. The step has two outputs,
 * `predicted` and `drifts`.
 * More counters: `warnings`, `drifts`, `replaced`, `dummy_drifts`, `unwatched` (a label whose prediction was of a learner that has ended, or
 * is nothing that the detector takes). More measures: `log_loss:challenger`, over the labels that it had predicted, and
 * `log_loss:dummy`; of numbers `rmse`. Up to 4 learners predict and learn with `replace`, 2 with `reset` and `warn`; 1 before the first
 * change. Not with `by`.
 * Memory: the learner's state, and as many numbers for each model by key; `pendingMax` vectors and as many keys, the baselines'
 * groups, at most 8 KiB of scores a scorer.
 *
 * @example
 * scored.via('delay-model', { labels: arrived }, learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
 *   as: 'late',
 *   view: flightFeatures,
 *   key: (f) => f.flightId,
 *   label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
 *   pendingMax: 100_000,
 *   baselines: { hourRate: rateBy({ by: (f) => hourOf(f) }) },
 * }));
 *
 * @example
 * const { predicted, drifts } = scored.split('delay-model', { labels: arrived }, learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
 *   as: 'late',
 *   view: flightFeatures,
 *   key: (f) => f.flightId,
 *   label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
 *   pendingMax: 100_000,
 *   drift: { detector: adwin(), act: 'replace' },
 * }));
 */
export function learn<Row, Label, const As extends string, const B extends string = never, Y = boolean, P = number>(
  learner: Learner<Y, P>,
  options: LearnDriftOptions<Row, Label, As, B, Y, P>,
): MultiInputSplitter<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  { predicted: Adds<{ readonly [K in As]: LearnedBy<Y, P, B> }>; drifts: ModelDriftRow }
>;
export function learn<Row, Label, const As extends string, const B extends string = never, Y = boolean, P = number>(
  learner: Learner<Y, P>,
  options: LearnOptions<Row, Label, As, B, Y, P>,
): MultiInputOperator<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  Adds<{ readonly [K in As]: LearnedBy<Y, P, B> }>
>;
export function learn<Row, Label, const As extends string, const B extends string, Y, P>(
  learner: Learner<Y, P>,
  options: LearnOptions<Row, Label, As, B, Y, P> | LearnDriftOptions<Row, Label, As, B, Y, P>,
) {
  requireOptions('learn', options);
  return 'drift' in options && options.drift !== undefined
    ? learnWithDrift(learner, options)
    : learnAlone(learner, options);
}

function learnAlone<Row, Label, const As extends string, const B extends string, Y, P>(
  learner: Learner<Y, P>,
  options: LearnOptions<Row, Label, As, B, Y, P>,
): MultiInputOperator<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  Adds<{ readonly [K in As]: LearnedBy<Y, P, B> }>
> {
  const {
    by,
    view: { shape },
  } = options;
  return learnFromLabels<Row, Label, As, B, Y, P, LearnedBy<Y, P, B>>({
    kind: 'learn',
    learner,
    options,
    settings: { learner: learner.kind, ...learner.settings, ...(by && { modelsMax: by.modelsMax }) },
    problems: by ? problemsByKey(learner.kind, modelWidth(learner, shape), by.modelsMax) : [],
    keyOf: by?.key,
    cells: (place) => (by ? modelByKeyCells(learner, shape, by.modelsMax, place) : modelCells(learner, shape, place)),
    open({ write, shown }, opened, place, context) {
      const evicted = () => context.counter('models_evicted').add();
      const model: ModelByKey<Y, P> = by
        ? openModelByKey(learner, shape, opened, { ...place, evicted })
        : openModel(learner, shape, opened, place);
      return {
        shown,
        predict: (features, said, key) => write(model.predictOne(features, key), said, 0),
        learn: ({ features, groups }, label, weight, origin) =>
          model.learnOne(features, label, weight, origin, groups.at(-1) as Key),
      };
    },
  });
}

/** Numbers of all models together: 4 GiB. */
const NUMBERS_MAX = 2 ** 29;

function problemsByKey(kind: string, width: number | undefined, modelsMax: number): Problem[] {
  if (width === undefined)
    return [
      {
        message: `${kind} grows, and a model for each key must not`,
        hint: 'give learn a learner of fixed size, such as logisticRegression, or leave out `by`',
      },
    ];
  if (!(Number.isInteger(modelsMax) && modelsMax >= 1))
    return [{ message: `by.modelsMax is ${modelsMax}`, hint: 'give it a whole number of models' }];
  if (width * modelsMax <= NUMBERS_MAX) return [];
  return [
    {
      message: `${modelsMax} models of ${width} numbers take ${Math.ceil((8 * width * modelsMax) / 2 ** 30)} GiB`,
      hint: 'give by.modelsMax a lower number, or learn a view with fewer features',
    },
  ];
}
