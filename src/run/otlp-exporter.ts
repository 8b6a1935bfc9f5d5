import { setTimeout as pause } from 'node:timers/promises';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Span, Tracing } from '../runtime/index.js';
import { backOffMs } from '../util/retry.js';

export interface OtlpOptions {
  /** Where spans are sent, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** As OpenTelemetry writes them: `name=value`, several with commas, values encoded as in URLs. */
  readonly headers: string;
  readonly share: number;
  /** The name of the service: the topology. */
  readonly service: string;
  /** The most bytes of spans that wait; 4 MiB by default. */
  readonly bytesMax?: number;
  onWarning(message: string): void;
}

const BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_BYTES = 512 * 1024;
const SEND_EVERY_MS = 1_000;
const ANSWER_MS = 5_000;
/** How long the end of a run waits for what is left. */
const LAST_MS = 2_000;
const BACK_OFF = { waitMs: 1_000, waitMaxMs: 60_000 };

/**
 * Sends spans to a collector by OTLP over HTTP, as JSON (opentelemetry-proto 1.x). Spans wait in memory, are sent once a second, and are sent
 * once: what a collector does not take is dropped and counted, and so is what does not fit. A collector that is down is asked with
 * growing pauses, up to a minute.
 *
 * Memory: `bytesMax`, and one request.
 *
 * @throws MillraceError `config` for an address or headers that are not well-formed.
 * @example
 * const tracing = otlpExporter({ endpoint: 'http://127.0.0.1:4318/v1/traces', headers: '', share: 0.001, service: 'payments', onWarning });
 */
export function otlpExporter(options: OtlpOptions): Tracing & { close(): Promise<void> } {
  const { endpoint, share, service, bytesMax = BYTES_MAX, onWarning } = options;
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint))
    throw new MillraceError('config', `${endpoint} is no address`, {
      where: 'traceEndpoint',
      hint: 'give that of a collector, such as http://127.0.0.1:4318/v1/traces',
    });
  const headers = { 'content-type': 'application/json', ...headersOf(options.headers) };
  const resource = { attributes: attributesOf({ 'service.name': service, 'telemetry.sdk.language': 'nodejs' }) };
  const scope = { name: 'millrace' };
  const ending = new AbortController();
  let waiting: string[] = [];
  let bytes = 0;
  let sent = 0;
  let dropped = 0;
  let failures = 0;

  const take = (): string[] => {
    let size = 0;
    let count = 0;
    while (count < waiting.length && size < REQUEST_BYTES) size += (waiting[count++] as string).length;
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    bytes -= size;
    return taken;
  };
  const send = async (signal: AbortSignal): Promise<void> => {
    const spans = take();
    if (spans.length === 0) return;
    const head = JSON.stringify({ resource }).slice(0, -1);
    const body = `{"resourceSpans":[${head},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[${spans.join(',')}]}]}]}`;
    try {
      const answer = await fetch(endpoint, { method: 'POST', headers, body, redirect: 'error', signal });
      if (!answer.ok) throw new Error(`it answers ${answer.status}`);
      const rejected = await rejectedIn(answer);
      sent += spans.length - rejected;
      dropped += rejected;
      failures = 0;
    } catch (error) {
      dropped += spans.length;
      failures += 1;
      if (failures === 1) onWarning(`spans are dropped, the collector does not take them: ${messageOf(error)}`);
    }
  };
  const work = (async () => {
    while (!ending.signal.aborted) {
      const waitMs = failures > 0 ? backOffMs(failures, BACK_OFF, Math.random) : SEND_EVERY_MS;
      await pause(waitMs, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
      do await send(AbortSignal.timeout(ANSWER_MS));
      while (waiting.length > 0 && failures === 0 && !ending.signal.aborted);
    }
  })();

  return {
    share,
    add(span) {
      if (bytes >= bytesMax) {
        dropped += 1;
        return;
      }
      const text = JSON.stringify(encoded(span));
      waiting.push(text);
      bytes += text.length;
    },
    counts: () => ({ sent, dropped }),
    async close() {
      ending.abort();
      await work;
      const last = AbortSignal.timeout(LAST_MS);
      while (waiting.length > 0 && !last.aborted && failures === 0) await send(last);
      dropped += waiting.length;
      waiting = [];
    },
  };
}

const kinds = { internal: 1, consumer: 5 } as const;
const ERROR = 2;

/** A span in the JSON form of `opentelemetry.proto.trace.v1.Span`: ids in hexadecimal digits, 64-bit numbers as texts. */
const encoded = ({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, links, error }: Span) => ({
  traceId,
  spanId,
  parentSpanId,
  name,
  kind: kinds[kind],
  startTimeUnixNano: nanosOf(startMs),
  endTimeUnixNano: nanosOf(Math.max(startMs, endMs)),
  attributes: attributesOf(attributes),
  links,
  status: error === undefined ? {} : { code: ERROR, message: error },
});

/** Microseconds since 1970 are whole numbers without a loss; nanoseconds are not. */
const nanosOf = (ms: number): string => `${Math.round(ms * 1_000)}000`;

const attributesOf = (attributes: Span['attributes']) =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : Number.isSafeInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
  }));

/** How many spans a collector says that it has not taken. */
async function rejectedIn(answer: Response): Promise<number> {
  const said = (await answer.json().catch(() => ({}))) as { partialSuccess?: { rejectedSpans?: string | number } };
  return Number(said.partialSuccess?.rejectedSpans ?? 0);
}

function headersOf(text: string): Record<string, string> {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  try {
    return Object.fromEntries(
      parts.map((part) => {
        const [, name = '', value = ''] = /^\s*([\w-]+)=(.*)$/.exec(part) ?? [];
        if (name === '') throw new Error('no name');
        return [name, decodeURIComponent(value.trim())];
      }),
    );
  } catch {
    // The text may hold a secret.
    throw new MillraceError('config', 'the headers for spans are not as expected', {
      where: 'MILLRACE_TRACE_HEADERS',
      hint: 'name=value, several with commas, values encoded as in URLs',
    });
  }
}
