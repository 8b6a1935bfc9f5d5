import { describe, expect, it } from 'vitest';
import { reportText } from '../../../examples/flights/report-text.js';
import { sampleReport } from './sample-report.js';

const pointers = {
  files: [
    ['report', 'data/report.html'],
    ['tables', 'data/clickhouse'],
  ],
  commands: [['npm run demo -- --all', 'all three million flights']],
} as const;

describe('reportText', () => {
  it('aligns figures, keeps to 100 columns, and adds the counts up', () => {
    const text = reportText(sampleReport, pointers);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toContain(
      '500,000 flights in 21.4 s: 47,300 records/s, at most 430 MiB beside mapped files. 21.6 % were late.',
    );
    expect(text).toContain('departed  506,526 read = 500,000 predictions + 2,522 duplicates + 4,004 dead letters');
    expect(text).toContain('each of 3 kinds was caught where it should be');
    const lines = text.split('\n');
    const head = lines.find((line) => line.includes('ROC AUC')) ?? '';
    const online = lines.find((line) => line.startsWith('online model ')) ?? '';
    const end = head.indexOf('ROC AUC') + 'ROC AUC'.length;
    expect(online.slice(end - 5, end)).toBe('0.742');
    expect(text).toContain('\nreport  data/report.html\ntables  data/clickhouse\n');
    expect(text).toMatch(/Try next\n {2}npm run demo -- --all {2}all three million flights\n$/);
  });

  it('names each kind that was not caught', () => {
    const text = reportText(
      {
        ...sampleReport,
        everythingCaught: false,
        putIn: [
          { side: 'departed', kinds: ['stale'], outcome: 'dead-letter', reason: 'stale', putIn: 1_012, caught: 1_010 },
          { side: 'arrived', kinds: [], outcome: 'dead-letter', reason: 'too-deep', putIn: 0, caught: 1 },
        ],
      },
      pointers,
    );
    expect(text).toContain('MISSING   departed: stale (stale): 1,012 put in, 1,010 caught');
    expect(text).toContain('MISSING   arrived: unexpected (too-deep): 0 put in, 1 caught');
    expect(text).not.toContain('where it should be');
  });

  it('shows a dash for a model that was not judged', () => {
    const text = reportText(
      { ...sampleReport, risk: { ...sampleReport.risk, rows: 0, lateRocAuc: null, lateLogLoss: null } },
      pointers,
    );
    expect(text).toMatch(/ONNX model, from 15 January on +0 +- +- +- +-/);
  });
});
