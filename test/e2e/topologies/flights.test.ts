import { beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../../examples/flights/flights.js';
import { partitionOf } from '../../../src/core/partition.js';
import { flightDelays } from '../../../topologies/flight-delays.js';
import { flightMinutes } from '../../../topologies/flight-minutes.js';
import { PARTITIONS } from '../memory-run.js';
import { arrivalOf, departureOf, firstFlights } from '../real-flights.js';
import type { ArrivedValue, DepartedValue } from '../records.js';
import { tablesOf } from './run.js';
import { logLoss, meanAbsoluteError, type Pair, rootMeanSquaredError } from './scores.js';

const JANUARY = 500_000;
const WEEK_MS = 7 * 86_400_000;
/** Mondays in UTC: the first of January 2001 was one. */
const START_MS = Date.UTC(2001, 0, 1);

let flights: Flights;
let streams: { readonly departed: DepartedValue[]; readonly arrived: ArrivedValue[] };

/** All that one of the four tasks sees in January 2001: a model of its own, and every fourth flight or so. */
beforeAll(async () => {
  flights = await firstFlights(JANUARY);
  const text = new TextEncoder();
  const isHere = flights.airports.map((code) => partitionOf(text.encode(code), PARTITIONS) === 0);
  const ids = Array.from({ length: flights.size }, (_, id) => id).filter((id) => isHere[flights.origin[id] ?? 0]);
  streams = {
    departed: ids.map((id) => departureOf(flights, id)).sort((a, b) => a.departedAt - b.departedAt),
    arrived: ids.map((id) => arrivalOf(flights, id)).sort((a, b) => a.arrivedAt - b.arrivedAt),
  };
});

/** Rows by the week of their departure. */
function weeksOf<T extends { readonly departedAt: number }>(rows: readonly T[]): T[][] {
  const weeks: T[][] = [];
  for (const row of rows) {
    const week = Math.max(0, Math.floor((row.departedAt - START_MS) / WEEK_MS));
    weeks[week] ??= [];
    weeks[week].push(row);
  }
  return weeks;
}

describe('flights of January 2001', () => {
  it('late ones are foreseen better than by the hour rate, in every week after the first', async () => {
    type Row = Readonly<Record<'flightId' | 'departedAt' | 'late' | 'hourRate', number>>;
    const { history = [] } = await tablesOf(flightDelays, streams);
    const weeks = weeksOf(history as Row[]).map((rows) => {
      const loss = (name: 'late' | 'hourRate') =>
        logLoss(rows.map((row): Pair<boolean> => [row[name], (flights.delayMinutes[row.flightId] ?? 0) >= 15]));
      return { flights: rows.length, late: loss('late'), hourRate: loss('hourRate') };
    });
    console.table(weeks);
    expect(weeks).toHaveLength(5);
    for (const { late, hourRate } of weeks.slice(1)) expect(late).toBeLessThan(0.9 * hourRate);
  });

  it('minutes of delay are foreseen better than by the mean of the hour, in every week after the first', async () => {
    type Name = 'delayMinutes' | 'hourMean' | 'mean' | 'last';
    type Row = Readonly<Record<'flightId' | 'departedAt' | Name, number>>;
    const { history = [] } = await tablesOf(flightMinutes, streams);
    const rows = history as Row[];
    const names = ['delayMinutes', 'hourMean', 'mean', 'last'] as const;
    const labelOf = ({ flightId }: Row) => flights.delayMinutes[flightId] ?? 0;
    const errors = (of: readonly Row[], error: typeof meanAbsoluteError) =>
      names.map((name) => error(of.map((row): Pair<number> => [row[name], labelOf(row)])));
    for (const [error, margin] of [
      [meanAbsoluteError, 0.15],
      [rootMeanSquaredError, 0.05],
    ] as const) {
      const [model = Number.NaN, ...baselines] = errors(rows, error);
      const weeks = weeksOf(rows).map((week) => errors(week, error));
      console.log(error.name, model, 'of baselines', baselines);
      expect(model).toBeLessThan((1 - margin) * Math.min(...baselines));
      for (const [ofModel = Number.NaN, ...ofBaselines] of weeks.slice(1))
        expect(ofModel).toBeLessThan(Math.min(...ofBaselines));
    }
    // The median is the best constant for the mean absolute error; nobody knows it before.
    const labels = rows.map(labelOf).toSorted((a, b) => a - b);
    const median = labels[labels.length >> 1] ?? 0;
    const byMedian = meanAbsoluteError(labels.map((label) => [median, label]));
    console.log(`by the median of all, ${median}: ${byMedian}`);
    expect(errors(rows, meanAbsoluteError)[0]).toBeLessThan(byMedian);
  });
});
