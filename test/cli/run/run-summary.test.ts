import { describe, expect, it } from 'vitest';
import { progressText, summarize, summaryText } from '../../../src/cli/run/run-summary.js';
import { concernsOf } from '../../../src/server/run-shares.js';
import { orders } from '../../topology/fixtures.js';
import { someSnapshot } from '../snapshot.js';

describe('the summary of a run', () => {
  const { counters, latency } = someSnapshot();
  const counts = counters.map((each) => ({ ...each, inThisRun: each.name === 'read' ? 20 : 0 }));
  const summary = summarize(orders, 'embedded', 12.5, counts, latency);

  it('counts what was read, written and given up, by step and reason', () => {
    expect(summary).toMatchObject({
      topology: 'orders',
      profile: 'embedded',
      read: { orders: 120, refunds: 0 },
      written: { 'large-orders': 0, history: 112 },
      deadLetters: { 'range:amount': 2, truncated: 1 },
    });
    expect(summary.counters.dedupe).toEqual({ duplicates: 5 });
  });

  it('adds up one reason over steps', () => {
    const twice = ['a', 'b'].map((step) => ({ step, name: 'dead:stale', value: 2, inThisRun: 2 }));
    expect(summarize(orders, 'embedded', 1, twice, latency).deadLetters).toEqual({ stale: 4 });
  });

  it('tells what this run alone did, and how fast', () => {
    expect(summary.thisRun).toEqual({
      read: { orders: 20, refunds: 0 },
      written: { 'large-orders': 0, history: 0 },
      recordsPerSecond: 1.6,
      shares: { late: 0, dead: 0, unmatched: 0 },
      neverMatched: [],
      unreadable: [],
      mostDead: '',
      rowless: [],
    });
    expect(summaryText(summary)).toContain('12.5 s, 20 read in this run (2/s), latency p50');
    const idle = counts.map((each) => ({ ...each, inThisRun: 0 }));
    expect(summarize(orders, 'embedded', 0.4, idle, latency).thisRun.recordsPerSecond).toBe(0);
  });

  it('says what somebody should look at', () => {
    expect(concernsOf(summary.thisRun)).toEqual([]);
    const bad = counts.map((each) => ({ ...each, inThisRun: each.name.startsWith('dead:') ? 2 : each.inThisRun }));
    const model = ['learned', 'unmatched'].map((name, value) => ({ step: 'model', name, value, inThisRun: value }));
    expect(concernsOf(summarize(orders, 'embedded', 1, [...bad, ...model], latency).thisRun)).toEqual([
      '20.0% of the records are dead letters (limit 5.0%): most are range:amount of validate; `millrace dlq show FILE` prints them with the details',
      expect.stringContaining('100.0% of the labels matched no record (limit 50.0%): '),
      'nothing that came in model.labels ever matched a record: are the keys the same on both sides?',
    ]);
  });

  it('reads well, and survives JSON', () => {
    expect(summaryText(summary)).toMatch(/^read\n {2}refunds +0\n {2}orders +120\nwritten\n/);
    expect(summaryText({ ...summary, deadLetters: {} })).toContain('dead letters: none');
    expect(progressText(summary, 1_234.5)).toMatch(
      /^120 read \(1,235\/s\) · 112 written · 3 dead letters · p99 [\d.]+ ms$/,
    );
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  });
});
