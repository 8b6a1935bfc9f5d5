import type { Change, MetricRow } from '../../../src/core/index.js';

// Changes of a few keys, for sinks that hold what is true now.

export interface Numbered {
  readonly n: number;
}

const KEYS = 7;
export const keyOf = (n: number): number => n % KEYS;

/** Of each key what holds, something else, and then nothing, in turns. */
const takesAway = (n: number): boolean => Math.floor(n / KEYS) % 3 === 2;

export const changeTo = (n: number): Change<Numbered> => ({
  key: String(keyOf(n)),
  before: n < KEYS || takesAway(n - KEYS) ? null : { n: n - KEYS },
  after: takesAway(n) ? null : { n },
});

/** Of each key a later measurement. */
export const metricTo = (n: number): MetricRow => ({
  ...{ topology: 't', step: 's', task: 0, name: `metric-${keyOf(n)}`, slice: '', version: '' },
  ...{ eventTimeMs: n, value: n },
});

/** What a world of them says of itself. */
export const changing = { keyOf, takesAway, replaces: true } as const;
