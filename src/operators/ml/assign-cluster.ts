import type { ClusterDistances, FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Free, Operator } from '../../core/operator.js';
import { type ScoreThenLearnOptions, scoreThenLearn } from './score-then-learn.js';

/** What `assignCluster` adds to a record. */
export interface AssignedCluster {
  /** The nearest cluster, counted from 0; the first of equally near ones. */
  readonly cluster: number;
  /** How far away its centre is, by the model as it was when the record came. */
  readonly distance: number;
  /** `step.task.records`: the model by the number of records that it had learned from, rounded down to `versionEveryRecords`. */
  readonly modelVersion: string;
}

/**
 * Says to which cluster each record belongs, and moves the cluster towards the record after that. Clusters keep their numbers for
 * as long as the state lives.
 *
 *   in   --a--b--c--|
 *   out  --A--B--C--|   C was assigned by a model that has learnt a and b
 *
 * Guarantees: a cluster depends on no later record; all state is in the checkpoint, so a replay assigns and learns the same to the
 * last bit.
 * Counters: `predicted`, `learned`, `refused` (the learner refused the record) and `refused:<reason>`.
 * Measures of each window of event time: `assigned`, and `distance_mean`, which rises where the clusters fit no more.
 * Memory: the learner's state.
 *
 * @example
 * riders
 *   .via('features', featurize(riderFeatures))
 *   .via('segments', assignCluster(kMeans({ clusters: 5, halfLife: 1_000 }), { as: 'segment', view: riderFeatures }));
 * // rider.segment.cluster, rider.segment.distance
 */
export function assignCluster<Row, const As extends string>(
  learner: Learner<unknown, ClusterDistances>,
  options: ScoreThenLearnOptions<As>,
): Operator<Row & { readonly features: FeatureVector } & Free<As>, Adds<{ readonly [K in As]: AssignedCluster }>> {
  return scoreThenLearn({
    kind: 'assignCluster',
    learner,
    needs: { output: 'distances', such: 'kMeans' },
    options,
    sums: 1,
    open: () => ({
      read(distances, _isWarm, modelVersion) {
        let cluster = 0;
        for (let i = 1; i < distances.length; i++)
          if ((distances[i] as number) < (distances[cluster] as number)) cluster = i;
        const distance = distances[cluster] as number;
        return { shown: { cluster, distance, modelVersion }, learns: true, sums: [distance] };
      },
      measures: (assigned, [distances]) => [
        ['assigned', assigned, undefined, 'sum'],
        ['distance_mean', (distances as number) / assigned],
      ],
    }),
  });
}
