import { MillraceError } from '../../../core/errors.js';
import type { ClusterDistances, FeatureNumbers, FeatureShape, Learner } from '../../../core/learner.js';
import type { Settings } from '../../../core/operator.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { requirePositive } from '../../check-options.js';
import { layoutVersion } from '../../features/plan.js';
import { requireDense } from '../dense-learner.js';
import { FEATURE_MAX, rowLimits } from '../rows.js';

/** How many clusters there are, how fast they forget, and where they begin. */
export interface KMeansOptions {
  /** The number of clusters. */
  readonly clusters: number;
  /** Rows of a cluster after which a row counts half. Without it a cluster forgets nothing: all its rows count alike. */
  readonly halfLife?: number;
  /** A centre for each cluster. Without it the first rows that differ are the first centres. */
  readonly initial?: readonly (readonly number[])[];
  /**
   * How many rows a centre of `initial` counts as; 1 by default. With `1 / (1 - 2 ** (-1 / halfLife))` every row moves its centre by
   * the same share of the way.
   */
  readonly initialWeight?: number;
}

function kMeansCells(shape: FeatureShape, clusters: number, initial: KMeansOptions['initial']) {
  requireDense('kMeans', shape);
  const { denseSize } = shape;
  if (initial?.some((centre) => centre.length !== denseSize))
    throw new MillraceError('config', `kMeans: a centre of \`initial\` does not have ${denseSize} numbers`, {
      hint: 'give each centre one number per dense feature of the view',
    });
  return { centres: float64Cell({ size: clusters * (1 + denseSize) }) };
}

type Cells = ReturnType<typeof kMeansCells>;

/**
 * Online k-means: the distances of a row to the centres of the clusters. Learning moves the nearest centre to the mean of its rows,
 * in which old rows fade by `halfLife`. Needs dense features of similar scale. Learns without labels.
 *
 * Without `initial`, a row that no centre lies on begins a cluster while there are fewer than `clusters`: its distance to that is
 * 0. A cluster without a centre is infinitely far away.
 *
 * Guarantees: of equal distances the first is the nearest. A row of weight 2 is learnt as the row twice.
 * Memory: 8 bytes a cluster and dense feature, and as much for `initial`.
 * Source: MacQueen, "Some Methods for Classification and Analysis of Multivariate Observations" (1967); forgetting as in Spark's
 * streaming k-means, row by row. A constant share of the way, see `initialWeight`, is what River does.
 *
 * @example assignCluster(kMeans({ clusters: 5, halfLife: 1_000 }), { as: 'segment', ... });
 * @throws MillraceError `config` where an option is out of range, for centres of another size than the view's rows, and for a view
 * without dense or with hashed features
 */
export function kMeans(options: KMeansOptions): Learner<unknown, ClusterDistances, Cells> {
  const { clusters, halfLife, initial, initialWeight = 1 } = options;
  requirePositive('kMeans', { clusters, initialWeight, ...(halfLife === undefined ? {} : { halfLife }) });
  const isUsable = initial === undefined || (initial.length === clusters && initial.flat().every(Number.isFinite));
  if (!Number.isInteger(clusters) || !isUsable)
    throw new MillraceError(
      'config',
      `kMeans: clusters is ${clusters}, and initial has ${initial?.length ?? 'no'} centres`,
      {
        where: 'kMeans',
        hint: 'give a whole number of clusters, and one centre of finite numbers for each, or no centres',
      },
    );
  const givenCentres: Settings = initial ? { initial: layoutVersion(initial), initialWeight } : {};
  return Object.freeze<Learner<unknown, ClusterDistances, Cells>>({
    kind: 'k-means',
    settings: Object.freeze({ clusters, ...(halfLife === undefined ? {} : { halfLife }), ...givenCentres }),
    output: 'distances',
    structure: Object.freeze({ clusters, ...givenCentres }),
    cells: (shape) => kMeansCells(shape, clusters, initial),
    open({ centres }, { denseSize }) {
      const space = openCentres(centres, clusters, denseSize, initial, initialWeight);
      const limits = rowLimits(denseSize, FEATURE_MAX);
      const decay = halfLife === undefined ? 1 : 2 ** (-1 / halfLife);
      return {
        predictOne(features) {
          space.nearest(limits.usable(features));
          return space.distances;
        },
        learnOne(features, _label, weight = 1) {
          const refusal = limits.refusalOf(features, weight);
          if (refusal) return refusal;
          const kept = decay ** weight;
          space.move(space.nearest(features), features, kept, decay === 1 ? weight : (1 - kept) / (1 - decay));
          return 'learnt';
        },
      };
    },
  });
}

/** Centres on their cell: of a cluster, the weight of its rows (0 before the first one was learnt), then its centre. */
function openCentres(
  cell: Float64Cell,
  clusters: number,
  size: number,
  initial: KMeansOptions['initial'],
  initialWeight: number,
) {
  const { values: state } = cell;
  const stride = 1 + size;
  const given = Float64Array.from((initial ?? []).flatMap((centre) => [initialWeight, ...centre]));
  const distances = new Float64Array(clusters);
  /** Where a cluster's numbers are: its own, or those that it was given. */
  const numbersOf = (at: number): Float64Array => (state[at] === 0 && given.length > 0 ? given : state);
  return {
    distances,
    /** Computes the distances of a row, and returns the cluster that it belongs to. */
    nearest({ dense }: FeatureNumbers): number {
      let nearest = 0;
      let free = -1;
      for (let cluster = 0; cluster < clusters; cluster++) {
        const at = cluster * stride;
        const numbers = numbersOf(at);
        let sum = 0;
        for (let i = 1; i < stride; i++) sum += ((dense[i - 1] as number) - (numbers[at + i] as number)) ** 2;
        const isFree = numbers[at] === 0;
        if (isFree && free < 0) free = cluster;
        distances[cluster] = isFree ? Number.POSITIVE_INFINITY : Math.sqrt(sum);
        if ((distances[cluster] as number) < (distances[nearest] as number)) nearest = cluster;
      }
      if (free < 0 || distances[nearest] === 0) return nearest;
      distances[free] = 0;
      return free;
    },
    /** Moves a centre towards a row: `kept` of its weight stays, and `added` is the row's. */
    move(cluster: number, { dense }: FeatureNumbers, kept: number, added: number): void {
      const at = cluster * stride;
      const numbers = numbersOf(at);
      const weight = (numbers[at] as number) * kept + added;
      for (let i = 1; i < stride; i++) {
        const centre = numbers[at + i] as number;
        state[at + i] = centre + ((dense[i - 1] as number) - centre) * (added / weight);
        cell.touch(at + i);
      }
      state[at] = weight;
      cell.touch(at);
    },
  };
}
