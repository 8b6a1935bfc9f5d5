import { describe, expect, it } from 'vitest';
import { exceeded, findings, limitsIn, usualLimits } from '../../src/server/run-shares.js';

const counts = (of: Readonly<Record<string, number>>, before = 0) =>
  Object.entries(of).map(([at, inThisRun]) => {
    const [step = '', name = ''] = at.split('/');
    return { step, name, value: before + inThisRun, inThisRun };
  });

describe('the shares of a run', () => {
  it('are those of this run alone', () => {
    const run = counts(
      {
        'in/read': 80,
        'labels/read': 20,
        'hours/late': 30,
        'hours/unmatched': 99,
        'in/dead:malformed': 4,
        'check/dead:stale': 2,
        'model/learned': 5,
        'model/duplicate_labels': 5,
        'model/unmatched': 30,
        'features/outcomes': 10,
        'features/outcomes_unmatched': 10,
      },
      1_000,
    );
    expect(findings(run)).toEqual({
      shares: { late: 0.3, dead: 0.06, unmatched: 0.75 },
      neverMatched: [],
      unreadable: [],
      mostDead: 'malformed of in',
      rowless: [],
    });
    expect(findings([])).toEqual({
      shares: { late: 0, dead: 0, unmatched: 0 },
      neverMatched: [],
      unreadable: [],
      mostDead: '',
      rowless: [],
    });
  });

  it('name an input of labels of which nothing ever matched', () => {
    const run = counts({
      'model/learned': 0,
      'model/unmatched': 3,
      'features/outcomes': 0,
      'features/outcomes_unmatched': 1,
    });
    expect(findings(run).neverMatched).toEqual(['model.labels', 'features.outcomes']);
    expect(findings(counts({ 'model/learned': 0, 'model/unmatched': 0 })).neverMatched).toEqual([]);
  });

  it('name a source of which nothing could be decoded, if it gave many records', () => {
    const unreadable = (of: Readonly<Record<string, number>>) => findings(counts(of, 1_000)).unreadable;
    expect(unreadable({ 'in/read': 100, 'in/dead:not-json': 60, 'in/dead:truncated': 40 })).toEqual(['in']);
    expect(unreadable({ 'in/read': 100, 'in/dead:not-json': 99, 'check/dead:stale': 1 })).toEqual([]);
    expect(unreadable({ 'in/read': 99, 'in/dead:not-json': 99 })).toEqual([]);
  });

  it('name a join with a table that found no row for many records', () => {
    const rowless = (joined: number, unmatched: number) =>
      findings(counts({ 'named/joined': joined, 'named/unmatched': unmatched })).rowless;
    expect(rowless(70, 30)).toEqual([{ step: 'named', share: 0.3 }]);
    expect(rowless(75, 25)).toEqual([]);
    expect(rowless(0, 0)).toEqual([]);
  });

  it('are told of where they lie above a limit', () => {
    const shares = { late: 0.011, dead: 0.05, unmatched: 0.75 };
    expect(exceeded(shares, usualLimits)).toEqual(['75.0% of the labels matched no record (limit 50.0%)']);
    expect(exceeded(shares, { late: 0.01, dead: 0.05 })).toEqual(['1.1% of the records came late (limit 1.0%)']);
    expect(exceeded(shares, {})).toEqual([]);
  });

  it('are read from what --fail-on says', () => {
    expect(limitsIn('late=1%,dead=5%, unmatched = 50%')).toEqual({ late: 0.01, dead: 0.05, unmatched: 0.5 });
    expect(limitsIn('dead=0')).toEqual({ dead: 0 });
    for (const wrong of ['', 'late', 'late=2', 'late=-1%', 'slow=1%', 'late=1%,'])
      expect(limitsIn(wrong)).toBeUndefined();
  });
});
