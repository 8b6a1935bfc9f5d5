/** A finished piece of work, as OpenTelemetry has it. */
export interface Span {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'consumer';
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Spans of other traces that it belongs to. */
  readonly links?: readonly SpanPlace[];
  /** Why it failed. */
  readonly error?: string;
}

export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
}

/** Traces of a run: which records have one, and where spans go. */
export interface Tracing {
  /** The share of records that are traced, from 0 to 1, besides those whose sender traces them. */
  readonly share: number;
  /** Takes a span, or counts it as dropped. Never waits, never throws. */
  add(span: Span): void;
  /** Spans that a collector has taken, and those that were dropped. */
  counts(): { readonly sent: number; readonly dropped: number };
}
