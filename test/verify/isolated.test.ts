import { describe, expect, it } from 'vitest';
import { file } from '../../connectors/file/index.js';
import { connectorKinds, connectorOf } from '../../src/cli/connector-kinds.js';
import type { Sink, Source } from '../../src/core/index.js';
import { ndjson } from '../../src/schema/index.js';
import { check, type Topology, topologyHash } from '../../src/topology/index.js';
import { shadowOf } from '../../src/verify/isolated.js';
import { tracesOf } from '../../src/verify/sandbox.js';
import { namesOf, newTrialId, recordsOf, type Trial } from '../../src/verify/verification.js';
import { flightDelays } from '../../topologies/flight-delays.js';

const trial: Trial = { id: 'verify-0a1b2c3d', inputs: {}, slices: {}, partitions: {} };

const placesOf = ({ sinks, deadLetters }: Topology) =>
  [...sinks.map(({ sink }) => sink), deadLetters].flatMap(({ options }) => {
    const { topic, table } = options as { topic?: string; table?: string };
    return topic ?? table ?? [];
  });

describe('shadowOf', () => {
  it('writes nowhere where the topology itself writes, nor where the other run does', () => {
    const [original, calm, disturbed] = [
      placesOf(flightDelays),
      placesOf(shadowOf(flightDelays, trial, 'calm')),
      placesOf(shadowOf(flightDelays, trial, 'disturbed')),
    ];
    expect(original.length).toBeGreaterThan(2);
    expect(new Set([...original, ...calm, ...disturbed]).size).toBe(3 * original.length);
    for (const place of [...calm, ...disturbed]) expect(place).toMatch(/^verify[-_]0a1b2c3d[._]/);
  });

  it('is a topology that can run: the same steps and inputs, under a name of its own, without metrics', () => {
    const shadow = shadowOf(flightDelays, trial, 'calm');
    expect(check(shadow)).toEqual([]);
    expect(shadow.name).toBe('verify-0a1b2c3d.calm');
    expect(shadow.steps).toBe(flightDelays.steps);
    expect(shadow.sources.map(({ source }) => source.topic)).toEqual(
      flightDelays.sources.map(({ source }) => source.topic),
    );
    expect(shadow.metrics).toBeUndefined();
    expect(topologyHash({ ...shadow, name: flightDelays.name })).toBe(topologyHash(flightDelays));
    expect(Object.isFrozen(shadow)).toBe(true);
  });

  it('reads a file in the place of a topic, and writes as many partitions as are there', () => {
    const [first] = flightDelays.sources;
    const topic = flightDelays.sinks.find(({ sink }) => sink.kind === 'kafka.sink')?.sink.options as { topic: string };
    const shadow = shadowOf(
      flightDelays,
      { ...trial, inputs: { [first?.id ?? '']: 'verify-x.input' }, partitions: { [topic.topic]: 12 } },
      'disturbed',
    );
    expect(shadow.sources[0]?.source.topic).toBe('verify-x.input');
    const rows = { path: 'in/*.ndjson', schema: ndjson<unknown>(), eventTime: () => 0 };
    const files = { ...flightDelays, sources: [{ id: 'rows', source: file.source(rows) as Source<unknown> }] };
    const topics = shadowOf(files, { ...trial, inputs: { rows: 'verify-x.rows' } }, 'calm').sources;
    expect(topics).toMatchObject([{ source: { connector: 'kafka', topic: 'verify-x.rows' } }]);
    const sink = shadow.sinks.find(({ sink: { kind } }) => kind === 'kafka.sink')?.sink.options;
    expect(sink).toMatchObject({ partitions: 12, nameOrigin: true });
  });

  it('leads every kind of sink elsewhere', () => {
    const options = { topic: 'out', table: 'shop.out', folder: 'lake/out', key: () => 'k', body: () => ({}) };
    const kinds = connectorKinds.filter(({ role, kind }) => role === 'sink' && kind !== 'clickhouse.metrics');
    expect(kinds.length).toBeGreaterThan(15);
    const sinks = kinds.map(({ kind }) => {
      const sink: Sink<unknown> = { connector: connectorOf(kind), kind, settings: {}, options };
      return { id: kind, sink, input: { from: 'x', output: 0 } };
    });
    const places = (['calm', 'disturbed'] as const).flatMap((run) =>
      shadowOf({ ...flightDelays, sinks }, trial, run).sinks.map(({ id, sink }) => {
        const { topic, table, folder } = sink.options as { topic?: string; table?: string; folder?: string };
        // Keys are told apart by the process that writes them, which knows its task.
        return sink.connector === 'redis' ? undefined : `${id} ${topic ?? ''} ${table ?? ''} ${folder ?? ''}`;
      }),
    );
    const led = places.filter((place) => place !== undefined);
    for (const place of led) expect(place).toMatch(/verify[-_]0a1b2c3d/);
    expect(new Set(led).size).toBe(led.length);
  });

  it('refuses a sink that it cannot lead elsewhere, by the id of its step', () => {
    const mail = { ...flightDelays.sinks[0]?.sink, kind: 'mail.send' } as Sink<unknown>;
    const sinks = [{ id: 'mail', sink: mail, input: { from: 'x', output: 0 } }];
    expect(() => shadowOf({ ...flightDelays, sinks }, trial, 'calm')).toThrow(
      expect.objectContaining({ code: 'config', where: 'mail', message: expect.stringContaining('mail.send') }),
    );
  });
});

describe('names of a trial', () => {
  it('are other names each time, and fit where they go', () => {
    expect(newTrialId()).not.toBe(newTrialId());
    const names = namesOf(newTrialId(), 'disturbed');
    expect(names.table('scored')).toMatch(/^[a-z0-9_]+$/);
    expect(names.topic('scored.v1')).toMatch(/^[a-z0-9._-]+$/);
    const long = ['a', 'b'].map((end) => names.rows(`shop.${'orders_of_a_shop_'.repeat(3)}${end}`));
    expect(new Set([...long, names.rows('shop.orders')]).size).toBe(3);
    // With the number of a task behind it: Postgres cuts what is longer than 63.
    for (const name of long) expect(name).toMatch(/^shop\.verify_[a-z0-9_]{1,50}$/);
  });

  it('are all taken away again: every place of both runs is among the traces', () => {
    const traces = tracesOf(flightDelays, { ...trial, inputs: { departed: 'verify-0a1b2c3d.input.departed' } });
    const places = (['calm', 'disturbed'] as const).flatMap((run) => placesOf(shadowOf(flightDelays, trial, run)));
    expect([...traces.topics, ...traces.tables]).toEqual(expect.arrayContaining(places));
    expect(traces.topics).toContain('verify-0a1b2c3d.input.departed');
    expect(traces.topologies).toEqual(['verify-0a1b2c3d.calm', 'verify-0a1b2c3d.disturbed']);
    for (const name of [...traces.topics, ...traces.tables, ...traces.topologies]) expect(name).toMatch(/^verify[-_]/);
    for (const prefix of traces.keys) expect(prefix).toMatch(/^verify-0a1b2c3d/);
    expect(traces.fences).toEqual(traces.topologies);
  });

  it('count the records that are read', () => {
    expect(recordsOf({ slices: { a: { from: [0, 5], to: [10, 7] }, b: { from: [3], to: [3] } } })).toBe(12);
  });
});
