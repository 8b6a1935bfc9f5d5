import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest, PutIn } from '../../../examples/flights/manifest.js';
import { type FlightReport, makeReport } from '../../../examples/flights/report.js';
import type { Query } from '../../../examples/flights/sql.js';
import { openEngine } from './fixtures.js';

const at = (text: string): number => Date.parse(`${text}:00Z`);

// flightId, departedAt, origin, late, hourRate, lastClass, majority, risk, delayMinutes (null: has not arrived)
const flights: [number, number, string, number, number, number, number, number | null, number | null][] = [
  [1, at('2001-01-02T10:00'), 'ATL', 0.9, 0.5, 0, 0, 0.3, 20],
  [2, at('2001-01-02T11:00'), 'ATL', 0.8, 0.5, 0, 0, 0.3, 0],
  // In New York, where this test's engine believes to be, it still is Sunday, and so the week before.
  [3, at('2001-01-08T02:00'), 'ORD', 0.8, 0.25, 1, 0, 0.3, 30],
  [4, at('2001-01-08T02:30'), 'ORD', 0.2, 0.25, 0, 0, null, 14],
  [5, at('2001-01-16T10:00'), 'ATL', 0.4, 0.25, 0, 0, 0.7, 15],
  [6, at('2001-01-16T23:59'), 'ATL', 0.1, 0.25, 1, 0, 0.7, -5],
  [7, at('2001-01-17T10:00'), 'DEN', 0.5, 0.25, 1, 0, 0.7, null],
  [8, at('2001-01-17T10:00'), 'DEN', 0.5, 0.25, 1, 0, null, null],
];

const counters: [step: string, task: number, name: string, values: number[]][] = [
  ['departed', 0, 'counter:read', [3, 7]],
  ['departed', 1, 'counter:read', [2, 5, 5]],
  ['departed', 0, 'counter:dead:truncated', [1]],
  ['dedupe', 1, 'counter:duplicates', [1]],
  ['validate', 0, 'counter:dead:range:distance', [1]],
  ['validate', 1, 'counter:dead:range:distance', [1]],
  ['impute', 0, 'counter:imputed', [2]],
  ['arrived', 0, 'counter:read', [10]],
  ['dedupe-arrived', 0, 'counter:duplicates', [1]],
  ['validate-arrived', 0, 'counter:dead:range:delayMinutes', [2]],
  ['delay-model', 0, 'counter:learned', [4, 6]],
  ['delay-model', 0, 'counter:unmatched', [1]],
  ['delay-model', 0, 'roc_auc', [900]],
];

const put = (
  side: 'departed' | 'arrived',
  kind: string,
  count: number,
  outcome: PutIn['outcome'],
  reason: string | null = null,
): PutIn => ({
  topic: `flights.${side}.v1`,
  side,
  kind,
  count,
  outcome,
  reason,
});

const manifest: Manifest = {
  version: 1,
  limit: 8,
  seed: 1,
  clean: false,
  flights: 8,
  zoneAssumed: 0,
  records: { departed: [7, 5, 0, 0], arrived: [10, 0, 0, 0] },
  putIn: [
    put('departed', 'flight', 8, 'prediction'),
    put('departed', 'duplicate', 1, 'duplicate'),
    put('departed', 'truncated', 1, 'dead-letter', 'truncated'),
    put('departed', 'negative distance', 1, 'dead-letter', 'range:distance'),
    put('departed', 'absurd distance', 1, 'dead-letter', 'range:distance'),
    put('departed', 'missing distance', 2, 'imputed'),
    put('arrived', 'flight', 6, 'learned'),
    put('arrived', 'duplicate', 1, 'duplicate'),
    put('arrived', 'no such flight', 1, 'unmatched'),
    put('arrived', 'absurd delay', 2, 'dead-letter', 'range:delayMinutes'),
  ],
  complete: true,
};

const facts = { profile: 'embedded', seconds: 2, recordsPerSecond: 11, peakRssMiB: 100, peakOwnMiB: null };

let folder: string;
let query: Query;
let close: () => void;
let report: FlightReport;

beforeAll(async () => {
  // Where the machine stands must not matter.
  process.env.TZ = 'America/New_York';
  folder = await mkdtemp(join(tmpdir(), 'millrace-report-'));
  ({ query, close } = await openEngine(folder));
  await query(`CREATE TABLE predictions (flightId UInt32, departedAt DateTime64(3), origin LowCardinality(String), late Float64,
    hourRate Float64, lastClass Float64, majority Float64, risk Nullable(Float64), degraded LowCardinality(Nullable(String)))
    ENGINE = MergeTree ORDER BY departedAt`);
  const sql = (value: unknown) => (value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value));
  await query(`INSERT INTO predictions VALUES ${flights.map((row) => `(${row.slice(0, 8).map(sql)}, NULL)`)}`);
  await query(
    'CREATE TABLE arrivals (flightId UInt32, arrivedAt DateTime64(3), delayMinutes Int32) ENGINE = MergeTree ORDER BY arrivedAt',
  );
  const arrived = flights
    .filter((row) => row[8] !== null)
    .map((row) => `(${row[0]}, ${row[1] + 3_600_000}, ${row[8]})`);
  // A label without a flight, the same label twice, and an absurd one.
  await query(
    `INSERT INTO arrivals VALUES ${[...arrived, `(99, ${at('2001-01-02T12:00')}, 60)`, arrived[0], `(2, 1000, 5000)`]}`,
  );
  await query(
    'CREATE TABLE metrics (topology String, step String, task UInt32, name String, eventTime DateTime64(3), value Float64) ENGINE = MergeTree ORDER BY eventTime',
  );
  await query(
    `INSERT INTO metrics VALUES ${counters.flatMap(([step, task, name, values]) =>
      values.map(
        (value, i) =>
          `('flight-delays', '${step}', ${task}, '${name}', ${at('2001-01-02T12:00') + i * 1_000}, ${value})`,
      ),
    )}`,
  );
  // Another topology may have steps of the same names.
  await query(`INSERT INTO metrics VALUES ('other', 'departed', 0, 'counter:read', 0, 1000)`);
  report = await makeReport({ query, command: query, manifest, facts });
});
afterAll(async () => {
  close();
  await rm(folder, { recursive: true });
});

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('makeReport', () => {
  it('scores the online model: pairs counted by hand, a tie as half', () => {
    // Late: 0.9, 0.8, 0.4; in time: 0.8, 0.2, 0.1. Of nine pairs 3 + 2.5 + 2 are in the right order.
    expect(report.late.rocAuc).toBeCloseTo(7.5 / 9, 12);
    expect(report.late.logLoss).toBeCloseTo(-mean([0.9, 0.2, 0.8, 0.8, 0.4, 0.9].map(Math.log)), 8);
    expect(report.late.accuracy).toBeCloseTo(4 / 6, 12);
    // Bins 9, 8 (two rows), 2, 4, 1: sums of prediction less outcome.
    expect(report.late.calibrationError).toBeCloseTo((0.1 + 0.6 + 0.2 + 0.6 + 0.1) / 6, 8);
    expect([report.late.labelled, report.late.lateShare]).toEqual([6, 0.5]);
  });

  it('scores the baselines on the same rows', () => {
    // Late: 0.5, 0.25, 0.25; in time: the same.
    expect(report.baselines.hourRate.rocAuc).toBe(0.5);
    expect(report.baselines.hourRate.logLoss).toBeCloseTo(-mean([0.5, 0.5, 0.25, 0.75, 0.25, 0.75].map(Math.log)), 8);
    // Three sure and wrong predictions cost the clamp each.
    expect(report.baselines.lastClass.logLoss).toBeCloseTo((-3 * Math.log(1e-15)) / 6, 7);
    expect(report.baselines.majority).toMatchObject({ rows: 6, rocAuc: 0.5, accuracy: 0.5 });
  });

  it('judges the ONNX model on flights after its training only', () => {
    expect(report.risk).toMatchObject({ rows: 2, rocAuc: 0.5, accuracy: 0.5, lateRocAuc: 1 });
    expect(report.risk.logLoss).toBeCloseTo(-mean([Math.log(0.7), Math.log(0.3)]), 8);
  });

  it('cuts weeks and days in UTC, and leaves ROC AUC open where there is one class', () => {
    expect(report.byWeek.map(({ slice, rows, lateShare }) => [slice, rows, lateShare])).toEqual([
      ['2001-01-01', 2, 0.5],
      ['2001-01-08', 2, 0.5],
      ['2001-01-15', 2, 0.5],
    ]);
    expect(report.byDay.map(({ slice }) => slice)).toEqual(['2001-01-02', '2001-01-08', '2001-01-16']);
    expect(report.byWeek[0]?.models.risk).toBeUndefined();
    expect(report.byWeek[1]?.models.late?.rocAuc).toBe(1);
    expect(report.byHour.map(({ hour, rows }) => [hour, rows])).toEqual([
      [2, 2],
      [10, 2],
      [11, 1],
      [23, 1],
    ]);
    expect(report.byHour[2]).toEqual({ hour: 11, rows: 1, lateShare: 0, predicted: 0.8 });
  });

  it('lists origins by departures, unlabelled flights apart', () => {
    expect(report.byOrigin.map(({ slice, rows }) => [slice, rows])).toEqual([
      ['ATL', 4],
      ['ORD', 2],
    ]);
    expect(report.byOrigin[0]?.models.late?.rocAuc).toBe(0.75);
  });

  it('bins the calibration', () => {
    expect(report.calibration).toEqual([
      { bin: 1, rows: 1, predicted: 0.1, observed: 0 },
      { bin: 2, rows: 1, predicted: 0.2, observed: 0 },
      { bin: 4, rows: 1, predicted: 0.4, observed: 1 },
      { bin: 8, rows: 2, predicted: 0.8, observed: 0.5 },
      { bin: 9, rows: 1, predicted: 0.9, observed: 1 },
    ]);
  });

  it('adds up counters that only grow, over tasks', () => {
    expect(report.counts).toEqual({
      read: 12,
      predictions: 8,
      duplicates: 1,
      deadLetters: 3,
      deadLettersByReason: { truncated: 1, 'range:distance': 2 },
      imputed: 2,
      tombstones: 0,
      flightsPredicted: 8,
      degraded: 0,
      labels: {
        read: 10,
        learned: 6,
        unmatched: 1,
        duplicates: 1,
        deadLetters: 2,
        deadLettersByReason: { 'range:delayMinutes': 2 },
        tombstones: 0,
      },
    });
    const { read, predictions, duplicates, deadLetters } = report.counts;
    expect(read).toBe(predictions + duplicates + deadLetters);
  });

  it('holds what was put in against what was caught', () => {
    expect(report.everythingCaught).toBe(true);
    expect(report.putIn.find(({ reason }) => reason === 'range:distance')).toEqual({
      side: 'departed',
      kinds: ['negative distance', 'absurd distance'],
      outcome: 'dead-letter',
      reason: 'range:distance',
      putIn: 2,
      caught: 2,
    });
  });

  it('says so when a kind was not caught, and when something died that nobody expected', async () => {
    const less = { ...manifest, putIn: manifest.putIn.filter(({ kind }) => kind !== 'truncated') };
    const unexpected = await makeReport({ query, command: query, manifest: less, facts });
    expect(unexpected.everythingCaught).toBe(false);
    expect(unexpected.putIn.filter((line) => line.putIn !== line.caught)).toEqual([
      { side: 'departed', kinds: [], outcome: 'dead-letter', reason: 'truncated', putIn: 0, caught: 1 },
    ]);
    const more = { ...manifest, putIn: [...manifest.putIn, put('departed', 'stale', 3, 'dead-letter', 'stale')] };
    const missing = await makeReport({ query, command: query, manifest: more, facts });
    expect(missing.putIn.find(({ reason }) => reason === 'stale')).toMatchObject({ putIn: 3, caught: 0 });
    expect(missing.everythingCaught).toBe(false);
  });

  it('leaves no table of its own behind, and repeats itself to the bit', async () => {
    const again = await makeReport({ query, command: query, manifest, facts });
    expect(again).toEqual(report);
    expect((await query<{ name: string }>('SHOW TABLES')).map(({ name }) => name)).toEqual([
      'arrivals',
      'metrics',
      'predictions',
    ]);
  });

  it('gives the same bits in whatever order threads add', async () => {
    await query(`CREATE TABLE many ENGINE = Memory AS SELECT * FROM predictions LIMIT 0`);
    await query(`RENAME TABLE predictions TO few, many TO predictions`);
    await query(`INSERT INTO predictions SELECT number, fromUnixTimestamp64Milli(${at('2001-01-02T00:00')} + number * 1000), 'ATL',
      (cityHash64(number) % 1000003) / 1000003, 0.3, 0, 0, NULL, NULL FROM numbers(300000)`);
    await query(`RENAME TABLE arrivals TO fewer`);
    await query(`CREATE TABLE arrivals ENGINE = Memory AS SELECT toUInt32(number) AS flightId, toDateTime64(0, 3) AS arrivedAt,
      toInt32(cityHash64(number, 1) % 60) AS delayMinutes FROM numbers(300000)`);
    const runs = [];
    for (let i = 0; i < 3; i++) runs.push(await makeReport({ query, command: query, manifest, facts }));
    expect(runs[0]?.late.labelled).toBe(300_000);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });
});
