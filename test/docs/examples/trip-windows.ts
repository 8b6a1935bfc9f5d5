import { days, hours, json, minutes, topology, window, windowOfChanges } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { count, hopping, mean, onInterval, onUpdate, quantile, session, sum, tumbling } from 'millrace/window';

interface Trip {
  readonly station: string;
  readonly rider: string;
  readonly endedAt: number;
  readonly minutes: number;
}

export const tripWindows = topology(
  'trip-windows',
  { deadLetters: kafka.deadLetterSink({ topic: 'trips.dead' }) },
  (t) => {
    const trips = t.source(
      'trips',
      kafka.source({
        topic: 'trips.v1',
        schema: json<Trip>(),
        eventTime: (trip) => trip.endedAt,
        outOfOrdernessMax: minutes(2), // how far a trip may be behind the latest one
      }),
    );

    // One final row per hour and station.
    const hourly = trips.via(
      'hourly',
      window({
        key: (trip) => trip.station,
        window: tumbling(hours(1)),
        aggregate: {
          trips: count(),
          minutes: mean((trip) => trip.minutes),
          p95: quantile((trip) => trip.minutes, 0.95),
        },
        allowedLateness: minutes(10),
        keysMax: 10_000,
      }),
    );

    // The last hour, every minute.
    const lastHour = trips.via(
      'last-hour',
      window({
        key: (trip) => trip.station,
        window: hopping({ size: hours(1), every: minutes(1) }),
        aggregate: { trips: count() },
        keysMax: 10_000,
      }),
    );

    // Sessions of a rider: trips with less than 30 minutes between them. Early results, then corrections.
    const rides = trips.via(
      'rides',
      window({
        key: (trip) => trip.rider,
        window: session({ gap: minutes(30) }),
        aggregate: { trips: count(), minutes: sum((trip) => trip.minutes) },
        emit: onInterval({ every: minutes(5) }),
        allowedLateness: hours(1),
        keysMax: 1_000_000,
      }),
    );

    // A window over the results of another window: all rides of a day, corrected with each ride.
    const daily = rides.via(
      'daily',
      windowOfChanges({
        key: () => 'all',
        eventTime: (ride) => ride.endMs - 1,
        window: tumbling(days(1)),
        aggregate: { rides: count(), minutes: sum((ride) => ride.minutes) },
        emit: onUpdate(),
        allowedLateness: hours(2),
        keysMax: 1,
      }),
    );

    hourly.to('hourly-out', kafka.sink({ topic: 'trips.hourly.v1', schema: json() }));
    lastHour.to('last-hour-out', kafka.sink({ topic: 'trips.last-hour.v1', schema: json() }));
    daily.to('daily-out', kafka.sink({ topic: 'trips.daily.v1', schema: json() }));
  },
);
