import { expect, it } from 'vitest';
import { load } from '../../../scripts/data/data-set.js';
import { spam as data } from '../../../scripts/data/spam.js';
import { type SortedMail, spam } from '../../../topologies/spam.js';
import { tablesOf } from './run.js';
import { accuracy, logLoss, type Pair } from './scores.js';

type Verdict = Readonly<Record<'id' | 'spam' | 'rate' | 'majority' | 'last', number>>;

it('spam is found with a quarter of the log loss of its rate, by what readers have sorted half a day before', async () => {
  const streams = await load(data);
  const labels = new Map((streams.sorted as SortedMail[]).map(({ id, isSpam }) => [id, isSpam]));
  const { history = [] } = await tablesOf(spam, streams);
  const verdicts = history as Verdict[];
  expect(verdicts.length).toBeGreaterThan(5_000);
  const pairs = (name: keyof Verdict) => verdicts.map((row): Pair<boolean> => [row[name], labels.get(row.id) === true]);
  const losses = (['spam', 'rate', 'majority', 'last'] as const).map((name) => logLoss(pairs(name)));
  const right = (['spam', 'majority', 'last'] as const).map((name) => accuracy(pairs(name)));
  console.log('log loss of model, rate, majority, last:', losses, 'accuracy of model, majority, last:', right);
  const [loss = Number.NaN, ...baselines] = losses;
  expect(loss).toBeLessThan(0.25 * Math.min(...baselines));
  const [share = Number.NaN, ...shares] = right;
  expect(share).toBeGreaterThan(0.15 + Math.max(...shares));
});
