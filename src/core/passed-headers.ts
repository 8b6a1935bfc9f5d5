import type { Headers, Origin } from './record.js';

/** The headers that are passed on from a record to the values that come from it: all, or those with the given names. */
export type PassedHeaders = 'all' | readonly string[];

/**
 * The header names of W3C Trace Context and Baggage (https://www.w3.org/TR/trace-context/). They link a record to the request that
 * caused it, across systems.
 *
 * @example
 * predictions.to('predictions', kafka.sink({ topic: 'predictions.v1', schema: PredictionV1, headers: traceHeaders }));
 */
export const traceHeaders = ['traceparent', 'tracestate', 'baggage'] as const;

/** The prefix of headers that Millrace writes; they are never passed on. */
const OWN = 'millrace.';

/** Picks the headers of an origin that are passed on, in order, with repeated names; `undefined` if there are none. */
export function headerPicker(passed: PassedHeaders | undefined): (origin: Origin) => Headers | undefined {
  if (passed === undefined || passed.length === 0) return () => undefined;
  const names = passed === 'all' ? undefined : new Set(passed);
  return ({ headers }) => {
    if (headers === undefined) return undefined;
    const picked = headers.filter(([name]) => (names === undefined || names.has(name)) && !name.startsWith(OWN));
    return picked.length === 0 ? undefined : picked;
  };
}

/** As text for settings. */
export const passedHeadersText = (passed: PassedHeaders): string => (passed === 'all' ? 'all' : passed.join(', '));
