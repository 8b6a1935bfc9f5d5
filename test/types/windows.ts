import { type Change, hours, json, map, minutes, type Stream, topology, window, windowOfChanges } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import {
  count,
  distinctCount,
  first,
  hopping,
  mean,
  onClose,
  onInterval,
  onUpdate,
  quantiles,
  session,
  sum,
  topK,
  tumbling,
} from 'millrace/window';

// Checked by the compiler alone: a window's row has the types of its aggregates, and every wrong wiring must not compile.

interface Trip {
  readonly station: string | null;
  readonly bike: number;
  readonly minutes: number | null;
}
interface Hour {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly trips: number;
  readonly mean: number | null;
  readonly opening: string | null;
  readonly quartiles: readonly (number | null)[];
  readonly top: readonly { readonly value: number; readonly count: number; readonly error: number }[];
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type ValueOf<S> = S extends Stream<infer T> ? T : never;
const holds = <_T extends true>() => {};

topology('windows', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const trips = t.source('trips', kafka.source({ topic: 'trips.v1', schema: json<Trip>() }));

  const hourly = trips.via(
    'hourly',
    window({
      key: (trip) => trip.station,
      window: tumbling(hours(1)),
      aggregate: {
        trips: count(),
        mean: mean((trip) => trip.minutes),
        opening: first((trip) => trip.station),
        quartiles: quantiles((trip) => trip.minutes, [0.25, 0.75]),
        top: topK((trip) => trip.bike, 3),
      },
      emit: onClose(),
      keysMax: 10,
    }),
  );
  holds<Same<ValueOf<typeof hourly>, Hour>>();

  const byBike = trips.via(
    'by-bike',
    window({
      key: (trip) => trip.bike,
      window: session({ gap: minutes(5) }),
      aggregate: { stations: distinctCount((trip) => trip.station) },
      emit: onInterval({ every: minutes(1) }),
      keysMax: 10,
    }),
  );
  type BikeRow = { readonly key: number; readonly startMs: number; readonly endMs: number; readonly stations: number };
  holds<Same<ValueOf<typeof byBike>, Change<BikeRow>>>();

  const daily = byBike.via(
    'daily',
    windowOfChanges({
      key: (row) => row.key,
      eventTime: (row) => row.endMs,
      window: hopping({ size: hours(24), every: hours(1) }),
      aggregate: { stations: sum((row) => row.stations) },
      emit: onUpdate(),
      keysMax: 10,
    }),
  );
  holds<Same<ValueOf<typeof daily>, Change<BikeRow>>>();

  const perStation = { window: tumbling(hours(1)), aggregate: { trips: count() }, keysMax: 10 };
  const key = (trip: Trip) => trip.station;
  // Without `emit` a window emits rows.
  const plain = trips.via('plain', window({ key, ...perStation })).via(
    'n',
    map((row) => row.trips),
  );
  holds<Same<ValueOf<typeof plain>, number>>();

  // @ts-expect-error no such field
  trips.via('w', window({ ...perStation, key: (trip) => trip.city }));
  // @ts-expect-error a boolean is no key
  trips.via('w', window({ ...perStation, key: (trip) => trip.bike > 3 }));
  // @ts-expect-error a sum is of numbers
  trips.via('w', window({ ...perStation, key, aggregate: { sum: sum((trip: Trip) => trip.station) } }));
  // @ts-expect-error an aggregate over other values
  trips.via('w', window({ ...perStation, key, aggregate: { sum: sum((hour: Hour) => hour.trips) } }));
  // @ts-expect-error a number is no Duration
  tumbling(60_000);
  // @ts-expect-error a bound is not optional
  trips.via('w', window({ key, window: perStation.window, aggregate: perStation.aggregate }));
  const counted = trips.via('w', window({ key, ...perStation }));
  // @ts-expect-error a row has what was asked for
  const wrong = (row: ValueOf<typeof counted>) => row.mean;
  counted.via('n', map(wrong));
  // @ts-expect-error rows are no changes
  hourly.via('w', windowOfChanges({ ...perStation, key: (row: Hour) => row.key, eventTime: (row: Hour) => row.endMs }));
});
