import { expectTypeOf, test } from 'vitest';
import { type DeadLetter, hours, type Sink, type Source } from '../../src/core/index.js';
import { dedupe } from '../../src/operators/dedupe.js';
import { filter } from '../../src/operators/filter.js';
import { flatMap } from '../../src/operators/flat-map.js';
import { map } from '../../src/operators/map.js';
import { peek } from '../../src/operators/peek.js';
import { route } from '../../src/operators/route.js';
import { type Stream, topology } from '../../src/topology/topology.js';

interface Flight {
  readonly flightId: string;
  readonly origin: string | null;
  readonly distance: number | null;
}
type Long = Flight & { readonly distance: number };

declare const source: Source<Flight>;
declare const deadLetters: Sink<DeadLetter>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters }, (t) => {
    const flights = t.source('flights', source);
    expectTypeOf(
      flights.via(
        'a',
        map((flight) => flight.distance ?? 0),
      ),
    ).toEqualTypeOf<Stream<number>>();
    expectTypeOf(
      flights.via(
        'b',
        filter((flight) => flight.origin !== null),
      ),
    ).toEqualTypeOf<Stream<Flight>>();
    expectTypeOf(
      flights.via(
        'c',
        filter((flight): flight is Long => flight.distance !== null),
      ),
    ).toEqualTypeOf<Stream<Long>>();
    expectTypeOf(
      flights.via(
        'd',
        flatMap((flight) => [flight.flightId]),
      ),
    ).toEqualTypeOf<Stream<string>>();
    expectTypeOf(
      flights.via(
        'e',
        peek((flight) => void flight.origin),
      ),
    ).toEqualTypeOf<Stream<Flight>>();
    expectTypeOf(
      flights.via('f', dedupe({ key: (flight) => flight.flightId, retention: hours(1), keysMax: 9 })),
    ).toEqualTypeOf<Stream<Flight>>();
    // @ts-expect-error a key is a string or a number
    flights.via('g', dedupe({ key: (flight) => flight, retention: hours(1), keysMax: 9 }));
    // @ts-expect-error a bare number is no duration
    flights.via('h', dedupe({ key: (flight) => flight.flightId, retention: 24, keysMax: 9 }));
    const routed = flights.split(
      'i',
      route({ long: (flight): flight is Long => flight.distance !== null, known: (flight) => flight.origin !== null }),
    );
    expectTypeOf(routed.long).toEqualTypeOf<Stream<Long>>();
    expectTypeOf(routed.known).toEqualTypeOf<Stream<Flight>>();
    expectTypeOf(routed.otherwise).toEqualTypeOf<Stream<Flight>>();
    // @ts-expect-error no such output
    routed.short;
  });

test('types flow through the operators', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
