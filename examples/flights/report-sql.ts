import { counterPrefix, delayRangeMinutes, lateFromMinutes, riskJudgedFromMs, tables, topologyName } from './names.js';

// Every figure of the report is computed by these statements, in the ClickHouse engine, over what the topology wrote.

/** Probabilities are kept this far from 0 and 1 in a log loss, or one sure error would make it infinite. */
const clamp = 1e-15;
/** Bins of equal width in a calibration. */
const bins = 10;

/**
 * A mean whose bits do not depend on the order in which threads happen to add: the sum runs over whole nano-units, so
 * two runs that wrote the same rows print the same report.
 */
const nanos = (expression: string): string => `toInt64(round((${expression}) * 1e9))`;
const mean = (expression: string): string => `sum(${nanos(expression)}) / 1e9 / count()`;

const bin = `toUInt32(least(floor(score * ${bins}), ${bins - 1}))`;

/** The predictions that have a label, as a table of the report's own: joined once, read by every statement below. */
export const labelledTable = 'flight_report_labelled';

export const dropLabelled = `DROP TABLE IF EXISTS ${labelledTable}`;

export const createLabelled = `
  CREATE TABLE ${labelledTable} ENGINE = Memory AS
  SELECT toTimeZone(departedAt, 'UTC') AS at, origin, late, hourRate, lastClass, majority,
         if(departedAt >= fromUnixTimestamp64Milli(${riskJudgedFromMs}), risk, NULL) AS risk,
         toUInt8(delay >= ${lateFromMinutes}) AS label
  FROM ${tables.predictions}
  INNER JOIN (
    SELECT flightId, argMin(delayMinutes, arrivedAt) AS delay FROM ${tables.arrivals}
    WHERE delayMinutes BETWEEN ${delayRangeMinutes.min} AND ${delayRangeMinutes.max} GROUP BY flightId
  ) AS labels USING (flightId)`;

/** What is scored: a column of the labelled table. */
export type Model = 'late' | 'hourRate' | 'lastClass' | 'majority' | 'risk';

export interface ScoreRow {
  readonly slice: string;
  readonly model: Model;
  readonly rows: number;
  readonly lateShare: number;
  /** `null` where the slice has one class only. */
  readonly rocAuc: number | null;
  readonly logLoss: number;
  readonly accuracy: number;
  /** Expected calibration error over ten bins of equal width. */
  readonly calibrationError: number;
}

/**
 * Scores of models by slice. ROC AUC is exact: the engine sorts all scores and counts a tie as half.
 *
 * @param slice SQL over the labelled table that names a row's slice.
 */
export const scoresSql = (slice: string, models: readonly Model[], where = 'true'): string => `
  SELECT slice, model, toUInt32(count()) AS rows, avg(label) AS lateShare,
         arrayROCAUC(groupArray(score), groupArray(label)) AS rocAuc,
         ${mean(`-log(greatest(if(label, score, 1 - score), ${clamp}))`)} AS logLoss,
         avg((score >= 0.5) = label) AS accuracy,
         arraySum(miss -> abs(miss), sumMap([${bin}], [${nanos('score - label')}]).2) / 1e9 / count() AS calibrationError
  FROM (
    SELECT ${slice} AS slice, label, pair.1 AS model, assumeNotNull(pair.2) AS score
    FROM ${labelledTable} ARRAY JOIN [${models.map((model) => `('${model}', toNullable(${model}))`).join(', ')}] AS pair
    WHERE isNotNull(pair.2) AND ${where}
  )
  GROUP BY slice, model ORDER BY slice, model`;

/** Slices of the report. */
export const slices = {
  all: `''`,
  week: `toString(toMonday(at))`,
  day: `toString(toDate(at))`,
  origin: `origin`,
} as const;

/** Rows that the `risk` model answered and is judged on. */
export const whereRisk = 'isNotNull(risk)';

export const whereTopOrigins = (count: number): string =>
  `origin IN (SELECT origin FROM ${labelledTable} GROUP BY origin ORDER BY count() DESC, origin LIMIT ${count})`;

export interface CalibrationRow {
  readonly bin: number;
  readonly rows: number;
  readonly predicted: number;
  readonly observed: number;
}

export const calibrationSql = (model: Model): string => `
  SELECT ${bin} AS bin, toUInt32(count()) AS rows,
         ${mean('score')} AS predicted, avg(label) AS observed
  FROM (SELECT assumeNotNull(${model}) AS score, label FROM ${labelledTable} WHERE isNotNull(${model}))
  GROUP BY bin ORDER BY bin`;

export interface HourRow {
  readonly hour: number;
  readonly rows: number;
  readonly lateShare: number;
  readonly predicted: number;
}

/** By the hour of departure, in UTC: predictions do not carry the local time. */
export const hoursSql = `
  SELECT toUInt32(toHour(at)) AS hour, toUInt32(count()) AS rows, avg(label) AS lateShare, ${mean('late')} AS predicted
  FROM ${labelledTable} GROUP BY hour ORDER BY hour`;

export interface PredictionCount {
  readonly rows: number;
  readonly flights: number;
  readonly degraded: number;
  readonly withRisk: number;
}

export const predictionCountSql = `
  SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(flightId)) AS flights,
         toUInt32(countIf(isNotNull(degraded))) AS degraded, toUInt32(countIf(isNotNull(risk))) AS withRisk
  FROM ${tables.predictions}`;

export interface CounterRow {
  readonly step: string;
  readonly counter: string;
  readonly total: number;
}

/** Counters only grow: the highest value of a task is its last one. */
export const countersSql = `
  SELECT step, substring(name, ${counterPrefix.length + 1}) AS counter, sum(last) AS total
  FROM (
    SELECT step, task, name, max(value) AS last FROM ${tables.metrics}
    WHERE topology = '${topologyName}' AND startsWith(name, '${counterPrefix}') GROUP BY step, task, name
  )
  GROUP BY step, counter ORDER BY step, counter`;
