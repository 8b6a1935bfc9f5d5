import type { FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Free, Operator } from '../../core/operator.js';
import { scoreQuantile, scoreQuantileSize } from '../../ml/evaluation/score-quantile.js';
import { type Float64Cell, float64Cell } from '../../state/index.js';
import { type ScoreThenLearnOptions, scoreThenLearn } from './score-then-learn.js';

/** What `detectAnomalies` adds to a record. */
export interface AnomalyScore {
  /** From 0 (usual) to 1, by the model as it was when the record came; 0 until it has learnt enough to say anything. */
  readonly score: number;
  /** `step.task.records`: the model by the number of records that it had learned from, rounded down to `versionEveryRecords`. */
  readonly modelVersion: string;
}

/** What `detectAnomalies` adds to a record with `learnBelowQuantile`. */
export interface Anomaly extends AnomalyScore {
  /** The score is above the quantile of those before it: the model does not learn from the record. */
  readonly anomalous: boolean;
}

/** How anomalies are found, and which of them are kept out of training. */
export interface DetectAnomaliesOptions<As extends string, Q extends number> extends ScoreThenLearnOptions<As> {
  /**
   * A share of the scores, such as 0.99: records with a score above this quantile of all scores before it are `anomalous`, and
   * the model does not learn from them. Without it the model learns from all records.
   */
  readonly learnBelowQuantile?: Q;
}

/**
 * Scores how unusual each record is by a learner without labels, and learns from the record after that. With
 * `learnBelowQuantile`, records with the highest scores are marked and kept out of training: an attack or a broken sensor does not
 * become usual by repetition.
 *
 *   in   --a--b--c--|
 *   out  --A--B--C--|   C was scored by a model that has learnt a and b, or only a if b was anomalous
 *
 * Guarantees: a score depends on no later record; all state is in the checkpoint, so a replay scores, marks and learns the same to
 * the last bit. The quantile begins with the first score of a model that has learnt enough (for `halfSpaceTrees`: one window), and
 * marks nothing before `1 / (1 - learnBelowQuantile)` scores. All scores count in it, those of anomalies too: where most records
 * have become unusual, the quantile rises and the model learns them.
 * Error: the odds of a score, `score / (1 - score)`, must be up to 2 % above those of the quantile to count as above.
 * Counters: `predicted`, `learned`, `anomalous`, `refused` (the learner refused the record) and `refused:<reason>`.
 * Measures of each window of event time: `scored`, `score_mean` and, with `learnBelowQuantile`, `anomalous`.
 * Memory: the learner's state and 16 KiB for the quantile.
 *
 * @example
 * readings
 *   .via('features', featurize(sensorFeatures))
 *   .via('anomalies', detectAnomalies(halfSpaceTrees({ trees: 25 }), {
 *     as: 'anomaly',
 *     view: sensorFeatures,
 *     learnBelowQuantile: 0.99,
 *   })); // reading.anomaly.score, reading.anomaly.anomalous
 */
export function detectAnomalies<Row, const As extends string, const Q extends number = never>(
  learner: Learner<unknown, number>,
  options: DetectAnomaliesOptions<As, Q>,
): Operator<
  Row & { readonly features: FeatureVector } & Free<As>,
  Adds<{ readonly [K in As]: [Q] extends [never] ? AnomalyScore : Anomaly }>
> {
  const q = options.learnBelowQuantile;
  return scoreThenLearn({
    kind: 'detectAnomalies',
    learner,
    needs: { output: 'anomaly', such: 'halfSpaceTrees' },
    options,
    settings: q === undefined ? {} : { learnBelowQuantile: q },
    problems:
      q === undefined || (q > 0 && q < 1)
        ? []
        : [{ message: `learnBelowQuantile is ${q}`, hint: 'give it a share between 0 and 1, such as 0.99' }],
    cells: q === undefined ? {} : { quantile: float64Cell({ size: scoreQuantileSize }) },
    sums: 2,
    open(opened, context) {
      const count = context.counter('anomalous');
      const quantile = q === undefined ? undefined : scoreQuantile(opened.quantile as Float64Cell, q);
      return {
        read(score, isWarm, modelVersion) {
          const anomalous = isWarm && quantile?.exceeds(score) === true;
          if (anomalous) count.add();
          return {
            shown: quantile ? { score, anomalous, modelVersion } : { score, modelVersion },
            learns: !anomalous,
            ...(isWarm && { sums: [score, anomalous ? 1 : 0] }),
          };
        },
        measures: (scored, [scores, anomalies]) => [
          ['scored', scored, undefined, 'sum'],
          ['score_mean', (scores as number) / scored],
          ...(quantile ? [['anomalous', anomalies as number, undefined, 'sum'] as const] : []),
        ],
      };
    },
  });
}
