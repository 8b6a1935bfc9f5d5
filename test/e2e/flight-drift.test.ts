import { beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../examples/flights/flights.js';
import { hours } from '../../src/core/index.js';
import { adwin, type DriftDetector, ftrl, logisticRegression } from '../../src/ml.js';
import { type LearnDrift, learn, type ModelDriftRow } from '../../src/operators/index.js';
import { DrivenStep } from '../../src/testing/drive-operator.js';
import { openLearner } from '../ml/support.js';
import { arrivalOf, departureOf, firstFlights, flightView as view } from './real-flights.js';
import type { ArrivedValue, DepartedValue } from './records.js';

// Three weeks of real flights. From 15 January on a flight is late from 45 minutes on, and no more from 15: what the model has learnt
// is no longer so. Its errors change all the time, with the weather; what tells the new rule apart is what is watched.

const FLIGHTS = 330_000;
const CHANGE_MS = Date.UTC(2001, 0, 15);
const HOUR_MS = 3_600_000;

const learner = logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) });

type Watched = 'error' | 'residual';
/** From 0 to 1, as ADWIN needs it. */
const watched: Readonly<Record<Watched, (said: number, late: boolean) => number>> = {
  error: (said, late) => Number(said > 0.5 !== late),
  residual: (said, late) => (1 + said - Number(late)) / 2,
};

let flights: Flights;
let departures: number[];
let arrivals: number[];
beforeAll(async () => {
  flights = await firstFlights(FLIGHTS);
  const ids = Array.from({ length: FLIGHTS }, (_, id) => id);
  departures = ids.toSorted((a, b) => departureOf(flights, a).departedAt - departureOf(flights, b).departedAt);
  arrivals = ids.toSorted((a, b) => arrivalOf(flights, a).arrivedAt - arrivalOf(flights, b).arrivedAt);
}, 60_000);

/** Learns each flight after its arrival; tells after how many labels from the change on each detector first finds a drift. */
function alarmsAfterChange(
  rule: 'new rule' | 'old rule',
  detectors: Readonly<Record<string, readonly [Watched, DriftDetector]>>,
): Record<string, number> {
  const model = openLearner(learner, view.shape);
  const { vector } = view.open();
  const waiting = new Map<number, readonly [features: ReturnType<typeof vector>, said: number]>();
  const states = Object.entries(detectors).map(([name, [of, detector]]) => ({
    ...{ name, of, detector, state: new Float64Array(detector.size) },
  }));
  const found: Record<string, number> = {};
  let labels = 0;
  let next = 0;
  for (const id of departures) {
    const flight = departureOf(flights, id);
    for (; next < FLIGHTS; next++) {
      const { flightId, arrivedAt, delayMinutes } = arrivalOf(flights, arrivals[next] as number);
      if (arrivedAt > flight.departedAt) break;
      const [features, said] = waiting.get(flightId) ?? [];
      if (features === undefined || said === undefined) continue;
      waiting.delete(flightId);
      const isAfter = arrivedAt >= CHANGE_MS;
      const late = delayMinutes >= (isAfter && rule === 'new rule' ? 45 : 15);
      if (isAfter) labels += 1;
      for (const { name, of, detector, state } of states) {
        const seen = detector.add(state, 0, watched[of](said, late));
        if (isAfter && seen?.level === 'drift') found[name] ??= labels;
      }
      model.learnOne(features, late);
    }
    const features = vector(flight);
    waiting.set(id, [features, model.predictOne(features)]);
  }
  expect(labels).toBeGreaterThan(100_000);
  return found;
}

describe('drift on flights', () => {
  it('is found by ADWIN within 3,000 labels of a new rule, and in the residual only then', () => {
    const detectors = {
      error: ['error', adwin()],
      residual: ['residual', adwin({ delta: 1e-9 })],
    } as const;
    const changed = alarmsAfterChange('new rule', detectors);
    const unchanged = alarmsAfterChange('old rule', detectors);
    expect(changed.error).toBeLessThan(3_000);
    expect(changed.residual).toBeLessThan(3_000);
    // The rate of errors drifts anyway, so an alarm there says little of the rule; how far predictions are off on average says it.
    expect(unchanged.error).toBeLessThan(3_000);
    expect(unchanged.residual).toBeGreaterThan(30_000);
  });
});

/** So many flights have had 31,000 labels after the change. */
const LEARNT = 256_000;
type Rule = 'new rule' | 'new rule all along';

/** The log losses of the predictions that `learn` made, by the labels from the change on in their order, and the drifts it found there. */
function learnt(rule: Rule, drift?: LearnDrift) {
  const isLate = ({ delayMinutes, arrivedAt }: ArrivedValue): boolean =>
    delayMinutes >= (rule === 'new rule' && arrivedAt < CHANGE_MS ? 15 : 45);
  const options = {
    as: 'late',
    view,
    key: (flight: DepartedValue) => flight.flightId,
    label: { key: (arrived: ArrivedValue) => arrived.flightId, value: isLate, wait: hours(24) },
    pendingMax: 100_000,
  } as const;
  const step = new DrivenStep(drift ? learn(learner, { ...options, drift }) : learn(learner, options), 0);
  const { vector } = view.open();
  const said = new Map<number, number>();
  const losses: number[] = [];
  const drifts: (ModelDriftRow & { readonly labels: number })[] = [];
  const take = (): void => {
    for (const { value, output } of step.emitted.splice(0)) {
      if (output !== 'drifts') {
        const { flightId, late } = value as DepartedValue & { late: { probability: number } };
        said.set(flightId, late.probability);
      } else if ((value as ModelDriftRow).eventTime >= CHANGE_MS)
        drifts.push({ ...(value as ModelDriftRow), labels: losses.length });
    }
  };
  const waiting = arrivals.filter((id) => id < LEARNT);
  let next = 0;
  for (const id of departures.filter((id) => id < LEARNT)) {
    const flight = departureOf(flights, id);
    for (; next < waiting.length; next++) {
      const arrived = arrivalOf(flights, waiting[next] as number);
      if (arrived.arrivedAt > flight.departedAt) break;
      const p = said.get(arrived.flightId);
      said.delete(arrived.flightId);
      if (p !== undefined && arrived.arrivedAt >= CHANGE_MS) losses.push(-Math.log(isLate(arrived) ? p : 1 - p));
      step.push({ input: 1, value: arrived, eventTimeMs: arrived.arrivedAt });
      take();
    }
    step.push({ input: 0, value: { ...flight, features: vector(flight) }, eventTimeMs: flight.departedAt });
    take();
  }
  /** The mean of a measure over the labels of the hours from the change on. */
  const measured = (name: string): number => {
    const of = (each: string) => step.measures.filter((m) => m.name === each && m.eventTimeMs > CHANGE_MS + HOUR_MS);
    const weights = of('labelled').map(({ value }) => value);
    const sum = of(name).reduce((all, { value }, hour) => all + value * (weights[hour] as number), 0);
    return sum / weights.reduce((all, weight) => all + weight, 0);
  };
  return { losses, drifts, measured };
}

const meanOf = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

describe('learn with drift on flights', () => {
  it('finds the new rule within 3,000 labels, and by a challenger regains half of what it costs to do nothing', () => {
    const { losses, drifts, measured } = learnt('new rule', { detector: adwin(), act: 'replace' });
    const found = drifts.find(({ event }) => event === 'drift')?.labels as number;
    expect(found).toBeLessThan(3_000);
    const over = (all: readonly number[]): number => meanOf(all.slice(found, found + 30_000));
    const [nothing, allAlong] = [learnt('new rule').losses, learnt('new rule all along').losses].map(over) as [
      number,
      number,
    ];
    expect(losses.length).toBeGreaterThan(found + 30_000);
    const regained = (nothing - over(losses)) / (nothing - allAlong);
    expect(regained).toBeGreaterThan(0.5);
    // A model that begins anew at other times regains as much: what counts is that it is young, and not when it began.
    expect(Math.abs(measured('log_loss') - measured('log_loss:dummy'))).toBeLessThan(0.005);
  });
});
