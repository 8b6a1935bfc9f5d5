import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Learner } from '../../src/core/learner.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { metricsFor } from '../../src/evaluate/metrics.js';
import {
  chance,
  type LabelKind,
  linearRegression,
  logisticRegression,
  pipe,
  sgd,
  softmaxRegression,
  standardScaler,
} from '../../src/ml/index.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-evaluate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, name);

interface Loan {
  readonly age: number;
  readonly income: number;
  readonly city: string;
  readonly late: boolean;
}
const cities = ['Oslo', 'Lima', 'Pune'];
const loans: readonly Loan[] = Array.from({ length: 800 }, (_, i) => {
  const age = 20 + Math.floor(50 * chance(1, 0, i));
  const income = Math.round(900 * chance(1, 1, i)) / 10;
  const city = cities[Math.floor(3 * chance(1, 2, i))] as string;
  const odds = (city === 'Lima' ? 0.35 : 0.1) + (income < 30 ? 0.4 : 0);
  return { age, income, city, late: chance(1, 3, i) < odds };
});
const csvOf = (rows: readonly Loan[]) =>
  `age,income,city,late\n${rows.map(({ age, income, city, late }) => `${age},${income},${city},${late}\n`).join('')}`;

beforeAll(() => {
  const lines = loans.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(file('loans.csv'), csvOf(loans));
  writeFileSync(file('loans.csv.gz'), gzipSync(csvOf(loans)));
  writeFileSync(file('loans.ndjson'), lines);
  const writer = new ByteWriter();
  const column = (name: keyof Loan, type: 'DOUBLE' | 'STRING' | 'BOOLEAN') => ({
    name,
    data: loans.map((row) => row[name]),
    type,
  });
  parquetWrite({
    writer,
    columnData: [
      column('age', 'DOUBLE'),
      column('income', 'DOUBLE'),
      column('city', 'STRING'),
      column('late', 'BOOLEAN'),
    ],
  });
  writeFileSync(file('loans.parquet'), new Uint8Array(writer.getBuffer()));
});

const logistic = logisticRegression({ optimizer: sgd({ rate: 0.05 }) });

describe('evaluate', () => {
  it('gives what a plain loop of scaling, predicting and learning gives', async () => {
    const { model, rows, baselines } = await evaluate({
      file: file('loans.csv'),
      label: 'late',
      learner: pipe(standardScaler(), logistic),
      columns: { city: 'skip' },
    });
    // Welford's moments and plain descent, written anew.
    const mean = [0, 0];
    const m2 = [0, 0];
    const weights = [0, 0];
    let [bias, loss, right, seen, sum] = [0, 0, 0, 0, 0];
    let rateLoss = 0;
    for (const { age, income, late } of loans) {
      const scaled = () =>
        [age, income].map((x, i) => {
          const variance = seen === 0 ? 0 : (m2[i] as number) / seen;
          return variance > 0 ? (x - (mean[i] as number)) / Math.sqrt(variance) : 0;
        });
      const chanceOf = (row: number[]) =>
        1 / (1 + Math.exp(-row.reduce((score, x, i) => score + x * (weights[i] as number), bias)));
      const p = chanceOf(scaled());
      loss -= Math.log(late ? p : 1 - p);
      if (p > 0.5 === late) right += 1;
      const rate = (sum + 1) / (seen + 2);
      rateLoss -= Math.log(late ? rate : 1 - rate);
      sum += Number(late);
      seen += 1;
      [age, income].forEach((x, i) => {
        const off = x - (mean[i] as number);
        mean[i] = (mean[i] as number) + off / seen;
        m2[i] = (m2[i] as number) + off * (x - (mean[i] as number));
      });
      const row = scaled();
      const slope = chanceOf(row) - Number(late);
      bias -= 0.05 * slope;
      row.forEach((x, i) => {
        weights[i] = (weights[i] as number) - 0.05 * slope * x;
      });
    }
    expect(rows).toBe(loans.length);
    expect(model.log_loss).toBeCloseTo(loss / seen, 9);
    expect(model.accuracy).toBe(right / seen);
    expect(baselines['running-rate']?.log_loss).toBeCloseTo(rateLoss / seen, 9);
    expect(model.log_loss).toBeLessThan(baselines['running-rate']?.log_loss as number);
  });

  it('gives the same for CSV, gzip, JSON lines and Parquet', async () => {
    const of = async (name: string) => {
      const { seconds, ...result } = await evaluate({ file: file(name), label: 'late', learner: logistic });
      expect(seconds).toBeGreaterThan(0);
      return result;
    };
    const byCsv = await of('loans.csv');
    expect(byCsv.columns).toEqual({ age: 'number', income: 'number', city: 'category' });
    for (const name of ['loans.csv.gz', 'loans.ndjson', 'loans.parquet']) expect(await of(name)).toEqual(byCsv);
  });

  it('learns from categories', async () => {
    const loss = async (columns: Readonly<Record<string, 'skip'>>) => {
      const { model } = await evaluate({
        file: file('loans.csv'),
        label: 'late',
        learner: pipe(standardScaler(), logistic),
        columns,
      });
      return model.log_loss as number;
    };
    expect(await loss({})).toBeLessThan(await loss({ city: 'skip' }));
  });

  it('takes a text as the positive label, numbers and classes', async () => {
    const { baselines } = await evaluate({
      file: file('loans.csv'),
      label: 'city',
      positive: 'Lima',
      learner: logistic,
    });
    const lima = loans.filter(({ city }) => city === 'Lima').length;
    expect(baselines.majority?.accuracy).toBeCloseTo(1 - lima / loans.length, 2);
    const numbers = await evaluate({
      file: file('loans.csv'),
      label: 'income',
      learner: linearRegression({ optimizer: sgd({ rate: 1e-5 }) }),
    });
    expect(numbers.model.mae).toBeGreaterThan(0);
    const classes = await evaluate({
      file: file('loans.csv'),
      label: 'city',
      learner: softmaxRegression({ classes: ['Lima', 'Oslo'], optimizer: sgd({ rate: 0.01 }) }),
    });
    expect(classes.refused).toEqual({ 'unknown-class': loans.filter(({ city }) => city === 'Pune').length });
  });

  it('computes every metric that there is, and only those that are asked for', async () => {
    const of = async (kind: LabelKind, learner: Learner<never, unknown>, label: string) => {
      const metrics = Object.keys(metricsFor(kind, ['Lima', 'Oslo', 'Pune']));
      const { model, unscored } = await evaluate({ file: file('loans.csv'), label, learner, metrics });
      expect(Object.keys(model)).toEqual(metrics);
      for (const [name, value] of Object.entries(model))
        expect({ name, value }).toEqual({ name, value: expect.any(Number) });
      expect(Object.values(model).filter(Number.isNaN)).toEqual([]);
      expect(unscored).toBe(0);
      return model;
    };
    const binary = await of('binary', logistic, 'late');
    expect(binary.accuracy).toBeGreaterThan(binary.balanced_accuracy as number);
    const number = await of('number', linearRegression({ optimizer: sgd({ rate: 1e-5 }) }), 'income');
    expect(number.rmse).toBeGreaterThan(number.mae as number);
    const classes = softmaxRegression({ classes: ['Lima', 'Oslo', 'Pune'], optimizer: sgd({ rate: 1e-4 }) });
    expect((await of('class', classes, 'city')).log_loss).toBeGreaterThan(0);
    const wrong = evaluate({ file: file('loans.csv'), label: 'late', learner: logistic, metrics: ['r2'] });
    await expect(wrong).rejects.toThrow("no metric 'r2'");
  });

  it('counts predictions that are no finite numbers, and leaves them out of the model alone', async () => {
    const broken = {
      ...logistic,
      open: (...args: Parameters<typeof logistic.open>) => ({
        ...logistic.open(...args),
        predictOne: () => Number.NaN,
      }),
    };
    const { model, baselines, unscored, rows } = await evaluate({
      file: file('loans.csv'),
      label: 'late',
      learner: broken,
    });
    expect([rows, unscored]).toEqual([loans.length, loans.length]);
    expect(model.log_loss).toBeNaN();
    expect(baselines.majority?.log_loss).toBeGreaterThan(0);
  });

  it('counts what is missing and what cannot be read, and goes on', async () => {
    writeFileSync(file('holes.csv'), `${csvOf([...loans, ...loans])},10.5,Oslo,true\n40,,Lima,\n33,abc,Oslo,true\n`);
    const result = await evaluate({ file: file('holes.csv'), label: 'late', learner: logistic });
    expect(result.unreadable).toEqual({ rows: 1, first: 'column income: "abc" is no number?' });
    expect(result.missing).toBe(2);
    expect(result.refused).toEqual({ 'unusable-label': 1 });
    expect(result.rows).toBe(2 * loans.length + 1);
  });

  it.each([
    [{ label: 'nope' }, "there is no column 'nope'"],
    [{ columns: { age: 'skip', income: 'skip', city: 'skip' } as const }, 'no column is left'],
    [{ file: file('none.csv') }, 'no such file'],
  ])('refuses %o', async (wrong, message) => {
    const options = { file: file('loans.csv'), label: 'late', learner: logistic, ...wrong };
    await expect(evaluate(options)).rejects.toThrow(message);
  });
});
