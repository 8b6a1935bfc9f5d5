import { describe, expect, it } from 'vitest';
import { file } from '../../connectors/file/index.js';
import type { IsolatedSink, Source } from '../../src/core/index.js';
import { ndjson } from '../../src/schema/index.js';
import { check, type Topology, topologyHash } from '../../src/topology/index.js';
import { isolatedTopology } from '../../src/verify/isolated.js';
import { newVerificationId, recordsOf, type Verification } from '../../src/verify/verification.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { connectorKinds, sinkOfKind } from '../connector-kinds.js';

const verification: Verification = { id: 'verify-0a1b2c3d', inputs: {}, slices: {}, partitions: {} };

const placesOf = ({ sinks, deadLetters }: Topology) =>
  [...sinks.map(({ sink }) => sink), deadLetters].flatMap(({ options }) => {
    const { topic, table } = options as { topic?: string; table?: string };
    return topic ?? table ?? [];
  });

describe('shadowOf', () => {
  it('writes nowhere where the topology itself writes, nor where the other run does', () => {
    const [original, reference, faulted] = [
      placesOf(flightDelays),
      placesOf(isolatedTopology(flightDelays, verification, 'reference')),
      placesOf(isolatedTopology(flightDelays, verification, 'faulted')),
    ];
    expect(original.length).toBeGreaterThan(2);
    expect(new Set([...original, ...reference, ...faulted]).size).toBe(3 * original.length);
    for (const place of [...reference, ...faulted]) expect(place).toMatch(/^verify[-_]0a1b2c3d[._]/);
  });

  it('is a topology that can run: the same steps and inputs, under a name of its own, without metrics', () => {
    const isolated = isolatedTopology(flightDelays, verification, 'reference');
    expect(check(isolated)).toEqual([]);
    expect(isolated.name).toBe('verify-0a1b2c3d.reference');
    expect(isolated.steps).toBe(flightDelays.steps);
    expect(isolated.sources.map(({ source }) => source.topic)).toEqual(
      flightDelays.sources.map(({ source }) => source.topic),
    );
    expect(isolated.metrics).toEqual([]);
    expect(topologyHash({ ...isolated, name: flightDelays.name })).toBe(topologyHash(flightDelays));
    expect(Object.isFrozen(isolated)).toBe(true);
  });

  it('reads a file in the place of a topic, and writes as many partitions as are there', () => {
    const [first] = flightDelays.sources;
    const topic = flightDelays.sinks.find(({ sink }) => sink.kind === 'kafka.sink')?.sink.options as { topic: string };
    const isolated = isolatedTopology(
      flightDelays,
      { ...verification, inputs: { [first?.id ?? '']: 'verify-x.input' }, partitions: { [topic.topic]: 12 } },
      'faulted',
    );
    expect(isolated.sources[0]?.source.topic).toBe('verify-x.input');
    const rows = { path: 'in/*.ndjson', schema: ndjson<unknown>(), eventTime: () => 0 };
    const files = { ...flightDelays, sources: [{ id: 'rows', source: file.source(rows) as Source<unknown> }] };
    const topics = isolatedTopology(files, { ...verification, inputs: { rows: 'verify-x.rows' } }, 'reference').sources;
    expect(topics).toMatchObject([{ source: { connector: 'kafka', topic: 'verify-x.rows' } }]);
    const sink = isolated.sinks.find(({ sink: { kind } }) => kind === 'kafka.sink')?.sink.options;
    expect(sink).toMatchObject({ partitions: 12, nameOrigin: true });
  });

  it('leads every kind of sink elsewhere', () => {
    const options = { topic: 'out', table: 'shop.out', folder: 'lake/out', key: () => 'k', body: () => ({}) };
    const kinds = connectorKinds.filter(({ role, kind }) => role === 'sink' && !kind.endsWith('.metricsSink')); // metrics are left out
    expect(kinds.length).toBeGreaterThan(15);
    const sinks = kinds.map(({ kind }) => ({
      id: kind,
      sink: sinkOfKind(kind, { options }),
      input: { from: 'x', output: 0 },
    }));
    const places = (['reference', 'faulted'] as const).flatMap((run) =>
      isolatedTopology({ ...flightDelays, sinks }, verification, run).sinks.map(({ id, sink }) => {
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
    const mail = sinkOfKind('mail.send');
    const sinks = [{ id: 'mail', sink: mail, input: { from: 'x', output: 0 } }];
    expect(() => isolatedTopology({ ...flightDelays, sinks }, verification, 'reference')).toThrow(
      expect.objectContaining({ code: 'config', where: 'mail', message: expect.stringContaining('mail.send') }),
    );
  });
});

describe('names of a verification', () => {
  it('are other names each time, and fit where they go', () => {
    expect(newVerificationId()).not.toBe(newVerificationId());
    const place = { id: newVerificationId(), run: 'faulted', step: 'out', partitions: {} } as const;
    const isolated = (kind: string, options: object) => {
      const verify = sinkOfKind(kind).definition?.verify as IsolatedSink;
      return verify.isolate(options as never, place) as {
        readonly table: string;
        readonly topic: string;
      };
    };
    expect(isolated('clickhouse.tableSink', { table: 'scored' }).table).toMatch(/^[a-z0-9_]+$/);
    expect(isolated('kafka.sink', { topic: 'scored.v1' }).topic).toMatch(/^[a-z0-9._-]+$/);
    const rows = (table: string) => isolated('postgres.tableSink', { table }).table;
    const long = ['a', 'b'].map((end) => rows(`shop.${'orders_of_a_shop_'.repeat(3)}${end}`));
    expect(new Set([...long, rows('shop.orders')]).size).toBe(3);
    // With the number of a task behind it: Postgres cuts what is longer than 63.
    for (const name of long) expect(name).toMatch(/^shop\.verify_[a-z0-9_]{1,50}$/);
  });

  it('count the records that are read', () => {
    expect(recordsOf({ slices: { a: { from: [0, 5], to: [10, 7] }, b: { from: [3], to: [3] } } })).toBe(12);
  });
});
