import { describe, expect, it } from 'vitest';
import { type ProgressSnapshot, progressLine, progressWriter } from '../../../examples/flights/progress.js';

const snapshot: ProgressSnapshot = {
  elapsedSeconds: 3,
  records: 429_999,
  recordsTotal: 1_000_000,
  recordsPerSecond: 52_309.6,
  latencyMs: { p50: 41.2, p99: 1_240 },
  streamTimeMs: Date.UTC(2001, 0, 10, 13, 5),
  lastHour: { logLoss: 0.4314, rocAuc: 0.742, hourRateLogLoss: 0.502, hourRateRocAuc: null },
  deadLetters: 1_812,
};

describe('progressLine', () => {
  it('says how far, how fast and how well', () => {
    expect(progressLine(snapshot)).toBe(
      ' 42 %  10 Jan 13:05  52,310/s  p50 41 ms p99 1.2 s  1,812 dead  AUC 0.742 (hour rate -)  log loss 0.431 (0.502)',
    );
  });

  it('leaves out what is not known yet', () => {
    const early = {
      ...snapshot,
      recordsTotal: undefined,
      latencyMs: undefined,
      streamTimeMs: undefined,
      lastHour: undefined,
    };
    expect(progressLine(early)).toBe('429,999  52,310/s  1,812 dead');
  });
});

describe('progressWriter', () => {
  const output = (isTTY: boolean, columns?: number) => {
    const written: string[] = [];
    return { isTTY, columns, written, write: (text: string) => written.push(text) };
  };

  it('rewrites one line of a terminal and never lets it wrap', () => {
    const terminal = output(true, 40);
    const progress = progressWriter(terminal);
    progress.show(snapshot);
    progress.show(snapshot);
    progress.end();
    progress.end();
    expect(terminal.written).toEqual([
      `\r\x1b[2K${progressLine(snapshot).slice(0, 39)}`,
      `\r\x1b[2K${progressLine(snapshot).slice(0, 39)}`,
      '\n',
    ]);
  });

  it('writes a line every five seconds elsewhere', () => {
    const file = output(false);
    const progress = progressWriter(file);
    for (const elapsedSeconds of [0.2, 1, 5, 5.3, 10.3]) progress.show({ ...snapshot, elapsedSeconds });
    progress.end();
    expect(file.written).toHaveLength(3);
    expect(file.written.every((line) => line.endsWith('dead  AUC 0.742 (hour rate -)  log loss 0.431 (0.502)\n'))).toBe(
      true,
    );
  });
});
