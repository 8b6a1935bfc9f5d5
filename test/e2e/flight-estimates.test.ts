import { beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../examples/flights/flights.js';
import { type Duration, days, hours } from '../../src/core/index.js';
import { estimatePerformance, type PerformanceRow } from '../../src/index.js';
import { ftrl, logisticRegression } from '../../src/ml.js';
import { type DrivenInput, driveOperator } from '../../src/testing.js';
import { openLearner } from '../ml/support.js';
import { generator } from '../random.js';
import { arrivalOf, departureOf, firstFlights, flightView as view } from './real-flights.js';

// Three weeks of real flights, predicted by a model that learns from each arrival.

const FLIGHTS = 330_000;
const CHANGE_MS = Date.UTC(2001, 0, 15);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let flights: Flights;
beforeAll(async () => {
  flights = await firstFlights(FLIGHTS);
}, 60_000);

/**
 * Predictions and labels in their order; from the change on a flight is late by another rule. In random order the flights of all weeks are
 * mixed, each with its own delay: then nothing drifts, and no weather either.
 */
function history(ruleAfter: number, order: 'as they flew' | 'mixed'): DrivenInput[] {
  const ids = Array.from({ length: FLIGHTS }, (_, id) => id);
  const next = generator(1);
  const flown =
    order === 'mixed'
      ? ids
          .map((id) => [next(), id] as const)
          .sort(([x], [y]) => x - y)
          .map(([, id]) => id)
      : ids;
  const events = ids.flatMap((place) => {
    const id = flown[place] as number;
    const atMs = departureOf(flights, place).departedAt;
    const takesMs = arrivalOf(flights, id).arrivedAt - departureOf(flights, id).departedAt;
    return [
      { id, atMs, input: 0 },
      { id, atMs: atMs + takesMs, input: 1 },
    ];
  });
  events.sort((x, y) => x.atMs - y.atMs || y.input - x.input);
  const model = openLearner(logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) }), view.shape);
  const { vector } = view.open();
  return events.map(({ id, atMs, input }): DrivenInput => {
    const features = vector(departureOf(flights, id));
    if (input === 0) return { input, value: { id, p: model.predictOne(features) }, eventTimeMs: atMs };
    const late = arrivalOf(flights, id).delayMinutes >= (atMs >= CHANGE_MS ? ruleAfter : 15);
    model.learnOne(features, late);
    return { input, value: { id, late }, eventTimeMs: atMs };
  });
}

const operatorOf = (every: Duration) =>
  estimatePerformance({
    prediction: { key: ({ id }: { id: number; p: number }) => id, value: ({ p }) => p },
    label: { key: ({ id }: { id: number; late: boolean }) => id, value: ({ late }) => late },
    wait: hours(24),
    every,
    pendingMax: 100_000,
    threshold: 0.3,
  });

function rowsOf(ruleAfter: number, order: 'as they flew' | 'mixed', every = days(1)) {
  const { emitted, failure, counters } = driveOperator(operatorOf(every), history(ruleAfter, order));
  expect(failure).toBeUndefined();
  const rows = emitted.map(({ value }) => value as PerformanceRow);
  const estimates = rows.filter(({ atMs, endMs }) => atMs === endMs);
  return estimates.map((estimate) => ({
    estimate,
    final: rows.find(({ startMs, atMs, endMs }) => startMs === estimate.startMs && atMs > endMs),
    counters,
  }));
}

const offBy = ({ estimate, final }: ReturnType<typeof rowsOf>[number]): number =>
  Math.abs((estimate.expectedRocAuc as number) - (final?.rocAuc as number));

describe('estimated performance of flights', () => {
  it('is within 0.02 of the later ROC AUC where nothing drifts, and says that it cannot know after a new rule', () => {
    const [first, ...all] = rowsOf(45, 'mixed', days(1));
    const dayOf = ({ estimate }: (typeof all)[number]) => (estimate.startMs - CHANGE_MS) / DAY_MS;
    // Of the last day before the change, the last labels came by the new rule.
    const before = all.filter((day) => dayOf(day) < -1);
    expect(before.length).toBeGreaterThan(11);
    for (const day of before) expect(offBy(day)).toBeLessThan(0.02);
    expect(first?.estimate.knows).toBe(false);
    expect(before.slice(1).map(({ estimate }) => estimate.knows)).toEqual(before.slice(1).map(() => true));
    const changed = all.find((day) => dayOf(day) === 0) as (typeof all)[number];
    expect(offBy(changed)).toBeGreaterThan(0.02);
    expect(changed.estimate.knows).toBe(false);
    expect(all[0]?.counters.drifts).toBeGreaterThan(0);
  });

  it('is within 0.02 week by week as they flew, though weather makes labels drift', () => {
    const weeks = rowsOf(15, 'as they flew', days(7)).filter(({ final }) => final !== undefined);
    expect(weeks).toHaveLength(3);
    for (const week of weeks) expect(offBy(week)).toBeLessThan(0.02);
    expect(weeks[0]?.counters.drifts).toBeGreaterThan(5);
  });
});
