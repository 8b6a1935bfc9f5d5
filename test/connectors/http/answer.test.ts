import { afterEach, describe, expect, it, vi } from 'vitest';
import { causeOf, mayPass, retryAfterMs, textOf } from '../../../connectors/http/answer.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('an answer', () => {
  it('of these statuses may be another one next time', () => {
    const all = Array.from({ length: 500 }, (_, n) => 100 + n);
    expect(all.filter(mayPass)).toEqual([408, 425, 429, ...all.filter((status) => status >= 500)]);
  });

  it('says when to come again, in seconds or by a date that is still to come', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    const after = (text?: string) =>
      retryAfterMs({ headers: new Headers(text === undefined ? {} : { 'retry-after': text }) });
    expect(['7', '0', 'Thu, 01 Jan 2026 00:00:02 GMT', 'Wed, 31 Dec 2025 23:59:59 GMT', 'soon'].map(after)).toEqual([
      ...[7_000, undefined, 2_000, undefined, undefined],
    ]);
    expect(after()).toBeUndefined();
  });

  it('is read up to as many bytes as are allowed, and no further', async () => {
    let cancelled = false;
    const parts = (...texts: readonly string[]) =>
      new Response(
        new ReadableStream({
          pull(stream) {
            const text = texts.length > 0 ? (texts as string[]).shift() : undefined;
            if (text === undefined) stream.close();
            else stream.enqueue(Buffer.from(text));
          },
          cancel() {
            cancelled = true;
          },
        }),
      );
    expect(await textOf(parts('ab', 'cü'), 5)).toBe('abcü');
    expect(cancelled).toBe(false);
    expect(await textOf(parts('ab', 'cü', 'more', 'and more'), 4)).toBeUndefined();
    expect(cancelled).toBe(true);
    expect(await textOf(new Response(null), 0)).toBe('');
  });

  it('that does not come is told by its cause', () => {
    expect(causeOf(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }))).toBe('ECONNREFUSED');
    expect([causeOf(new TypeError('fetch failed')), causeOf('odd')]).toEqual(['fetch failed', 'odd']);
  });
});
