import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { filter, json, topology } from '../../src/index.js';
import { eventTimeIn, shownTime } from '../../src/runtime/event-time.js';
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
    expect.stringMatching(/^event-time: event time is not to be had: .*null/),
  ]);
  await run.close();
});
