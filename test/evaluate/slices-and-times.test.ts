import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { waitingLabels } from '../../src/evaluate/waiting-labels.js';
import { chance, logisticRegression, sgd } from '../../src/ml/index.js';
import { logLossOf } from '../../src/ml/metrics/probabilities/log-loss.js';
import { openLearner } from '../ml/support.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-evaluate-times-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Flight {
  readonly size: number;
  readonly place: string;
  readonly counts: number | null;
  readonly at: number;
  readonly known: number | string | null;
  readonly late: boolean;
}
const flights: readonly Flight[] = Array.from({ length: 300 }, (_, i) => {
  const size = chance(1, 0, i);
  const at = 1_000 * i;
  return {
    size,
    place: `p${Math.floor(60 * chance(1, 1, i) ** 2)}`,
    counts: i === 7 ? null : 1 + (i % 3),
    at,
    // From none at all to long after the end; some at the same time.
    known:
      i === 9
        ? null
        : i % 10 === 0
          ? new Date(at + 50_000).toISOString()
          : at + 1_000 * Math.floor(40 * chance(1, 2, i)),
    late: chance(1, 3, i) < size,
  };
});
const file = join(folder, 'flights.ndjson');
writeFileSync(file, flights.map((flight) => `${JSON.stringify(flight)}\n`).join(''));
const learner = logisticRegression({ optimizer: sgd({ rate: 0.5 }) });
const options = { file, label: 'late', learner, columns: { place: 'skip' } } as const;
const numbers = (size: number) => ({
  dense: Float64Array.of(size),
  indices: new Uint32Array(0),
  values: new Float64Array(0),
});

/** Each row predicted by what was learnt before it, and learnt when its label comes; by going through all rows again and again. */
function loop(timed: boolean, weighted: boolean) {
  const model = openLearner(learner, { denseSize: 1, hashedSize: 0 });
  const left = flights
    .map((flight, i) => ({ ...flight, i, knownMs: timed ? new Date(flight.known ?? Number.NaN).getTime() : 0 }))
    .filter(({ counts, knownMs }) => (!weighted || counts !== null) && !Number.isNaN(knownMs));
  const waiting: ((typeof left)[number] & { p: number })[] = [];
  const judged: { p: number; flight: Flight; weight: number }[] = [];
  const learn = (untilMs: number) => {
    waiting.sort((a, b) => a.knownMs - b.knownMs || a.i - b.i);
    while (waiting[0] && waiting[0].knownMs <= untilMs) {
      const { p, size, late, counts, ...rest } = waiting.shift() as (typeof waiting)[number];
      const weight = weighted ? (counts as number) : 1;
      judged.push({ p, flight: { size, late, counts, ...rest }, weight });
      model.learnOne(numbers(size), late, weight);
    }
  };
  for (const flight of left) {
    learn(flight.at);
    waiting.push({ ...flight, p: model.predictOne(numbers(flight.size)) as number });
    if (!timed) learn(Number.POSITIVE_INFINITY);
  }
  learn(Number.POSITIVE_INFINITY);
  return judged;
}

const lossOf = (rows: ReturnType<typeof loop>) =>
  rows.reduce((sum, { p, flight, weight }) => sum + weight * logLossOf(p, flight.late), 0) /
  rows.reduce((sum, { weight }) => sum + weight, 0);

describe('evaluate of a file', () => {
  it('plays labels at their times: a loop that learns each when it comes says the same', async () => {
    const skip = { ...options, columns: { place: 'skip', counts: 'skip' } as const };
    const result = await evaluate({ ...skip, times: { predicted: 'at', labelled: 'known' } });
    const expected = loop(true, false);
    expect(result.columns).toEqual({ size: 'number' });
    expect(result.rows).toBe(expected.length);
    expect(result.refused).toEqual({ 'unusable-time': 1 });
    expect(result.model.log_loss).toBeCloseTo(lossOf(expected), 12);
    expect(result.waitingMost).toBeGreaterThan(10);
    const atOnce = await evaluate({ ...skip, columns: { ...skip.columns, at: 'skip', known: 'skip' } });
    expect(atOnce.model.log_loss).toBeCloseTo(lossOf(loop(false, false)), 12);
    expect(atOnce.model.log_loss).not.toBeCloseTo(result.model.log_loss as number, 6);
    expect(atOnce.waitingMost).toBe(0);
  });

  it('counts rows by their weight, in metrics and in learning', async () => {
    const result = await evaluate({
      ...options,
      weight: 'counts',
      columns: { place: 'skip', at: 'skip', known: 'skip' },
    });
    const expected = loop(false, true);
    expect(result.refused).toEqual({ 'unusable-weight': 1 });
    expect(result.model.log_loss).toBeCloseTo(lossOf(expected), 12);
  });

  it('measures the model by slice, of many values the first 50', async () => {
    const columns = { place: 'skip', counts: 'skip', at: 'skip', known: 'skip' } as const;
    const result = await evaluate({ ...options, columns, slices: ['place', 'late'] });
    const judged = loop(false, false);
    const places = [...new Set(flights.map(({ place }) => place))].slice(0, 50);
    const groups = new Map<string, typeof judged>();
    for (const row of judged) {
      const place = places.includes(row.flight.place) ? row.flight.place : 'other';
      for (const name of [`place=${place}`, `late=${row.flight.late}`])
        groups.set(name, [...(groups.get(name) ?? []), row]);
    }
    expect(Object.keys(result.slices)).toEqual([...groups.keys()]);
    expect(groups.size).toBe(50 + 1 + 2);
    for (const [name, rows] of groups) {
      expect(result.slices[name]?.rows).toBe(rows.length);
      expect(result.slices[name]?.model.log_loss).toBeCloseTo(lossOf(rows), 12);
    }
  });

  it('refuses a column that there is not', async () => {
    await expect(evaluate({ ...options, slices: ['town'] })).rejects.toThrow("there is no column 'town'");
    await expect(evaluate({ ...options, weight: 'kilos' })).rejects.toThrow("there is no column 'kilos'");
  });
});

it('waiting labels are taken in the order of their times, equal ones as they came', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean())), (steps) => {
      const waiting = waitingLabels<readonly [number, number]>();
      let held: (readonly [number, number])[] = [];
      steps.forEach(([timeMs, isTaken], i) => {
        if (isTaken) {
          const taken: (readonly [number, number])[] = [];
          waiting.take(timeMs, (value) => taken.push(value));
          const due = held.filter(([time]) => time <= timeMs).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
          expect(taken).toEqual(due);
          held = held.filter(([time]) => time > timeMs);
        } else {
          waiting.add(timeMs, [timeMs, i]);
          held.push([timeMs, i]);
        }
        expect(waiting.size()).toBe(held.length);
      });
    }),
  );
});
