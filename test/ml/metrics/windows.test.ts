import { expect, it } from 'vitest';
import type { Change } from '../../../src/core/index.js';
import { hours } from '../../../src/core/index.js';
import { window, windowOfChanges } from '../../../src/index.js';
import { accuracy, chance, logLoss, metricsOf, prAuc, rocAuc } from '../../../src/ml.js';
import { checkOperator, driveOperator } from '../../../src/testing.js';
import { count, onInterval, tumbling } from '../../../src/window.js';

interface Judged {
  readonly probability: number;
  readonly late: boolean;
}

const HOUR = 3_600_000;
const truths: readonly Judged[] = Array.from({ length: 600 }, (_, i) => {
  const probability = chance(1, 0, i);
  return { probability, late: chance(1, 1, i) < probability };
});
const aggregate = {
  rows: count(),
  ...metricsOf(
    ({ probability, late }: Judged) => ({
      prediction: probability,
      label: late,
      weight: 1 + (probability > 0.7 ? 0.3 : 0),
    }),
    {
      auc: rocAuc(),
      pr: prAuc({ bins: 64 }),
      loss: logLoss(),
      right: accuracy(),
    },
  ),
};
const inOneHour = truths.map((value, i) => ({ value, eventTimeMs: 1_000 * i }));
const plain = window({ key: (_: Judged) => 'all', window: tumbling(hours(1)), aggregate, keysMax: 1 });

it('a window of metrics is what an operator promises', () => {
  expect(() => checkOperator(plain, inOneHour.slice(0, 60))).not.toThrow();
});

it('labels that were wrong and are corrected leave the same metrics as right ones', () => {
  const right = driveOperator(plain, inOneHour, { final: true }).emitted[0]?.value;
  const corrected = windowOfChanges({
    key: (_: Judged) => 'all',
    eventTime: () => 0,
    window: tumbling(hours(1)),
    aggregate,
    emit: onInterval({ every: hours(1) }),
    allowedLateness: hours(48),
    keysMax: 1,
  });
  // Every twentieth label was wrong, and is corrected a day later.
  const wrong = (i: number) => i % 20 === 0;
  const told = (row: Judged, i: number): Judged => (wrong(i) ? { ...row, late: !row.late } : row);
  const first = truths.map((row, i): { value: Change<Judged>; eventTimeMs: number } => ({
    value: { key: `${i}`, before: null, after: told(row, i) },
    eventTimeMs: 1_000 * i,
  }));
  const later = truths.flatMap((row, i) =>
    wrong(i) ? [{ value: { key: `${i}`, before: told(row, i), after: row }, eventTimeMs: 24 * HOUR + i }] : [],
  );
  const { emitted, deadLetters } = driveOperator(corrected, [...first, ...later], { final: true });
  expect(deadLetters).toEqual([]);
  const results = emitted.map(({ value }) => (value as { readonly after: Record<string, number> }).after);
  const last = results.at(-1) ?? {};
  for (const [name, value] of Object.entries(right as Record<string, unknown>))
    if (typeof value === 'number') expect(last[name]).toBeCloseTo(value, 9);
    else expect(last[name]).toBe(value);
  const before = results[0]?.auc as number;
  expect(before).not.toBeCloseTo((right as Record<string, number>).auc as number, 3);
});
