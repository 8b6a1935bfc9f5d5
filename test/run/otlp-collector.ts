import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';

// A collector that refuses what OTLP does not define: the body of a request to `/v1/traces` as opentelemetry-proto defines it, in its JSON form: lowerCamelCase names, ids in hexadecimal
// digits, 64-bit numbers as texts, enums as numbers. Unknown names are refused here, although collectors ignore them.

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const spanNames = [
  ...[
    'traceId',
    'spanId',
    'traceState',
    'parentSpanId',
    'flags',
    'name',
    'kind',
    'startTimeUnixNano',
    'endTimeUnixNano',
  ],
  ...['attributes', 'droppedAttributesCount', 'events', 'droppedEventsCount', 'links', 'droppedLinksCount', 'status'],
];
const names = (value: object, allowed: readonly string[]) =>
  expect(Object.keys(value).filter((name) => !allowed.includes(name))).toEqual([]);

function checkAttributes(attributes: readonly Attribute[]): void {
  for (const attribute of attributes) {
    names(attribute, ['key', 'value']);
    const [[kind = '', value] = []] = Object.entries(attribute.value);
    expect(Object.keys(attribute.value)).toHaveLength(1);
    if (kind === 'stringValue') expect(typeof value).toBe('string');
    else if (kind === 'intValue') expect(value).toMatch(/^-?\d{1,19}$/);
    else expect([kind, typeof value]).toEqual(['doubleValue', 'number']);
  }
  expect(new Set(attributes.map(({ key }) => key)).size).toBe(attributes.length);
}

function checkSpan(span: OtlpSpan): void {
  names(span, spanNames);
  expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
  for (const id of [span.spanId, span.parentSpanId ?? span.spanId]) expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(span.name).not.toBe('');
  expect([1, 2, 3, 4, 5]).toContain(span.kind);
  for (const time of [span.startTimeUnixNano, span.endTimeUnixNano]) expect(time).toMatch(/^\d{1,20}$/);
  expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
  checkAttributes(span.attributes);
  for (const link of span.links ?? []) names(link, ['traceId', 'spanId', 'traceState', 'attributes', 'flags']);
  names(span.status, ['code', 'message']);
}

/** The spans of a request, each checked. */
function spansIn(body: string): readonly OtlpSpan[] {
  const request = JSON.parse(body) as OtlpRequest;
  names(request, ['resourceSpans']);
  return request.resourceSpans.flatMap((resourceSpans) => {
    names(resourceSpans, ['resource', 'scopeSpans', 'schemaUrl']);
    checkAttributes(resourceSpans.resource.attributes);
    expect(resourceSpans.resource.attributes.map(({ key }) => key)).toContain('service.name');
    return resourceSpans.scopeSpans.flatMap((scopeSpans) => {
      names(scopeSpans, ['scope', 'spans', 'schemaUrl']);
      names(scopeSpans.scope, ['name', 'version', 'attributes']);
      for (const span of scopeSpans.spans) checkSpan(span);
      return scopeSpans.spans;
    });
  });
}

export interface Collector {
  readonly endpoint: string;
  /** What it has taken. */
  readonly spans: readonly OtlpSpan[];
  readonly headers: readonly unknown[];
  close(): Promise<void>;
}

/** A collector that answers as it is told. */
export async function startCollector(answer: () => readonly [number, string] = () => [200, '{}']): Promise<Collector> {
  const spans: OtlpSpan[] = [];
  const headers: unknown[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    headers.push([request.method, request.url, request.headers['content-type'], request.headers['x-key']]);
    const [status, body] = answer();
    if (status === 200) spans.push(...spansIn(text));
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    headers,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
