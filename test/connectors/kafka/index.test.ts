import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import type { Schema } from '../../../src/core/schema.js';

interface Flight {
  readonly origin: string;
  readonly departedAt: number;
}
const schema: Schema<Flight> = { format: 'json', subject: 'flights-value', definition: undefined };

it('takes the event time from the value, or from the log where none is named', () => {
  const named = kafka.source({ topic: 'flights', schema, eventTime: (flight) => flight.departedAt });
  expect(named.eventTimeOf({ origin: 'ATL', departedAt: 5 }, 9)).toBe(5);
  expect(kafka.source({ topic: 'flights', schema }).eventTimeOf({ origin: 'ATL', departedAt: 5 }, 9)).toBe(9);
});

it('is inert and frozen, and says what describe prints', () => {
  const source = kafka.source({ topic: 'flights', schema });
  const sink = kafka.sink<Flight>({ topic: 'out', schema, key: (flight) => flight.origin, partitions: 8 });
  const dead = kafka.deadLetters({ topic: 'dead' });
  for (const spec of [source, sink, dead]) {
    expect(spec.connector).toBe('kafka');
    expect(Object.isFrozen(spec) && Object.isFrozen(spec.settings)).toBe(true);
  }
  expect(source.kind).toBe('kafka.source');
  expect(sink.settings).toEqual({ topic: 'out', schema: 'flights-value', key: 'field', partitions: 8 });
  expect(kafka.sink<Flight>({ topic: 'out', schema }).settings).toEqual({
    topic: 'out',
    schema: 'flights-value',
    key: 'origin',
  });
  expect(dead).toMatchObject({ kind: 'kafka.deadLetters', settings: { topic: 'dead' }, options: { topic: 'dead' } });
});

it('loads without any client library', () => {
  const text = readFileSync(new URL('../../../connectors/kafka/index.ts', import.meta.url), 'utf8');
  expect(text.match(/^import (?!type )(?!.*'\.\.\/\.\.\/src\/core\/)/gm)).toBeNull();
});
