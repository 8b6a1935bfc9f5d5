import { expect } from 'vitest';
import { rocAucOf } from './roc-auc.js';

export type Row = Readonly<Record<string, number | string | null>>;

/** A prediction and its label. */
export interface Judged {
  readonly p: number;
  readonly late: boolean;
}

/** The figures of a group of rows by their definitions; the ROC AUC of a score that may be a bin. */
export function figures(rows: readonly Judged[], scoreOf: (p: number) => number = (p) => p): Row {
  const n = rows.length;
  const mean = (of: (row: Judged) => number) => rows.reduce((sum, row) => sum + of(row), 0) / n;
  const hits = rows.filter(({ p, late }) => p > 0.25 && late).length;
  const claims = rows.filter(({ p }) => p > 0.25).length + rows.filter(({ late }) => late).length;
  const bins = Array.from({ length: 10 }, (_, b) => rows.filter(({ p }) => Math.floor(10 * p) === b));
  const gap = (bin: readonly Judged[]) => Math.abs(bin.reduce((sum, { p, late }) => sum + p - Number(late), 0));
  const auc = rocAucOf(rows.map(({ p, late }) => [scoreOf(p), late] as const));
  return {
    right: mean(({ p, late }) => Number(p > 0.25 === late)),
    loss: mean(({ p, late }) => -Math.log(late ? p : 1 - p)),
    brier: mean(({ p, late }) => (p - Number(late)) ** 2),
    auc: Number.isNaN(auc) ? null : auc,
    f1: claims === 0 ? null : (2 * hits) / claims,
    ece: bins.reduce((sum, bin) => sum + gap(bin), 0) / n,
  };
}

export const expectNear = (actual: Row | undefined, expected: Row, where: string): void => {
  for (const [name, value] of Object.entries(expected)) {
    const own = actual?.[name];
    if (typeof value === 'number' && typeof own === 'number')
      expect(Math.abs(own - value), `${where}: ${name}`).toBeLessThanOrEqual(1e-9);
    else expect(own, `${where}: ${name}`).toBe(value);
  }
};
