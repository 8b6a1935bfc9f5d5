import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import type { TopicSinkOptions } from '../../../connectors/kafka/topic-options.js';
import type { Change, Sink } from '../../../src/core/index.js';
import type { Schema } from '../../../src/core/schema.js';
import { json } from '../../../src/schema/index.js';

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
  const dead = kafka.deadLetterSink({ topic: 'dead' });
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
  expect(dead).toMatchObject({ kind: 'kafka.deadLetterSink', settings: { topic: 'dead' }, options: { topic: 'dead' } });
});

it('loads without any client library', () => {
  const text = readFileSync(new URL('../../../connectors/kafka/index.ts', import.meta.url), 'utf8');
  expect(
    text.match(
      /^import (?!type )(?!.*'(?:\.\.\/\.\.\/src\/(?:core|connect)\/|\.\/(?:kinds|definition|topic-name)\.js'))/gm,
    ),
  ).toBeNull();
});

it('kafka.upsertSink is a sink of changes into a compacted topic, with what the topic is to be like', () => {
  const sink: Sink<Change<{ n: number }>> = kafka.upsertSink({
    topic: 'rows',
    schema: json<{ n: number }>(),
    configs: { 'min.insync.replicas': 2 },
  });
  expect(sink).toMatchObject({ connector: 'kafka', kind: 'kafka.upsertSink', changes: true });
  expect(sink.settings).toMatchObject({
    topic: 'rows',
    key: 'of the change',
    configs: 'cleanup.policy=compact min.insync.replicas=2',
  });
  const { key, content } = sink.options as TopicSinkOptions;
  const change = { key: 'a', before: null, after: { n: 1 } };
  expect([key?.(change), content?.(change)]).toEqual(['a', { n: 1 }]);
  // @ts-expect-error a value is no change
  const plain: Sink<{ n: number }> = kafka.upsertSink({ topic: 'rows', schema: json<{ n: number }>() });
  expect(Object.isFrozen(plain.options)).toBe(true);
});
