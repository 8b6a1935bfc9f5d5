import type { Headers, Origin } from './record.js';

/** Headers that go on from the record that a value comes from: all of them, or those of some names. */
export type PassedHeaders = 'all' | readonly string[];

/**
 * The names of W3C's Trace Context and Baggage (https://www.w3.org/TR/trace-context/): what ties a record to the request
 * that caused it, over every system on the way.
 *
 * @example
 * predictions.to('predictions', kafka.sink({ topic: 'predictions.v1', schema: PredictionV1, headers: traceHeaders }));
 */
export const traceHeaders = ['traceparent', 'tracestate', 'baggage'] as const;

/** Begins the names of what Millrace itself says about a record; it is never passed on. */
const OWN = 'millrace.';

/**
 * Picks what goes on of an origin's headers, in their order, repeated names included; `undefined` where nothing does.
 */
export function headerPicker(passed: PassedHeaders | undefined): (origin: Origin) => Headers | undefined {
  if (passed === undefined || passed.length === 0) return () => undefined;
  const names = passed === 'all' ? undefined : new Set(passed);
  return ({ headers }) => {
    if (headers === undefined) return undefined;
    const picked = headers.filter(([name]) => (names === undefined || names.has(name)) && !name.startsWith(OWN));
    return picked.length === 0 ? undefined : picked;
  };
}

/** As settings show it. */
export const passedHeadersText = (passed: PassedHeaders): string => (passed === 'all' ? 'all' : passed.join(', '));
