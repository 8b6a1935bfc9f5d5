import { describe, expect, it } from 'vitest';
import { MillraceError, millis } from '../../../src/core/index.js';
import { filter, flatMap } from '../../../src/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import type { Span } from '../../../src/runtime/tracing/span.js';
import { MemoryProfile } from '../../../src/testing/memory-profile.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { topology } from '../../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../../memory.js';

interface Event {
  readonly n: number;
}
const source = memorySource<Event>('events', ({ n }) => n);
const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
  const even = t.source('events', source).via(
    'even',
    filter(({ n }) => n % 2 === 0),
  );
  even
    .via(
      'twice',
      flatMap((event) => [event, event]),
    )
    .to('out', memorySink());
  even.to('other', memorySink());
});

/** Runs so many records, and returns the spans. */
async function traced(records: number, share: number, failsOnce = false): Promise<readonly Span[]> {
  const profile = new MemoryProfile(1);
  for (let n = 0; n < records; n++)
    profile.append('events', 0, [
      { key: null, value: new TextEncoder().encode(JSON.stringify({ n })), timestampMs: n },
    ]);
  const spans: Span[] = [];
  let hasFailed = !failsOnce;
  const running = await runTopology(flow, {
    profile: {
      ...{
        name: 'traced',
        schemas: profile.schemas,
        sources: profile.sources,
        sinks: profile.sinks,
        close: async () => undefined,
      },
      async openLedger(task) {
        const ledger = await profile.openLedger(task);
        return {
          ...ledger,
          commit: async (...args) => {
            if (!hasFailed) {
              hasFailed = true;
              throw new MillraceError('state', 'the ledger is away');
            }
            await ledger.commit(...args);
          },
        };
      },
    },
    ...{ inference: noInference, clock: new VirtualClock(), bounded: true, roundMax: 10, epochInterval: millis(0) },
    tracing: { share, add: (span) => void spans.push(span), counts: () => ({ sent: 0, dropped: 0 }) },
  });
  await running.finished;
  return spans;
}

const below = (spans: readonly Span[], { spanId }: Span) => spans.filter(({ parentSpanId }) => parentSpanId === spanId);

describe('the spans of a task', () => {
  it('follow each record from its poll through the steps to the sinks that it reaches', async () => {
    const spans = await traced(20, 1);
    const records = spans.filter(({ kind }) => kind === 'consumer');
    expect(records.map(({ attributes }) => attributes['messaging.kafka.offset'])).toEqual([...Array(20).keys()]);
    expect(new Set(records.map(({ traceId }) => traceId)).size).toBe(20);
    for (const [n, record] of records.entries()) {
      expect(record.name).toBe('process events');
      const steps = below(spans, record);
      expect(steps.map(({ name }) => name).sort()).toEqual(n % 2 === 0 ? ['even', 'other', 'out', 'twice'] : ['even']);
      for (const { traceId, startMs, endMs } of steps) {
        expect(traceId).toBe(record.traceId);
        expect(startMs).toBeGreaterThanOrEqual(record.startMs);
        expect(endMs).toBeLessThanOrEqual(record.endMs);
      }
    }
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it('tell of each epoch with traced records, in phases that follow each other, and link to the records', async () => {
    const spans = await traced(20, 1);
    const epochs = spans.filter(({ name }) => name === 'epoch');
    expect(epochs.length).toBeGreaterThan(1);
    const linked = epochs.flatMap(({ links = [] }) => links.map(({ spanId }) => spanId));
    expect(linked).toEqual(spans.filter(({ kind }) => kind === 'consumer').map(({ spanId }) => spanId));
    for (const epoch of epochs) {
      const phases = below(spans, epoch);
      expect(phases.map(({ name }) => name)).toEqual(['drain', 'prepare', 'store', 'commit']);
      expect(phases[0]?.startMs).toBe(epoch.startMs);
      for (const [i, { endMs }] of phases.entries()) expect(endMs).toBe(phases[i + 1]?.startMs ?? epoch.endMs);
    }
  });

  it('say that a record is read again where the task failed before its checkpoint', async () => {
    const spans = await traced(5, 1, true);
    const records = spans.filter(({ kind }) => kind === 'consumer');
    const outcomes = (offset: number) =>
      records.filter(({ attributes }) => attributes['messaging.kafka.offset'] === offset).map(({ error }) => error);
    expect(outcomes(0)).toEqual(['the task ended before its checkpoint', undefined]);
  });

  it('are made of the drawn records only, and of 256 between two checkpoints', async () => {
    expect(await traced(100, 0)).toEqual([]);
    const some = (await traced(2_000, 0.05)).filter(({ kind }) => kind === 'consumer').length;
    expect(some).toBeGreaterThan(50);
    expect(some).toBeLessThan(150);
  });
});
