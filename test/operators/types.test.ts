import { expectTypeOf, test } from 'vitest';
import { type Change, type DeadLetter, hours, type Sink, type Source } from '../../src/core/index.js';
import { dedupe } from '../../src/operators/basic/dedupe.js';
import { filter } from '../../src/operators/basic/filter.js';
import { flatMap } from '../../src/operators/basic/flat-map.js';
import { map } from '../../src/operators/basic/map.js';
import { peek } from '../../src/operators/basic/peek.js';
import { route } from '../../src/operators/basic/route.js';
import { standardize } from '../../src/operators/ml/standardize.js';
import { clip } from '../../src/operators/quality/clip.js';
import { expectations } from '../../src/operators/quality/expectations.js';
import { impute } from '../../src/operators/quality/impute.js';
import { validate } from '../../src/operators/quality/validate.js';
import { sample } from '../../src/operators/sampling/sample.js';
import { undersample } from '../../src/operators/sampling/undersample.js';
import { type Stream, topology } from '../../src/topology/topology.js';

interface Flight {
  readonly flightId: string;
  readonly origin: string | null;
  readonly distance: number | null;
}
type StreamValue<S> = S extends Stream<infer T> ? T : never;
type Long = Flight & { readonly distance: number };

declare const source: Source<Flight>;
declare const places: Source<Change<{ readonly city: string }>>;
declare const deadLetters: Sink<DeadLetter>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters }, (t) => {
    const flights = t.source('flights', source);
    const airports = t.source('airports', places);
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
    const rules = expectations<Flight>().notNull('origin').range('distance', 1, 9);
    const checked = flights.via('j', validate(rules));
    expectTypeOf<StreamValue<typeof checked>['origin']>().toEqualTypeOf<string>();
    expectTypeOf<StreamValue<typeof checked>['distance']>().toEqualTypeOf<number | null>();
    const warned = flights.via('k', validate(expectations<Flight>().notNull(['origin'], 'warn')));
    expectTypeOf(warned).toEqualTypeOf<Stream<Flight>>();
    const stopping = flights.via('l', validate(expectations<Flight>().notNull(['origin'], 'stop')));
    expectTypeOf<StreamValue<typeof stopping>['origin']>().toEqualTypeOf<string>();
    // A stream that has more fields than the rules speak of keeps them.
    const wider = flights
      .via(
        'm',
        map((flight) => ({ ...flight, extra: 1 })),
      )
      .via('n', validate(rules));
    expectTypeOf<StreamValue<typeof wider>['extra']>().toEqualTypeOf<number>();
    const known = flights.via('k2', { airports }, validate(rules.references('origin', 'airports', { keysMax: 9 })));
    expectTypeOf<StreamValue<typeof known>['origin']>().toEqualTypeOf<string>();
    // @ts-expect-error the table that it needs is missing
    flights.via('k3', validate(rules.references('origin', 'airports', { keysMax: 9 })));
    // @ts-expect-error another name than the rules have for the table
    flights.via('k4', { places: airports }, validate(rules.references('origin', 'airports', { keysMax: 9 })));
    // @ts-expect-error no band of a text
    rules.usual('origin', { zScore: 4 });
    const marked = flights.via('k5', clip({ distance: { max: 9 } }, { mark: 'clipped' }));
    expectTypeOf<StreamValue<typeof marked>['clipped']>().toEqualTypeOf<
      readonly ('flightId' | 'origin' | 'distance')[]
    >();
    // @ts-expect-error a text cannot be clipped
    flights.via('k6', clip({ origin: { max: 9 } }));
    // @ts-expect-error a name that is taken
    flights.via('k7', clip({ distance: { max: 9 } }, { mark: 'origin' }));
    // @ts-expect-error a text has no scale
    flights.via('k8', standardize({ origin: 'standard' }));
    const weighed = flights.via(
      'k9',
      undersample({ class: (f) => f.origin, shares: { ATL: 1, BOS: 1 }, key: (f) => f.flightId, as: 'weight' }),
    );
    expectTypeOf<StreamValue<typeof weighed>['weight']>().toEqualTypeOf<number>();
    expectTypeOf(flights.via('k10', sample({ key: (f) => f.flightId, rate: 0.5 }))).toEqualTypeOf<Stream<Flight>>();
    const imputed = checked.via('o', impute({ distance: 'median', flightId: { constant: '?' } }));
    expectTypeOf<StreamValue<typeof imputed>['distance']>().toEqualTypeOf<number>();
    expectTypeOf<StreamValue<typeof imputed>['origin']>().toEqualTypeOf<string>();
    // @ts-expect-error no range of a text
    rules.range('origin', 1, 2);
    // @ts-expect-error no pattern of a number
    rules.matches('distance', /x/);
    // @ts-expect-error no such field
    rules.notNull('nope');
    // @ts-expect-error a text has no mean
    flights.via('p', impute({ origin: 'mean' }));
    // @ts-expect-error no such field
    flights.via('q', impute({ nope: 'last' }));
    // @ts-expect-error no such field, beside one that is there
    flights.via('q2', impute({ distance: 'mean', nope: 'last' }));
    const grouped = flights.via(
      'q3',
      impute({ distance: { use: 'median', by: (f) => f.origin, groupsMax: 9 }, origin: { from: (f) => f.flightId } }),
    );
    expectTypeOf<StreamValue<typeof grouped>['distance']>().toEqualTypeOf<number>();
    // @ts-expect-error no such field to go by
    flights.via('q4', impute({ distance: { use: 'median', by: (f) => f.nope, groupsMax: 9 } }));
    // @ts-expect-error groups without a bound
    flights.via('q5', impute({ distance: { use: 'median', by: (f) => f.origin } }));
    // @ts-expect-error nearest by a text
    flights.via('q6', impute({ distance: { use: 'nearest', of: ['origin'] } }));
    // @ts-expect-error a constant of another type
    flights.via('r', impute({ distance: { constant: 'far' } }));
    // @ts-expect-error no such output
    routed.short;
  });

test('types flow through the operators', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
