import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Session } from 'chdb';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../examples/flights/flights.js';
import { days, hours } from '../../src/core/index.js';
import { type EvaluationRow, evaluate } from '../../src/index.js';
import { accuracy, brier, calibrationError, fBeta, logLoss, rocAuc, scoreHistogram } from '../../src/ml.js';
import { type DrivenInput, driveOperator } from '../../src/testing.js';
import { read } from '../docs/generated.js';
import { generator } from '../random.js';
import { expectNear, figures, type Row } from './figures.js';
import { arrivalOf, departureOf, firstFlights } from './real-flights.js';
import { rocAucOf } from './roc-auc.js';

const FLIGHTS = 60_000;
const BINS = 1_024;
const WEEK_MS = 7 * 86_400_000;

interface Prediction {
  readonly id: number;
  readonly p: number;
  readonly origin: string;
  readonly hour: number;
}
interface Label {
  readonly id: number;
  readonly late: boolean;
}
type Timed<T> = { readonly value: T; readonly eventTimeMs: number };

let predictions: Timed<Prediction>[];
let labels: Timed<Label>[];
beforeAll(async () => {
  const flights: Flights = await firstFlights(FLIGHTS);
  const ids = Array.from({ length: FLIGHTS }, (_, id) => id);
  const late = ids.map((id) => arrivalOf(flights, id).delayMinutes >= 15);
  const hourOf = (id: number) => Math.floor(departureOf(flights, id).departedAt / 3_600_000) % 24;
  // The rate of the hour, a little changed by flight, on the middle of a bin: so the ROC AUC of the bins is exact.
  const rates = Array.from({ length: 24 }, (_, hour) => {
    const own = ids.filter((id) => hourOf(id) === hour);
    return own.filter((id) => late[id]).length / Math.max(1, own.length);
  });
  const next = generator(1);
  predictions = ids.map((id) => {
    const { departedAt, origin } = departureOf(flights, id);
    const p = Math.min(0.99, Math.max(0.01, (rates[hourOf(id)] as number) + 0.1 * next() - 0.05));
    const value = { id, p: (Math.floor(p * BINS) + 0.5) / BINS, origin: origin ?? '', hour: hourOf(id) };
    return { value, eventTimeMs: departedAt };
  });
  labels = ids.map((id) => ({
    value: { id, late: late[id] as boolean },
    eventTimeMs: arrivalOf(flights, id).arrivedAt,
  }));
}, 60_000);

const operator = evaluate({
  prediction: { key: (row: Prediction) => row.id, value: (row) => row.p },
  label: { key: (row: Label) => row.id, value: (row) => row.late },
  wait: hours(24),
  correctable: hours(48),
  metrics: {
    right: accuracy({ threshold: 0.25 }),
    loss: logLoss(),
    brier: brier(),
    auc: rocAuc({ bins: BINS }),
    f1: fBeta({ threshold: 0.25 }),
    ece: calibrationError({ bins: 10 }),
  },
  slices: { origin: ({ origin }) => origin, hour: ({ hour }) => hour },
  slicesMax: 400,
  every: days(7),
  pendingMax: FLIGHTS,
});

/** The newest row of each week and slice. */
function newest(told: readonly Timed<Label>[]): Map<string, Row> {
  const inputs: DrivenInput[] = [
    ...predictions.map((record) => ({ ...record, input: 0 })),
    ...told.map((record) => ({ ...record, input: 1 })),
  ].sort((a, b) => a.eventTimeMs - b.eventTimeMs || a.input - b.input);
  const { emitted, failure, deadLetters } = driveOperator(operator, inputs, { final: true });
  expect([failure, deadLetters]).toEqual([undefined, []]);
  const rows = new Map<string, Row>();
  for (const { value } of emitted as readonly { readonly value: Row }[])
    rows.set(`${value.startMs}/${value.slice}/${value.value}`, value);
  return rows;
}

describe('evaluate on flights', () => {
  it('gives every figure of every slice and week that a single loop over the whole log gives', () => {
    const groups = new Map<string, { p: number; late: boolean }[]>();
    predictions.forEach(({ value: { id, p, origin, hour }, eventTimeMs }) => {
      const startMs = Math.floor(eventTimeMs / WEEK_MS) * WEEK_MS;
      for (const name of [`${startMs}/all/`, `${startMs}/origin/${origin}`, `${startMs}/hour/${hour}`]) {
        const group = groups.get(name) ?? [];
        group.push({ p, late: labels[id]?.value.late as boolean });
        groups.set(name, group);
      }
    });
    const rows = newest(labels);
    expect(rows.size).toBe(groups.size);
    expect(rows.size).toBeGreaterThan(300);
    for (const [name, group] of groups) {
      expectNear(rows.get(name), figures(group), name);
      expect(rows.get(name)).toMatchObject({ predicted: group.length, labelled: group.length, coverage: 1 });
    }
  });

  it('ends where it would have ended with right labels, if 5 % were wrong and are corrected a day later', () => {
    const next = generator(2);
    const wrong = new Set(labels.filter(() => next() < 0.05).map(({ value: { id } }) => id));
    expect(wrong.size).toBeGreaterThan(2_500);
    const told = labels.map(({ value: { id, late }, eventTimeMs }) => ({
      value: { id, late: wrong.has(id) ? !late : late },
      eventTimeMs,
    }));
    const corrections = labels
      .filter(({ value: { id } }) => wrong.has(id))
      .map(({ value, eventTimeMs }) => ({ value, eventTimeMs: eventTimeMs + days(1) }));
    const right = newest(labels);
    const corrected = newest([...told, ...corrections]);
    expect([...corrected.keys()].sort()).toEqual([...right.keys()].sort());
    let replaced = 0;
    for (const [name, { atMs: _, corrected: none, ...row }] of right) {
      expect(none).toBe(0);
      expectNear(corrected.get(name), row, name);
      if (name.includes('/all/')) replaced += corrected.get(name)?.corrected as number;
    }
    expect(replaced).toBe(wrong.size);
  });

  it('gives the ROC AUC of the whole by SQL over the rows of four tasks', () => {
    const tasks = 4;
    const bins = 64;
    const perTask = Array.from({ length: tasks }, (_, task) => {
      const own = evaluate({
        prediction: { key: (row: Prediction) => row.id, value: (row) => row.p },
        label: { key: (row: Label) => row.id, value: (row) => row.late },
        wait: hours(24),
        metrics: { scores: scoreHistogram({ bins }) },
        slices: { hour: ({ hour }) => hour },
        every: hours(24),
        pendingMax: FLIGHTS,
      });
      const inputs: DrivenInput[] = [
        ...predictions.map((record) => ({ ...record, input: 0 })),
        ...labels.map((record) => ({ ...record, input: 1 })),
      ].filter(({ value }) => value.id % tasks === task);
      inputs.sort(
        (a, b) => (a.eventTimeMs as number) - (b.eventTimeMs as number) || (a.input as number) - (b.input as number),
      );
      const { emitted } = driveOperator(own, inputs, { final: true });
      return emitted.map(({ value }) => {
        const { scores, ...row } = value as EvaluationRow<{ scores: ReturnType<typeof scoreHistogram> }>;
        return { ...row, task, positives: scores?.positives ?? [], negatives: scores?.negatives ?? [] };
      });
    });
    const file = join(mkdtempSync(join(tmpdir(), 'millrace-evaluation-')), 'quality.ndjson');
    writeFileSync(
      file,
      perTask
        .flat()
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    const session = new Session();
    try {
      // The query of the guide.
      const [, query = ''] = /```sql\n(WITH newest[^`]*)```/.exec(read('docs/guide/evaluation.md')) ?? [];
      const columns =
        'task UInt8, slice String, value String, startMs Int64, atMs Int64, positives Array(Float64), negatives Array(Float64)';
      session.query(
        `CREATE TABLE quality ENGINE = Memory AS SELECT * FROM file('${file}', 'JSONEachRow', '${columns}')`,
      );
      const told = session
        .query(query, 'JSONEachRow')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(told.length).toBe(24);
      for (const { hour, labels: count, rocAuc: auc } of told) {
        const own = predictions.filter(({ value }) => value.hour === Number(hour));
        expect(Number(count)).toBe(own.length);
        const whole = rocAucOf(
          own.map(({ value: { id, p } }) => [Math.floor(bins * p), labels[id]?.value.late as boolean] as const),
        );
        expect(Math.abs(auc - whole)).toBeLessThan(1e-9);
      }
    } finally {
      session.cleanup();
      rmSync(dirname(file), { recursive: true });
    }
  });
});
