import { describe, expect, it } from 'vitest';
import { type Night, pageOf } from '../../benchmarks/nightly/page.js';

const night = (date: string, ratio: number, seconds: number, isOk = true): Night => ({
  ...{ date, commit: 'abc1234', machine: '2 x CPU' },
  steps: [
    { name: 'sim', isOk: true, seconds },
    { name: 'oracle', isOk, seconds: 10 },
  ],
  reports: [
    {
      ...{ name: 'codecs', question: 'How fast?', command: 'npm run bench -- codecs', unit: 'records/s' },
      figures: { 'avro | write': { median: 1_234_567, low: 1, high: 2 } },
      ratios: { 'avro through json': { median: ratio, low: 0, high: 9 } },
    },
  ],
});

describe('the page of a night', () => {
  it('has its steps and figures beside those of the nights before', () => {
    const page = pageOf([night('1', 2, 100), night('2', 2.2, 110), night('3', 2.1, 90), night('4', 2.15, 120, false)]);
    expect(page).toContain('# The night of 4');
    expect(page).toContain('1 steps passed, 1 failed: oracle.');
    // 120 s is outside of 90 to 110, 2.15 inside of 2 to 2.2.
    expect(page).toContain('| sim | ok | **120** | 100 | +20.0 % | ▃▆▁█ |');
    expect(page).toContain('| oracle | **failed** | 10 | 10 | +0.0 % | ▁▁▁▁ |');
    expect(page).toContain('| avro through json | 2.15 | 2.1 | +2.4 % | ▁█▅▆ |');
    expect(page).toContain('| avro \\| write | 1,234,567 | 1,234,567 | +0.0 % | ▁▁▁▁ |');
    expect(page).toContain('How fast? `npm run bench -- codecs`');
  });

  it('says nothing of a range that few nights make, nor of figures that they lack', () => {
    const page = pageOf([night('1', 2, 100), night('2', 9, 100)]);
    expect(page).toContain('| avro through json | 9 | 2 | +350.0 % | ▁█ |');
    expect(pageOf([night('1', 2, 100)])).toContain('| avro through json | 2 |  |  | ▁ |');
    expect(pageOf([])).toBe('# No night yet\n');
  });
});
