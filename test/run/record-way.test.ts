import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { redis } from '../../connectors/redis/index.js';
import { noRecord } from '../../src/core/record.js';
import {
  dedupe,
  expectations,
  filter,
  flatMap,
  hours,
  json,
  map,
  peek,
  route,
  rx,
  sample,
  topology,
  validate,
} from '../../src/index.js';
import { wayOf } from '../../src/run/record-way.js';
import { orders } from '../server/orders.js';

interface Flight {
  readonly id: string;
  readonly miles: number;
}
let looks = 0;
const flights = topology('flights', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const { long, otherwise } = t
    .source('flights', kafka.source<Flight>({ topic: 'flights', schema: json<Flight>() }))
    .via('dedupe', dedupe({ key: ({ id }) => id, retention: hours(1), keysMax: 10 }))
    .via('validate', validate(expectations<Flight>().range('miles', 0, 1e6)))
    .via(
      'look',
      peek(() => {
        looks += 1;
      }),
    )
    .via(
      'known',
      filter(({ miles }) => {
        if (miles === 13) throw new Error('no such number');
        return miles > 0;
      }),
    )
    .via('some', sample({ key: ({ id }) => (id === 'nobody' ? null : id), rate: 1 }))
    .split('by-length', route({ long: ({ miles }) => miles > 1_000 }));
  long
    .via(
      'legs',
      flatMap(({ id, miles }) => Array.from({ length: 500 }, (_, leg) => ({ id, miles: miles - leg }))),
    )
    .via(
      'last',
      filter(({ miles }) => miles < 2_000),
    )
    .to('legs-topic', kafka.sink({ topic: 'legs', schema: json<Flight>() }));
  otherwise
    .via(
      'km',
      map(({ id, miles }) => ({ id, miles: miles * 1.6 })),
    )
    .to('short', redis.hashSink({ key: ({ id }) => id, ttl: hours(1) }));
});
const wayIn = (value: Flight) => wayOf(flights, 'flights', { value, origin: noRecord('flights') });
const BEGIN = 'passes dedupe (unless its key came before), validate (unless it is a dead letter), look';
const UNLESS = 'unless a step drops it before';

describe('the way of a record', () => {
  it('has what steps without state drop and reject, and which output they choose', () => {
    expect(wayIn({ id: 'a', miles: 0 })).toBe(`${BEGIN}; dropped by known (filter)`);
    expect(wayIn({ id: 'nobody', miles: 7 })).toBe(`${BEGIN}, known; dead letter of some: empty-key`);
    expect(wayIn({ id: 'a', miles: 7 })).toBe(
      `${BEGIN}, known, some, by-length (to otherwise), km; to short (redis.hashSink) ${UNLESS}`,
    );
    expect(wayIn({ id: 'a', miles: 5_000 })).toBe(
      `${BEGIN}, known, some, by-length (to long), legs; dropped by last (filter)`,
    );
    expect(wayIn({ id: 'a', miles: 2_050 })).toBe(
      `${BEGIN}, known, some, by-length (to long), legs, last; to legs-topic (kafka.sink) ${UNLESS}`,
    );
    expect(looks).toBe(0);
  });

  it('is what may happen behind a step that throws, and without the record', () => {
    const sinks = `to legs-topic (kafka.sink), short (redis.hashSink) ${UNLESS}`;
    expect(wayIn({ id: 'a', miles: 13 })).toBe(`${BEGIN}; then known, some, by-length, legs, last, km; ${sinks}`);
    expect(wayOf(flights, 'flights')).toBe(
      `then dedupe, validate, look, known, some, by-length, legs, last, km; ${sinks}`,
    );
  });

  it('names further inputs of steps that it comes to, and stops to know at steps with state', () => {
    const value = { id: 'a', at: 5 };
    const origin = noRecord('orders.v1');
    expect(wayOf(orders, 'payments', { value, origin })).toBe('as right of paid');
    expect(wayOf(orders, 'orders', { value, origin })).toBe(
      `passes dedupe (unless its key came before), large; then paid; to history (kafka.sink), newest (redis.hashSink) ${UNLESS}`,
    );
  });

  it('is sure where no step keeps state, and goes on behind a repartition', () => {
    const sink = () => kafka.sink({ topic: 'out', schema: json<Flight>() });
    const plain = topology('plain', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      const all = t.source('in', kafka.source<Flight>({ topic: 'in', schema: json<Flight>() }));
      all
        .via(
          'same',
          map((flight) => flight),
        )
        .to('out', sink());
      all
        .repartition('by-id', { key: ({ id }) => id, schema: json<Flight>() })
        .via(
          'after',
          rx((flight) => flight),
        )
        .to('others', sink());
    });
    const record = { value: { id: 'a', miles: 1 }, origin: noRecord('in') };
    expect(wayOf(plain, 'in', record)).toBe(
      `passes same; then after; to out (kafka.sink), others (kafka.sink) ${UNLESS}`,
    );
    const only = { ...plain, repartitions: [], steps: plain.steps.slice(0, 1), sinks: plain.sinks.slice(0, 1) };
    expect(wayOf(only, 'in', record)).toBe('passes same; to out (kafka.sink)');
  });
});
