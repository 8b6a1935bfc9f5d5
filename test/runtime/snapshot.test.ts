import { describe, expect, it } from 'vitest';
import { BEFORE_ALL_MS, type MetricRow, type Origin, type SinkWriter } from '../../src/core/index.js';
import { filter, map } from '../../src/operators/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { metricsOutput, metricsSinks } from '../../src/runtime/sinks.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Event {
  readonly n: number;
}
const source = memorySource<Event>('events', ({ n }) => n);

function append(profile: MemoryProfile, partition: number, count: number): void {
  const records = Array.from({ length: count }, (_, n) => ({
    ...{ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n },
  }));
  profile.append('events', partition, records);
}

describe('the snapshot of a run', () => {
  it('adds up what its tasks count and how long their records took', async () => {
    const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
      const even = t.source('events', source).via(
        'even',
        filter(({ n }) => n % 2 === 0),
      );
      even.to('out', memorySink());
      even.to('copy', memorySink());
    });
    const profile = new MemoryProfile(2);
    append(profile, 0, 5);
    append(profile, 1, 8);
    const running = await runTopology(flow, {
      ...{ profile, inference: noInference, bounded: true, clock: new VirtualClock() },
    });
    await running.finished;
    const { counters, latency, busyMs, tasks, isPaused, throttledMs, models, spans } = running.snapshot();
    expect(Object.fromEntries(counters.map(({ step, name, value }) => [`${step} ${name}`, value]))).toEqual({
      ...{ 'events read': 13, 'even in': 13, 'even out': 7, 'out written': 7, 'copy written': 7 },
    });
    expect([latency.total, [...busyMs.keys()], tasks.length]).toEqual([14, ['even'], 2]);
    expect({ isPaused, throttledMs, models, spans }).toEqual({
      ...{ isPaused: false, throttledMs: 0, models: [], spans: { sent: 0, dropped: 0 } },
    });
  });

  it('has the time from the poll of a record to its sink', async () => {
    const clock = new VirtualClock();
    const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
      t.source('events', source)
        .via(
          'slow',
          map((event) => {
            clock.advance(10);
            return event;
          }),
        )
        .to('out', memorySink());
    });
    const profile = new MemoryProfile(1);
    append(profile, 0, 3);
    const running = await runTopology(flow, { profile, inference: noInference, bounded: true, clock });
    await running.finished;
    const { latency, busyMs } = running.snapshot();
    expect([latency.total, latency.sumMs, busyMs.get('slow')]).toEqual([3, 90, 30]);
  });
});

describe('metrics sinks', () => {
  it('get measurements, and each counter as one row of its hour of event time, numbered by the run', async () => {
    const given: { readonly row: MetricRow; readonly origin: Origin }[][] = [[], []];
    const writers = given.map(
      (into): SinkWriter => ({
        write: (rows, origins) =>
          rows.forEach((row, i) => {
            into.push({ row: row as MetricRow, origin: origins[i] as Origin });
          }),
        close: async () => undefined,
      }),
    );
    const of = { topology: 't', task: 2 };
    const measured: MetricRow = { ...of, step: 'm', name: 'loss', slice: 's', version: 'v', eventTimeMs: 5, value: 1 };
    const output = metricsOutput(of, writers);
    await output.write([measured], [{ step: 'a', name: 'read', value: 7 }], 2 * 3_600_000 + 5);
    await output.write([], [{ step: 'a', name: 'read', value: 9 }], BEFORE_ALL_MS);
    const counted = { ...of, step: 'a', name: 'counter:read', slice: '', version: '' };
    expect(given[0]?.map(({ row }) => row)).toEqual([
      measured,
      { ...counted, eventTimeMs: 7_200_000, value: 7 },
      { ...counted, eventTimeMs: 0, value: 9 },
    ]);
    expect(given[0]?.map(({ origin }) => [origin.topic, origin.offset])).toEqual([
      ['$metrics', 0],
      ['$metrics', 1],
      ['$metrics', 2],
    ]);
    expect(given[1]).toEqual(given[0]);
    await metricsOutput(of, []).write([measured], [], 0);
  });

  it('have steps of their own', () => {
    const metrics = [memorySink<MetricRow>(), memorySink<MetricRow>(), memorySink<MetricRow>()];
    expect(metricsSinks({ metrics }).map(({ id }) => id)).toEqual(['$metrics', '$metrics-2', '$metrics-3']);
  });
});
