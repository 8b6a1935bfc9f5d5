import { arrivalSecond, departedMs, type Flights } from '../../examples/flights/flights.js';
import { lateFromMinutes, partitions } from '../../examples/flights/names.js';
import { type Entry, entryAt, isAbsurd, type Plan, planLoad, type TopicPlan } from '../../examples/flights/plan.js';
import {
  BEFORE_ALL_MS,
  type FeatureVector,
  type Origin,
  type StatefulLogic,
  type StepContext,
} from '../../src/core/index.js';
import { partitionOf } from '../../src/core/partition.js';
import { featurize } from '../../src/operators/ml/featurize.js';
import { flightFeatures } from '../../topologies/flight-features.js';

/** What a model is trained on: one row a flight, in the order in which its task saw it. */
export interface TrainingRows {
  readonly rows: number;
  readonly names: readonly string[];
  /** The dense features, row after row. */
  readonly dense: Float32Array;
  /** Four numbers a row: flight id, departure and arrival in UTC milliseconds, 1 for late and 0 for in time. */
  readonly facts: Float64Array;
}

export const factNames = ['flightId', 'departedMs', 'arrivedMs', 'late'] as const;

/**
 * The features of flights exactly as the stream makes them: the step `featurize` itself, one state a partition, departed
 * and arrived flights merged by event time. So a row knows the outcomes that had arrived when it departed and no others.
 *
 * Flights whose delay is absurd have no label in the stream and give no row here; their outcome counts for nobody.
 */
export function trainingRows(flights: Flights): TrainingRows {
  const { denseSize } = flightFeatures.shape;
  const plan = planLoad(flights, { seed: 0, clean: true });
  const dense = new Float32Array(flights.size * denseSize);
  const facts = new Float64Array(flights.size * factNames.length);
  let rows = 0;
  for (const { departed, arrived } of byPartition(plan, flights)) {
    eachMerged({ departed, arrived }, flights, (flight, features) => {
      const delay = flights.delayMinutes[flight] ?? 0;
      if (isAbsurd(delay)) return;
      dense.set(features.dense, rows * denseSize);
      const late = delay >= lateFromMinutes ? 1 : 0;
      facts.set([flight, departedMs(flights, flight), arrivedMs(flights, flight), late], rows * factNames.length);
      rows++;
    });
  }
  return {
    rows,
    names: flightFeatures.denseNames,
    dense: dense.subarray(0, rows * denseSize),
    facts: facts.subarray(0, rows * factNames.length),
  };
}

const arrivedMs = (flights: Flights, flight: number): number => arrivalSecond(flights, flight) * 1_000;

type Side = readonly Entry[];

function byPartition(plan: Plan, flights: Flights): { readonly departed: Side; readonly arrived: Side }[] {
  const text = new TextEncoder();
  const places = flights.airports.map((code) => partitionOf(text.encode(code), partitions));
  const split = (topic: TopicPlan): Side[] => {
    const sides = Array.from({ length: partitions }, (): Entry[] => []);
    for (let n = 0; n < topic.order.length; n++) {
      const entry = entryAt(topic, n);
      sides[places[flights.origin[entry.flight] ?? 0] ?? 0]?.push(entry);
    }
    return sides;
  };
  const arrived = split(plan.arrived);
  return split(plan.departed).map((departed, partition) => ({ departed, arrived: arrived[partition] ?? [] }));
}

/** Drives the step over one partition: by event time, departures first where times are equal, as a task does. */
function eachMerged(
  { departed, arrived }: { readonly departed: Side; readonly arrived: Side },
  flights: Flights,
  take: (flight: number, features: FeatureVector) => void,
): void {
  const step = openFeaturize();
  let next = 0;
  const outcomesBefore = (second: number) => {
    for (; next < arrived.length && (arrived[next]?.second ?? 0) < second; next++) {
      const { flight, second: at } = arrived[next] as Entry;
      const delayMinutes = flights.delayMinutes[flight] ?? 0;
      if (isAbsurd(delayMinutes)) continue;
      step.onRecord(1, { flightId: flight, arrivedAt: at * 1_000, delayMinutes }, () => {}, originAt(at));
    }
  };
  for (const { flight, second } of departed) {
    outcomesBefore(second);
    const row = departedRow(flights, flight);
    step.onRecord(0, row, (value) => take(flight, (value as { features: FeatureVector }).features), originAt(second));
  }
}

function departedRow(flights: Flights, flight: number) {
  return {
    flightId: flight,
    departedAt: departedMs(flights, flight),
    utcOffsetMinutes: flights.utcOffsetMinutes[flight] ?? 0,
    origin: flights.airports[flights.origin[flight] ?? 0] ?? '',
    destination: flights.airports[flights.destination[flight] ?? 0] ?? '',
    distance: flights.distanceMiles[flight] ?? 0,
  };
}

function openFeaturize(): StatefulLogic {
  const { shape } = featurize(flightFeatures);
  const cells = Object.fromEntries(Object.entries(shape.cells).map(([name, spec]) => [name, spec.open()]));
  return shape.open(cells, context);
}

const context: StepContext = {
  topology: 'flight-delays',
  step: 'features',
  task: 0,
  watermarkMs: BEFORE_ALL_MS,
  counter: () => ({ add: () => {} }),
  measure: () => {},
  deadLetter: (reason, detail) => {
    throw new Error(`${reason}: ${detail}`);
  },
  fail: (message) => {
    throw new Error(message);
  },
};

const originAt = (second: number): Origin => ({
  topic: '',
  partition: 0,
  offset: 0,
  eventTimeMs: second * 1_000,
  receivedAtMs: 0,
  key: null,
  raw: null,
  headers: undefined,
  order: 0,
});
