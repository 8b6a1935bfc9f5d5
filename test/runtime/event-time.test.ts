import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { type Duration, days, filter, json, topology } from '../../src/index.js';
import { eventTimeIn, implausible, shownTime, within1970And9999 } from '../../src/runtime/event-time.js';
import { TopologyTest } from '../../src/testing.js';

describe('eventTimeIn', () => {
  it.each([
    [1_700_000_000_000, 1_700_000_000_000],
    [1_700_000_000_000n, 1_700_000_000_000],
    [new Date(5), 5],
    ['1700000000000', 1_700_000_000_000],
    [0, 0],
  ])('takes %s', (given, timeMs) => {
    expect(eventTimeIn(given)).toBe(timeMs);
  });

  it.each([
    [null],
    [undefined],
    [''],
    [' '],
    [true],
    [[]],
    [[5]],
    [{}],
    ['yesterday'],
    [new Date(Number.NaN)],
    [Symbol('at')],
  ])('finds no time in %o', (given) => {
    expect(eventTimeIn(given)).toBeNaN();
    expect(shownTime(given)).toMatch(/./);
  });

  it('shows what is no time, in a few words', () => {
    expect(['x'.repeat(101), null, {}, () => 1, true, undefined].map(shownTime)).toEqual([
      ...[`"${'x'.repeat(100)}"`, 'null', 'of type object', 'of type function', 'true', 'undefined'],
    ]);
  });
});

describe('implausible', () => {
  const nowMs = 1_700_000_000_000;
  const day = days(1);

  it.each([
    [0, nowMs, day],
    [2_000, nowMs, day], // a test's own time, or 1970
    [nowMs + day, nowMs, day],
    [nowMs + day + 1, nowMs, 'none' as const],
    [nowMs + day + 1, nowMs, undefined],
    [nowMs, 500, day], // no clock wrote this timestamp
    [nowMs, -1, day],
    [1_700_000_000, nowMs, 'none' as const],
    [1_700_000_000, 0, day],
    [253_402_300_799_999, nowMs, undefined],
  ])('takes %d in a log at %d with aheadMax %s', (timeMs, timestampMs, aheadMax) => {
    expect(implausible(timeMs, timestampMs, aheadMax)).toBeUndefined();
  });

  it.each([
    [-1, nowMs, 'none' as const, /before 1970$/],
    [253_402_300_800_000, nowMs, 'none' as const, /after the year 9999: microseconds\?/],
    [1.7e15, nowMs, 'none' as const, /after the year 9999: microseconds\?/],
    [1.7e18, nowMs, 'none' as const, /after the year 9999: nanoseconds\?/],
    [1e300, nowMs, 'none' as const, /after the year 9999$/],
    [nowMs + day + 1, nowMs, day, /2023-11-15T22:13:20.001Z, more than aheadMax ahead of .* 2023-11-14T22:13:20.000Z/],
    [1_700_000_000, nowMs, day, /decades before the log's timestamp: seconds\?/],
    [1_700_000_000, nowMs, undefined, /seconds\?/],
  ])('refuses %d in a log at %d with aheadMax %s', (timeMs, timestampMs, aheadMax, detail) => {
    expect(implausible(timeMs, timestampMs, aheadMax)).toMatch(detail);
  });

  it('leaves a time for what has none that can be written as a date', () => {
    expect([-1, 5, 1e300, Number.NaN].map(within1970And9999)).toEqual([0, 5, 253_402_300_799_999, 0]);
  });
});

it('refuses wrong times before they reach the clock: the others are as if they were not there', async () => {
  interface Order {
    readonly id: string;
    readonly at: number;
  }
  const nowMs = 1_700_000_000_000;
  const of = (aheadMax: 'none' | Duration) =>
    topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'orders.dead' }) }, (t) => {
      const eventTime = (order: Order) => order.at;
      t.source('orders', kafka.source({ topic: 'orders', schema: json<Order>(), eventTime, aheadMax }))
        .via(
          'all',
          filter(() => true),
        )
        .to('out', kafka.sink({ topic: 'out', schema: json<Order>() }));
    });
  const orders = [4_070_908_800_000, nowMs, nowMs / 1_000, nowMs * 1e6, nowMs + 5].map((at, id) => ({
    id: String(id),
    at,
  }));
  const seen = async (aheadMax: 'none' | Duration) => {
    const run = new TopologyTest(of(aheadMax));
    run.clock.advance(nowMs);
    await run.pipe('orders', orders);
    await run.run();
    const ids = run.output('out').map((order) => (order as Order).id);
    const reasons = run.deadLetters().map(({ reason, offset }) => `${offset} ${reason}`);
    await run.close();
    return { ids, reasons };
  };
  expect(await seen(days(1))).toEqual({ ids: ['1', '4'], reasons: ['0 event-time', '2 event-time', '3 event-time'] });
  expect(await seen('none')).toEqual({ ids: ['0', '1', '2', '4'], reasons: ['3 event-time'] });
});

it('sends a record without a time to the dead letters, and says what stood there', async () => {
  interface Order {
    readonly id: string;
    readonly at: { readonly ms: number | null } | undefined;
  }
  const orders = topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'orders.dead' }) }, (t) => {
    t.source('orders', kafka.source({ topic: 'orders', schema: json<Order>(), eventTime: (o) => o.at?.ms as number }))
      .via(
        'all',
        filter(() => true),
      )
      .to('out', kafka.sink({ topic: 'out', schema: json<Order>() }));
  });
  const run = new TopologyTest(orders);
  await run.pipe('orders', [
    { id: 'a', at: { ms: null } },
    { id: 'b', at: undefined },
    { id: 'c', at: { ms: 5 } },
  ]);
  await run.pipeRaw('orders', [Buffer.from('null')]);
  await run.run();
  expect(run.output('out').map((order) => (order as Order).id)).toEqual(['c']);
  expect(run.deadLetters().map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
    'event-time: event time is null',
    'event-time: event time is undefined',
    expect.stringMatching(/^event-time: the event time callback threw: .*null/),
  ]);
  await run.close();
});
