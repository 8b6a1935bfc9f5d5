import type { Learner } from '../../src/core/learner.js';
import {
  adaptiveRandomForest,
  adaptiveRandomForestRegression,
  bernoulliBayes,
  factorizationMachine,
  ftrl,
  gaussianBayes,
  halfSpaceTrees,
  hoeffdingAdaptiveTree,
  hoeffdingTree,
  hoeffdingTreeRegression,
  kMeans,
  kNearestNeighbors,
  leveragingBagging,
  linearRegression,
  logisticRegression,
  multinomialBayes,
  passiveAggressive,
  perceptron,
  pipe,
  sgd,
  softmaxRegression,
  standardScaler,
} from '../../src/ml/index.js';

export type PeerName = 'River' | 'MOA' | 'Vowpal Wabbit';

/** How predictions are judged, as a check that the sides do the same work. */
export type Judge = 'log loss' | 'accuracy' | 'mean error' | 'mean score' | 'nothing';

/** A learner and what stands beside it. */
export interface Case {
  readonly rows: number;
  /** Rows of numbers; rows of strings, hashed in the clock; or hashed before. */
  readonly data: 'numbers' | 'strings' | 'encoded';
  /** So many of a row's columns are features. */
  readonly columns: number;
  readonly label: 'number' | 'binary' | 'class';
  readonly judge: Judge;
  // biome-ignore lint/suspicious/noExplicitAny: the label of each is what its rows have
  readonly learner: Learner<any, any>;
  /** The same learner in the peer's own words. */
  readonly peers: Partial<Readonly<Record<PeerName, string>>>;
  /** The least rate through each peer's that is aimed at; 1 by default. */
  readonly goals?: Partial<Readonly<Record<PeerName, number>>>;
}

/** Coordinates of the hashed part, as a power of 2. */
export const HASH_BITS = 18;

const numbers = { data: 'numbers', columns: 30, label: 'binary', judge: 'accuracy' } as const;
const classes = [0, 1];
const plain = sgd({ rate: 0.05 });
const linear = { optimizer: plain, interceptRate: 0.01 };
const clicks = logisticRegression({ optimizer: ftrl({ alpha: 0.1 }), interceptRate: 0.01 });
/** As MOA and River do where nothing else is said, but with as many features for each tree. */
const forest = adaptiveRandomForest({ classes, trees: 10, featuresPerLeaf: 6 });

/** What is measured; further learners are lines here. */
export const cases: Readonly<Record<string, Case>> = {
  'scaler + logistic regression': {
    ...numbers,
    rows: 30_000,
    judge: 'log loss',
    learner: pipe(standardScaler(), logisticRegression(linear)),
    peers: {
      River: 'preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.05), intercept_lr=0.01)',
    },
    goals: { River: 15 },
  },
  'FTRL on strings': {
    ...numbers,
    rows: 50_000,
    data: 'strings',
    columns: 10,
    judge: 'log loss',
    learner: clicks,
    peers: {
      River: `preprocessing.FeatureHasher(2**${HASH_BITS}, alternate_sign=False) | linear_model.LogisticRegression(optim.FTRLProximal(alpha=0.1, beta=1, l1=0, l2=0), intercept_lr=0.01)`,
    },
    goals: { River: 8 },
  },
  'FTRL on encoded rows': {
    ...numbers,
    rows: 200_000,
    data: 'encoded',
    columns: 10,
    judge: 'log loss',
    learner: clicks,
    peers: { 'Vowpal Wabbit': `--ftrl --ftrl_alpha 0.1 --ftrl_beta 1 -b ${HASH_BITS} --loss_function logistic` },
  },
  'Hoeffding tree': {
    ...numbers,
    rows: 20_000,
    learner: hoeffdingTree({ classes }),
    peers: {
      River: 'tree.HoeffdingTreeClassifier(binary_split=True, max_share_to_split=1.0)',
    },
  },
  'Hoeffding tree, more rows': {
    ...numbers,
    rows: 100_000,
    learner: hoeffdingTree({ classes }),
    peers: { MOA: 'moa.classifiers.trees.HoeffdingTree -b' },
  },
  'ARF(10), more rows': {
    ...numbers,
    rows: 15_000,
    learner: forest,
    peers: {
      MOA: 'moa.classifiers.meta.AdaptiveRandomForest -l (ARFHoeffdingTree -e 2000000 -g 50 -c 0.01 -b) -s 10 -o (Specified m (integer value)) -m 6',
    },
    goals: { MOA: 2 },
  },
  'ARF(10)': {
    ...numbers,
    rows: 1_500,
    learner: forest,
    peers: {
      River: 'forest.ARFClassifier(n_models=10, max_features=6, seed=1, binary_split=True, max_share_to_split=1.0)',
    },
  },
  'Hoeffding adaptive tree': {
    ...numbers,
    rows: 5_000,
    learner: hoeffdingAdaptiveTree({ classes }),
    peers: { River: 'tree.HoeffdingAdaptiveTreeClassifier(binary_split=True, max_share_to_split=1.0, seed=1)' },
  },
  'leveraging bagging(10)': {
    ...numbers,
    rows: 500,
    learner: leveragingBagging({ classes }),
    peers: { River: 'ensemble.LeveragingBaggingClassifier(tree.HoeffdingTreeClassifier(), n_models=10, seed=1)' },
  },
  'Hoeffding tree for numbers': {
    ...numbers,
    rows: 5_000,
    label: 'number',
    judge: 'mean error',
    learner: hoeffdingTreeRegression(),
    peers: { River: 'tree.HoeffdingTreeRegressor(binary_split=True)' },
  },
  'ARF(10) for numbers': {
    ...numbers,
    rows: 1_000,
    label: 'number',
    judge: 'mean error',
    learner: adaptiveRandomForestRegression({ featuresPerLeaf: 6 }),
    peers: { River: 'forest.ARFRegressor(n_models=10, max_features=6, seed=1, binary_split=True)' },
  },
  'linear regression': {
    ...numbers,
    rows: 30_000,
    label: 'number',
    judge: 'mean error',
    learner: linearRegression({ optimizer: sgd({ rate: 0.01 }), interceptRate: 0.01 }),
    peers: { River: 'linear_model.LinearRegression(optim.SGD(0.01), intercept_lr=0.01)' },
  },
  'softmax regression': {
    ...numbers,
    rows: 10_000,
    label: 'class',
    learner: softmaxRegression({ classes: [0, 1, 2], optimizer: plain, interceptRate: 0 }),
    peers: { River: 'linear_model.SoftmaxRegression(optim.SGD(0.05))' },
  },
  perceptron: {
    ...numbers,
    rows: 30_000,
    learner: perceptron(),
    peers: { River: 'linear_model.Perceptron()' },
  },
  'passive-aggressive': {
    ...numbers,
    rows: 30_000,
    learner: passiveAggressive({ aggressiveness: 0.01 }),
    peers: { River: 'linear_model.PAClassifier(0.01, 1)' },
  },
  'factorization machine(8) on strings': {
    ...numbers,
    rows: 5_000,
    data: 'strings',
    columns: 5,
    judge: 'log loss',
    learner: factorizationMachine({ ...linear, factors: 8 }),
    peers: {
      River:
        'facto.FMClassifier(n_factors=8, weight_optimizer=optim.SGD(0.05), latent_optimizer=optim.SGD(0.05), intercept_lr=0.01, seed=1)',
    },
  },
  'Gaussian naive Bayes': {
    ...numbers,
    rows: 10_000,
    learner: gaussianBayes({ classes }),
    peers: { River: 'naive_bayes.GaussianNB()' },
  },
  'multinomial naive Bayes': {
    ...numbers,
    rows: 10_000,
    learner: multinomialBayes({ classes }),
    peers: { River: 'naive_bayes.MultinomialNB()' },
  },
  'Bernoulli naive Bayes': {
    ...numbers,
    rows: 10_000,
    learner: bernoulliBayes({ classes, threshold: 0.5 }),
    peers: { River: 'naive_bayes.BernoulliNB(true_threshold=0.5)' },
  },
  '5 nearest of 1,000': {
    ...numbers,
    rows: 2_000,
    columns: 10,
    learner: kNearestNeighbors({ classes, weights: 'distance' }),
    peers: { River: 'neighbors.KNNClassifier(5, engine=neighbors.LazySearch(window_size=1000))' },
  },
  'k-means(5)': {
    ...numbers,
    rows: 10_000,
    judge: 'nothing',
    learner: kMeans({ clusters: 5, halfLife: 20 }),
    peers: { River: 'cluster.KMeans(n_clusters=5, halflife=1 - 2**(-1 / 20), seed=1)' },
  },
  'half-space trees(10)': {
    ...numbers,
    rows: 10_000,
    judge: 'mean score',
    learner: halfSpaceTrees(),
    peers: { River: 'anomaly.HalfSpaceTrees(seed=1)' },
  },
};
