import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flights } from '../../examples/flights/flights.js';
import { createInference } from '../../src/inference/index.js';
import type { Topology } from '../../src/topology/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { flightWindows } from '../../topologies/flight-windows.js';
import { generator } from '../random.js';
import { type FlightPrediction, type Keyed, predictionsOf, type Streams } from './memory-run.js';
import { arrivalOf, departureOf, firstFlights } from './real-flights.js';
import type { ArrivedValue, DepartedValue } from './records.js';
import { rocAucOf } from './roc-auc.js';

const MOMENTS = 6;

interface Subject {
  readonly topology: Topology;
  readonly leakFlights: number;
  /** Over how many flights quality is judged, and where an honest one lies; labels that leak bring more than `max`. */
  readonly quality: { readonly flights: number; readonly min: number; readonly max: number };
}
const subjects: readonly Subject[] = [
  { topology: flightDelays, leakFlights: 15_000, quality: { flights: 120_000, min: 0.7, max: 0.74 } },
  { topology: flightWindows, leakFlights: 10_000, quality: { flights: 60_000, min: 0.73, max: 0.76 } },
];
const flightsMax = Math.max(...subjects.map(({ quality }) => quality.flights));

const inference = createInference();
afterAll(() => inference.close());

let flights: Flights;
beforeAll(async () => {
  flights = await firstFlights(flightsMax);
});

/** The stream of the first flights: both topics by event time, equal times by flight. */
function streamsOf(size: number): Streams {
  const ids = Array.from({ length: size }, (_, id) => id);
  const byTime = <T>(make: (id: number) => T, timeOf: (value: T) => number): Keyed<T>[] =>
    ids
      .map((id) => ({ key: departureOf(flights, id).origin ?? '', value: make(id) }))
      .sort((a, b) => timeOf(a.value) - timeOf(b.value));
  return {
    departed: byTime(
      (id) => departureOf(flights, id),
      ({ departedAt }) => departedAt,
    ),
    arrived: byTime(
      (id) => arrivalOf(flights, id),
      ({ arrivedAt }) => arrivedAt,
    ),
  };
}

/** The same streams up to `momentMs`; everything after it is changed, event times and keys aside. */
function changedAfter({ departed, arrived }: Streams, momentMs: number, random: () => number): Streams {
  const below = (n: number) => Math.floor(random() * n);
  const departure = (value: DepartedValue): DepartedValue => ({
    ...value,
    destination: flights.airports[below(flights.airports.length)] ?? '',
    distance: 1 + below(5_000),
    utcOffsetMinutes: -60 * below(12),
  });
  const arrival = (value: ArrivedValue): ArrivedValue => ({
    ...value,
    delayMinutes: value.delayMinutes >= 15 ? -below(60) : 15 + below(1_000),
  });
  const later = <T>(records: readonly Keyed<T>[], timeOf: (value: T) => number, change: (value: T) => T) =>
    records.map((record) => (timeOf(record.value) > momentMs ? { ...record, value: change(record.value) } : record));
  return {
    departed: later(departed, ({ departedAt }) => departedAt, departure),
    arrived: later(arrived, ({ arrivedAt }) => arrivedAt, arrival),
  };
}

/** The flights up to a moment whose predictions differ in any bit, and how many there are after it that do. */
function differences(
  before: ReadonlyMap<number, FlightPrediction>,
  after: ReadonlyMap<number, FlightPrediction>,
  momentMs: number,
): { readonly upTo: number[]; readonly later: number } {
  const upTo: number[] = [];
  let later = 0;
  for (const [flightId, prediction] of before) {
    const other = after.get(flightId);
    // Fields and bits: `Object.is` tells 0 from -0 and finds NaN equal to itself.
    const same =
      other !== undefined &&
      (Object.keys(prediction) as (keyof FlightPrediction)[]).every((name) => Object.is(prediction[name], other[name]));
    if (same) continue;
    if (prediction.departedAt > momentMs) later++;
    else upTo.push(flightId);
  }
  return { upTo, later };
}

/** A wiring with the classic leak: the label is there at once, when the flight has only just departed. */
function leaky(honest: Topology): { readonly topology: Topology; of(streams: Streams): Streams } {
  const departedAt = (value: unknown) => departureOf(flights, (value as ArrivedValue).flightId).departedAt;
  return {
    topology: {
      ...honest,
      sources: honest.sources.map((node) =>
        node.id === 'arrived' ? { ...node, source: { ...node.source, eventTimeOf: departedAt } } : node,
      ),
    },
    of: ({ departed, arrived }) => ({
      departed,
      arrived: [...arrived].sort((a, b) => departedAt(a.value) - departedAt(b.value)),
    }),
  };
}

describe.each(subjects)('what happens later in $topology.name', ({ topology, leakFlights }) => {
  it(`changes no prediction before it, at ${MOMENTS} random moments`, async () => {
    const streams = streamsOf(leakFlights);
    const clean = await predictionsOf(topology, streams, inference);
    expect(clean.size).toBe(leakFlights);
    const random = generator(2_001);
    for (let moment = 0; moment < MOMENTS; moment++) {
      const at = streams.departed[Math.floor((0.1 + 0.8 * random()) * leakFlights)]?.value.departedAt ?? 0;
      const changed = await predictionsOf(topology, changedAfter(streams, at, random), inference);
      expect(changed.size).toBe(leakFlights);
      const { upTo, later } = differences(clean, changed, at);
      expect(upTo).toEqual([]);
      // The change is one that is felt: nearly every prediction after the moment is another.
      const after = [...clean.values()].filter(({ departedAt }) => departedAt > at).length;
      expect(later).toBeGreaterThan(0.9 * after);
    }
  });

  it('would be found out in a wiring that knows labels at departure', async () => {
    const { topology: leaking, of } = leaky(topology);
    const streams = streamsOf(leakFlights);
    const at = streams.departed[leakFlights / 2]?.value.departedAt ?? 0;
    const clean = await predictionsOf(leaking, of(streams), inference);
    const changed = await predictionsOf(leaking, of(changedAfter(streams, at, generator(7))), inference);
    expect(differences(clean, changed, at).upTo.length).toBeGreaterThan(100);
  });
});

describe.each(subjects)('the quality of the delay model in $topology.name', ({ topology, quality }) => {
  const aucOf = (predictions: ReadonlyMap<number, FlightPrediction>): number =>
    rocAucOf(
      [...predictions.values()].map(({ flightId, late }) => [late, (flights.delayMinutes[flightId] ?? 0) >= 15]),
    );

  it('lies within honest bounds, and beyond them where labels leak', async () => {
    const streams = streamsOf(quality.flights);
    const honest = aucOf(await predictionsOf(topology, streams, inference));
    expect(honest).toBeGreaterThanOrEqual(quality.min);
    expect(honest).toBeLessThanOrEqual(quality.max);
    const { topology: leaking, of } = leaky(topology);
    const leaked = aucOf(await predictionsOf(leaking, of(streams), inference));
    console.log(`ROC AUC ${honest.toFixed(4)}, with leaked labels ${leaked.toFixed(4)}`);
    expect(leaked).toBeGreaterThan(quality.max + 0.01);
  });
});
