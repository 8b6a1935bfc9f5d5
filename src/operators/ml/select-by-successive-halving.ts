import type { FeatureVector, Learner } from '../../core/learner.js';
import type { Adds, Free, MultiInputSplitter, Problem } from '../../core/operator.js';
import type { Origin } from '../../core/record.js';
import { candidateCells, type Dropped, type NamedLearners, openCandidates } from '../../ml/candidates.js';
import { fieldAdder } from '../../util/literals.js';
import { requireOptions } from '../options.js';
import { type LabelOptions, learnFromLabels } from './learn-from-labels.js';
import type { LearnedBy } from './learned.js';

/** How candidates are compared; otherwise as for `learn`. */
export interface SelectBySuccessiveHalvingOptions<
  Row,
  Label,
  As extends string,
  B extends string,
  Y = boolean,
  P = number,
> extends LabelOptions<Row, Label, As, B, Y, P> {
  /** Labels until the worse half is dropped for the first time. Each further rung takes twice as many. */
  readonly rungLabels: number;
}

/** What `selectBySuccessiveHalving` adds to a record: what `learn` adds, and which candidate said it. */
export type Selected<Y, P, B extends string, C extends string> = LearnedBy<Y, P, B> & {
  /** The candidate whose prediction this is. */
  readonly candidate: C;
};

/** A candidate was dropped, as a row for a table. */
export interface EliminationRow<C extends string = string> {
  readonly candidate: C;
  /** Its mean loss over all labels so far: log loss, for numbers the squared error. */
  readonly loss: number;
  /** The best candidate by then, and its mean loss over the same labels. */
  readonly best: C;
  readonly bestLoss: number;
  /** Labels that they were compared by. */
  readonly labels: number;
  /** The step that dropped it. */
  readonly step: string;
  /** The record with the last of the labels. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly eventTime: number;
}

/** The columns of a ClickHouse table of eliminations. */
export const eliminationColumns = Object.freeze({
  candidate: 'LowCardinality(String)',
  loss: 'Float64',
  best: 'LowCardinality(String)',
  bestLoss: 'Float64',
  labels: 'UInt64',
  step: 'LowCardinality(String)',
  topic: 'LowCardinality(String)',
  partition: 'UInt32',
  offset: 'UInt64',
  eventTime: 'DateTime64(3)',
}) satisfies Readonly<Record<keyof EliminationRow, string>>;

/**
 * Learns by several learners or settings side by side, and drops the worse half of them from time to time until one is left
 * (successive halving). A record waits once for its label, however many candidates predict it.
 *
 *   in            --a------b------c--------|
 *   labels        -----(a)------(b)--(c)---|
 *   predicted     --A------B------C--------|   C was predicted by the candidate with the least loss on a and b
 *   eliminations  ----------------x--------|   the worse half, after `rungLabels` labels
 *
 * All candidates that are left predict each record when it comes. When its label arrives, each gets the loss of *that* prediction (log
 * loss, for numbers the squared error) and learns. So their sums of losses are over the same records. After `rungLabels` labels the
 * worse half by these sums is dropped, after twice as many more again, until one is left. A record gets the prediction of the candidate
 * with the least sum so far; the first declared of equal ones.
 *
 * Guarantees: those of `learn`, for all candidates and for when they are dropped. `eliminations` has each dropped candidate once, the
 * worst first, with the event time of the label. A label that some candidates refuse is learnt by the others, and its losses count for all.
 * Counters: those of `learn`, and `eliminated`. Measures: those of `learn`, of the predictions that records got.
 * Cost: until one of k candidates is left about log2(k) times that of one, then that of one.
 * Memory: the state of all candidates; that of a dropped one is freed. A waiting record takes a number more for each candidate (and
 * class).
 *
 * @example
 * const { predicted, eliminations } = scored.split('delay-model', { labels: arrived }, selectBySuccessiveHalving(
 *   {
 *     slow: logisticRegression({ optimizer: ftrl({ alpha: 0.05 }) }),
 *     fast: logisticRegression({ optimizer: ftrl({ alpha: 0.5 }) }),
 *   },
 *   {
 *     as: 'late',
 *     view: flightFeatures,
 *     key: (f) => f.flightId,
 *     label: { key: (a) => a.flightId, value: (a) => a.delayMinutes >= 15, wait: hours(24) },
 *     pendingMax: 100_000,
 *     rungLabels: 5_000,
 *   },
 * )); // f.late.probability, f.late.candidate
 * eliminations.to('eliminations', clickhouse.tableSink({ table: 'eliminations', columns: eliminationColumns, orderBy: ['eventTime'] }));
 */
export function selectBySuccessiveHalving<
  Row,
  Label,
  const As extends string,
  const C extends string,
  const B extends string = never,
  Y = boolean,
  P = number,
>(
  candidates: { readonly [N in C]: Learner<Y, P> },
  options: SelectBySuccessiveHalvingOptions<Row, Label, As, B, Y, P>,
): MultiInputSplitter<
  Row & { readonly features: FeatureVector } & Free<As>,
  { labels: Label },
  {
    predicted: Adds<{ readonly [K in As]: Selected<Y, P, B, C> }>;
    eliminations: EliminationRow<C>;
  }
> {
  requireOptions('selectBySuccessiveHalving', options);
  const named: NamedLearners<Y, P> = Object.entries<Learner<Y, P>>(candidates);
  const names = named.map(([name]) => name as C);
  const {
    rungLabels,
    baselines = {},
    view: { shape },
  } = options;
  const learner = named[0]?.[1] ?? { kind: 'no candidate', output: 'probability' };
  const width = named[0]?.[1].classes?.length ?? 1;
  const {
    kind,
    settings,
    problems,
    shape: stateful,
  } = learnFromLabels<Row, Label, As, B, Y, P, Selected<Y, P, B, C>>({
    kind: 'selectBySuccessiveHalving',
    learner,
    options,
    settings: {
      candidates: names.join(', '),
      ...Object.fromEntries(named.map(([name, one]) => [`candidates.${name}`, told(one)])),
      rungLabels,
    },
    problems: problemsOf(named, rungLabels),
    beside: { numbers: names.length * width, of: 'candidates' },
    cells: (place) => candidateCells(named, rungLabels, shape, place),
    open(form, opened, place, context) {
      const withCandidate = fieldAdder('candidate');
      const eliminated = context.counter('eliminated');
      const losers: Dropped[] = [];
      const dropped = (loser: Dropped) => losers.push(loser);
      const model = openCandidates(named, rungLabels, shape, opened, { ...place, dropped });
      const saidBy = (candidate: number): number => form.judge.width * (1 + candidate) + Object.keys(baselines).length;
      return {
        predict(features, said) {
          said.fill(0, saidBy(0)); // those that were dropped
          model.predictOne(features, (prediction, candidate) => form.write(prediction, said, saidBy(candidate)));
          const best = saidBy(model.best());
          said.copyWithin(0, best, best + form.judge.width);
        },
        shown: (said, modelVersion) => withCandidate(form.shown(said, modelVersion), names[model.best()]),
        learn({ features, said }, label, weight, origin, emit) {
          const truth = form.truthOf(label) as number;
          const lossOf = (candidate: number) => form.lossOf(said, saidBy(candidate), truth);
          const result = model.learnOne(features, label, weight, origin, lossOf);
          for (const loser of losers.splice(0)) {
            eliminated.add();
            emit(rowOf(names, loser, context.step, origin), undefined, 1);
          }
          return result;
        },
      };
    },
  });
  return {
    kind,
    settings,
    ...(problems && { problems }),
    shape: { ...stateful, outputs: ['predicted', 'eliminations'] },
  };
}

function rowOf<C extends string>(
  names: readonly C[],
  { candidate, loss, best, bestLoss, labels }: Dropped,
  step: string,
  { topic, partition, offset, eventTimeMs }: Origin,
): EliminationRow<C> {
  return {
    candidate: names[candidate] as C,
    loss,
    best: names[best] as C,
    bestLoss,
    labels,
    step,
    ...{ topic, partition, offset, eventTime: eventTimeMs },
  };
}

/** A learner and its settings as one text. */
const told = ({ kind, settings }: Pick<Learner<never, unknown>, 'kind' | 'settings'>): string =>
  [kind, ...Object.entries(settings).map(([name, value]) => `${name} ${value}`)].join(', ');

function problemsOf(candidates: NamedLearners<never, unknown>, rungLabels: number): Problem[] {
  const problems: Problem[] = [];
  const [first, ...others] = candidates;
  if (others.length === 0)
    problems.push({
      message: `there ${first ? 'is one candidate' : 'are no candidates'}`,
      hint: 'give two or more learners, or use learn',
    });
  const outputOf = ([, { output, classes }]: (typeof candidates)[number]) => JSON.stringify([output, classes]);
  for (const other of others)
    if (first && outputOf(other) !== outputOf(first))
      problems.push({
        message: `${other[0]} and ${first[0]} do not predict the same kind of labels`,
        hint: 'give all candidates the same kind of labels, and the same classes in the same order',
      });
  if (!(Number.isInteger(rungLabels) && rungLabels >= 1))
    problems.push({ message: `rungLabels is ${rungLabels}`, hint: 'give it a whole number of labels, such as 1_000' });
  return problems;
}
