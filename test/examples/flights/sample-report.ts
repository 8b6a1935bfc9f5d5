import type { FlightReport, Score, SliceScores } from '../../../examples/flights/report.js';

const score = (rows: number, rocAuc: number | null, logLoss: number): Score => ({
  rows,
  rocAuc,
  logLoss,
  accuracy: 0.81,
  calibrationError: 0.012,
});

const slice = (name: string, rows: number, risk: boolean): SliceScores => ({
  slice: name,
  rows,
  lateShare: 0.21,
  models: {
    late: score(rows, 0.742, 0.451),
    hourRate: score(rows, 0.611, 0.502),
    lastClass: score(rows, 0.52, 11.2),
    majority: score(rows, 0.5, 7.4),
    ...(risk ? { risk: score(rows, 0.713, 0.478) } : {}),
  },
});

const days = Array.from({ length: 31 }, (_, i) => `2001-01-${String(i + 1).padStart(2, '0')}`);

/** A report as of a run of January. */
export const sampleReport: FlightReport = {
  profile: 'embedded',
  seconds: 21.4,
  recordsPerSecond: 47_300,
  peakRssMiB: 812,
  peakOwnMiB: 430,
  flights: 500_000,
  seed: 1,
  clean: false,
  counts: {
    read: 506_526,
    predictions: 500_000,
    duplicates: 2_522,
    deadLetters: 4_004,
    deadLettersByReason: { stale: 1_012, 'range:distance': 2_992 },
    imputed: 2_582,
    tombstones: 0,
    flightsPredicted: 500_000,
    degraded: 0,
    labels: {
      read: 505_022,
      learned: 500_000,
      unmatched: 1_003,
      duplicates: 2_456,
      deadLetters: 1_563,
      deadLettersByReason: { truncated: 1_563 },
      tombstones: 0,
    },
  },
  late: { ...score(500_000, 0.742, 0.451), labelled: 500_000, lateShare: 0.2157 },
  risk: { ...score(275_258, 0.713, 0.478), lateRocAuc: 0.744, lateLogLoss: 0.447 },
  baselines: {
    hourRate: score(500_000, 0.611, 0.502),
    lastClass: score(500_000, 0.52, 11.2),
    majority: score(500_000, 0.5, 7.4),
  },
  byWeek: [slice('2001-01-01', 113_000, false), slice('2001-01-15', 113_687, true)],
  byDay: days.map((day) => slice(day, 16_000, day >= '2001-01-15')),
  byOrigin: [slice('ORD', 27_242, false), slice('<b>&', 9, false)],
  byHour: [
    { hour: 9, rows: 30, lateShare: 1, predicted: 0.2 },
    { hour: 12, rows: 250_000, lateShare: 0.1, predicted: 0.12 },
    { hour: 23, rows: 249_970, lateShare: 0.3, predicted: 0.28 },
  ],
  calibration: [
    { bin: 1, rows: 400_000, predicted: 0.15, observed: 0.14 },
    { bin: 5, rows: 100_000, predicted: 0.55, observed: 0.52 },
  ],
  putIn: [
    { side: 'departed', kinds: ['flight'], outcome: 'prediction', reason: null, putIn: 500_000, caught: 500_000 },
    { side: 'departed', kinds: ['stale'], outcome: 'dead-letter', reason: 'stale', putIn: 1_012, caught: 1_012 },
    { side: 'arrived', kinds: ['flight'], outcome: 'learned', reason: null, putIn: 500_000, caught: 500_000 },
  ],
  everythingCaught: true,
};
