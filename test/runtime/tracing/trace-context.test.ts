import { describe, expect, it } from 'vitest';
import type { Origin } from '../../../src/core/index.js';
import { traceContextOf } from '../../../src/runtime/tracing/trace-context.js';

const originOf = (offset: number, more: Partial<Origin> = {}): Origin => ({
  ...{
    topic: 'orders',
    partition: 3,
    offset,
    eventTimeMs: 0,
    receivedAtMs: 0,
    key: null,
    raw: null,
    json: undefined,
    headers: undefined,
    order: 0,
  },
  ...more,
});
const sent = (text: string, offset = 0) => originOf(offset, { headers: [['traceparent', Buffer.from(text)]] });

describe('the trace of a record', () => {
  it('is drawn evenly by the place of the record, everywhere the same', () => {
    for (const share of [0.5, 0.1, 0.001]) {
      const count = 50_000;
      const drawn = Array.from({ length: count }, (_, offset) => traceContextOf(originOf(offset), share)).filter(
        Boolean,
      ).length;
      // Four standard deviations of a fair draw.
      expect(Math.abs(drawn - share * count)).toBeLessThan(4 * Math.sqrt(share * (1 - share) * count));
    }
    const places = Array.from({ length: 5_000 }, (_, offset) => offset).filter((offset) =>
      traceContextOf(originOf(offset), 0.01),
    );
    const again = Array.from({ length: 5_000 }, (_, offset) => offset).filter((offset) =>
      traceContextOf(originOf(offset), 0.01),
    );
    expect(again).toEqual(places);
    const other = places.filter((offset) => traceContextOf(originOf(offset, { partition: 4 }), 0.01));
    expect(other.length).toBeLessThan(places.length / 2);
    expect(traceContextOf(originOf(0), 0)).toBeUndefined();
  });

  it('has an id that follows from the place too', () => {
    const { traceId } = traceContextOf(originOf(7), 1) ?? {};
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceContextOf(originOf(7), 1)?.traceId).toBe(traceId);
    expect(traceContextOf(originOf(8), 1)?.traceId).not.toBe(traceId);
    expect(traceContextOf(originOf(2 ** 40 + 7), 1)?.traceId).not.toBe(traceId);
  });

  it('continues that of the sender, who decides', () => {
    const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    expect(traceContextOf(sent(`00-${trace}-${span}-01`), 0)).toEqual({ traceId: trace, parentSpanId: span });
    expect(traceContextOf(sent(`00-${trace}-${span}-00`), 1)).toBeUndefined();
    // A later version may have more after the flags.
    expect(traceContextOf(sent(`cc-${trace}-${span}-03-more`), 0)?.traceId).toBe(trace);
  });

  it.each([
    ['no ids', 'hello'],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['a span id of zeros', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
    ['capitals', '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01'],
  ])('begins anew behind a header with %s', (_, text) => {
    expect(traceContextOf(sent(text), 0)).toBeUndefined();
    expect(traceContextOf(sent(text), 1)?.parentSpanId).toBeUndefined();
    expect(traceContextOf(sent(text), 1)?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});
