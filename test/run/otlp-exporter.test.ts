import { afterEach, describe, expect, it } from 'vitest';
import { otlpExporter } from '../../src/run/otlp-exporter.js';
import type { Span } from '../../src/runtime/tracing/span.js';
import { type Collector, startCollector } from './otlp-collector.js';

const span: Span = {
  ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', parentSpanId: '00f067aa0ba902b7' },
  ...{ name: 'process orders', kind: 'consumer', startMs: 1_700_000_000_000.125, endMs: 1_700_000_000_003.5 },
  attributes: { topic: 'orders', offset: 2 ** 40, share: 0.5 },
  links: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }],
};

const collectors: Collector[] = [];
afterEach(async () => {
  for (const each of collectors.splice(0)) await each.close();
});

async function collector(answer?: Parameters<typeof startCollector>[0]): Promise<Collector> {
  const started = await startCollector(answer);
  collectors.push(started);
  return started;
}

function exporter(endpoint: string, more: Partial<Parameters<typeof otlpExporter>[0]> = {}) {
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  return { ...otlpExporter({ endpoint, headers: '', share: 1, service: 'orders', onWarning, ...more }), warnings };
}

describe('the exporter of spans', () => {
  it('sends them once a second, in the form of OTLP', async () => {
    const { endpoint, spans, headers } = await collector();
    const { add, counts, close } = exporter(endpoint, { headers: 'x-key=a%2Cb' });
    add(span);
    add({ ...span, error: 'read again' });
    await expect.poll(() => spans.length, { timeout: 5_000 }).toBe(2);
    expect(headers).toEqual([['POST', '/v1/traces', 'application/json', 'a,b']]);
    expect(spans[0]).toEqual({
      ...{ traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId },
      ...{ name: 'process orders', kind: 5, links: span.links, status: {} },
      ...{ startTimeUnixNano: '1700000000000125000', endTimeUnixNano: '1700000000003500000' },
      attributes: [
        { key: 'topic', value: { stringValue: 'orders' } },
        { key: 'offset', value: { intValue: '1099511627776' } },
        { key: 'share', value: { doubleValue: 0.5 } },
      ],
    });
    expect(spans[1]?.status).toEqual({ code: 2, message: 'read again' });
    await expect.poll(counts).toEqual({ sent: 2, dropped: 0 });
    await close();
  });

  it('sends what is left when it is closed', async () => {
    const { endpoint, spans, headers } = await collector();
    const { add, counts, close } = exporter(endpoint);
    const large = { ...span, attributes: { text: 'x'.repeat(10_000) } };
    for (let n = 0; n < 100; n++) add(large); // more than one request
    await close();
    expect([headers.length, spans.length, counts()]).toEqual([2, 100, { sent: 100, dropped: 0 }]);
  });

  it('counts what a collector rejects', async () => {
    const { endpoint } = await collector(() => [
      200,
      '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}',
    ]);
    const { add, counts, close } = exporter(endpoint);
    for (let n = 0; n < 3; n++) add(span);
    await close();
    expect(counts()).toEqual({ sent: 1, dropped: 2 });
  });

  it('drops what a collector that is down or refuses does not take, says so once, and goes on when it is back', async () => {
    let isUp = false;
    const { endpoint, spans } = await collector(() => (isUp ? [200, '{}'] : [503, 'not now']));
    const { add, counts, close, warnings } = exporter(endpoint);
    add(span);
    await expect.poll(counts, { timeout: 5_000 }).toEqual({ sent: 0, dropped: 1 });
    isUp = true;
    add(span);
    await expect.poll(() => spans.length, { timeout: 5_000 }).toBe(1);
    await close();
    expect(counts()).toEqual({ sent: 1, dropped: 1 });
    expect(warnings).toEqual(['spans are dropped, the collector does not take them: it answers 503']);

    const nobody = exporter('http://127.0.0.1:1/v1/traces');
    nobody.add(span);
    await nobody.close();
    expect(nobody.counts()).toEqual({ sent: 0, dropped: 1 });
    expect(nobody.warnings).toHaveLength(1);
  });

  it('keeps at most the given bytes', async () => {
    const { endpoint, spans } = await collector();
    const { add, counts, close } = exporter(endpoint, { bytesMax: 10_000 });
    for (let n = 0; n < 1_000; n++) add(span);
    expect(counts().dropped).toBeGreaterThan(900);
    await close();
    expect(spans.length + counts().dropped).toBe(1_000);
  });

  it('refuses addresses and headers that are none, and does not show the headers', () => {
    expect(() => exporter('collector:4318')).toThrow(/collector:4318 is no address/);
    for (const headers of ['secret', '=secret', 'x-key=%']) {
      expect(() => exporter('http://127.0.0.1:4318', { headers })).toThrow('the headers for spans are not as expected');
    }
  });
});
