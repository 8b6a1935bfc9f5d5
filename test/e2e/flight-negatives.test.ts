import { beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../examples/flights/flights.js';
import { days, hours } from '../../src/core/index.js';
import { learn } from '../../src/index.js';
import { cyclic, featureView, ftrl, hashed, logisticRegression } from '../../src/ml.js';
import type { LabelPolicies } from '../../src/operators/ml/policed-labels.js';
import { DrivenStep } from '../../src/testing/drive-operator.js';
import { arrivalOf, departureOf, firstFlights } from './real-flights.js';
import type { ArrivedValue, DepartedValue } from './records.js';

// Ten days of real flights, of which most take longer than the hour after which a flight without a label counts as not late.

const FLIGHTS = 160_000;
/** Flights that are not judged: the models have just begun. */
const BEGIN = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const view = featureView({
  name: 'flights',
  version: 1,
  columns: {
    origin: (flight: DepartedValue) => flight.origin,
    destination: (flight: DepartedValue) => flight.destination,
    hour: (flight: DepartedValue) => Math.floor(flight.departedAt / HOUR_MS) % 24,
  },
  features: { hour: cyclic('hour', 24), origin: hashed('origin'), destination: hashed('destination') },
});

let flights: Flights;
let events: { readonly id: number; readonly atMs: number; readonly input: number }[];
beforeAll(async () => {
  flights = await firstFlights(FLIGHTS);
  events = Array.from({ length: FLIGHTS }, (_, id) => [
    { id, atMs: departureOf(flights, id).departedAt, input: 0 },
    { id, atMs: arrivalOf(flights, id).arrivedAt, input: 1 },
  ]).flat();
  events.sort((a, b) => a.atMs - b.atMs || b.input - a.input);
}, 60_000);

const isLate = ({ delayMinutes }: ArrivedValue): boolean => delayMinutes >= 15;

/** Runs `learn` over the flights. `isTold` leaves labels out. */
function learnt(waitHours: number, policies: LabelPolicies<boolean>, isTold: (id: number) => boolean = () => true) {
  const operator = learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
    as: 'late',
    view,
    key: (flight: DepartedValue) => flight.flightId,
    label: {
      key: (arrived: ArrivedValue) => arrived.flightId,
      value: isLate,
      wait: hours(waitHours),
      ...policies,
    } as never,
    pendingMax: FLIGHTS,
    metricsInterval: days(1),
  });
  const step = new DrivenStep(operator, 0);
  const { vector } = view.open();
  let [flown, late, sum, loss] = [0, 0, 0, 0];
  for (const { id, atMs, input } of events) {
    if (input === 1) {
      if (isTold(id)) step.push({ input, value: arrivalOf(flights, id), eventTimeMs: atMs });
      continue;
    }
    const flight = departureOf(flights, id);
    step.push({ input, value: { ...flight, features: vector(flight) }, eventTimeMs: atMs });
    for (const { value } of step.emitted.splice(0)) {
      flown += 1;
      if (flown <= BEGIN) continue;
      const p = (value as { late: { probability: number } }).late.probability;
      const truth = isLate(arrivalOf(flights, id));
      sum += p;
      late += Number(truth);
      loss -= Math.log(truth ? p : 1 - p);
    }
  }
  expect(step.failure).toBeUndefined();
  step.end();
  const judged = flown - BEGIN;
  return {
    mean: sum / judged,
    rate: late / judged,
    loss: loss / judged,
    counters: step.counters,
    measures: step.measures,
  };
}

const late = { within: hours(23), act: 'learn' } as const;

describe('negatives after an hour, on flights', () => {
  it('shift predictions, unless they and the late positives are weighted', () => {
    const all = learnt(24, {});
    const plain = learnt(1, { missing: { label: false } });
    const weighted = learnt(1, { late, missing: { label: false, weighting: 'fake-negative' } });
    expect(Math.abs(plain.mean - all.mean)).toBeGreaterThan(0.05);
    expect(Math.abs(weighted.mean - weighted.rate)).toBeLessThan(0.02);
    expect(Math.abs(weighted.mean - all.mean)).toBeLessThan(0.02); // which is 0.01 off itself: the rate falls
    expect(Math.abs(weighted.loss - all.loss)).toBeLessThan(0.01);
    expect(plain.loss).toBeGreaterThan(all.loss + 0.01);
  });

  it('have the coverage and the delays of labels that a loop counts', () => {
    const isTold = (id: number): boolean => id % 5 !== 0;
    const { measures } = learnt(1, { late: { within: hours(23), act: 'score' } }, isTold);
    const last = new Map(measures.map(({ name, value, eventTimeMs }) => [`${name} ${eventTimeMs}`, value]));
    const byDay = new Map<number, { flown: number; delays: number[] }>();
    for (let id = 0; id < FLIGHTS; id++) {
      const { departedAt } = departureOf(flights, id);
      const endMs = (Math.floor(departedAt / DAY_MS) + 1) * DAY_MS;
      const day = byDay.get(endMs) ?? { flown: 0, delays: [] };
      byDay.set(endMs, day);
      day.flown += 1;
      if (isTold(id)) day.delays.push(arrivalOf(flights, id).arrivedAt - departedAt);
    }
    expect(byDay.size).toBeGreaterThan(6);
    for (const [endMs, { flown, delays }] of byDay) {
      expect(last.get(`coverage ${endMs}`)).toBeCloseTo(delays.length / flown, 12);
      const sorted = delays.sort((a, b) => a - b);
      for (const [name, at] of [
        ['p50', 0.5],
        ['p95', 0.95],
      ] as const) {
        const exact = sorted[Math.floor(at * (sorted.length - 1))] as number;
        expect((last.get(`label_delay_${name}_ms ${endMs}`) as number) / exact).toBeCloseTo(1, 1);
        expect(Math.abs((last.get(`label_delay_${name}_ms ${endMs}`) as number) / exact - 1)).toBeLessThan(0.0101);
      }
    }
  });
});
