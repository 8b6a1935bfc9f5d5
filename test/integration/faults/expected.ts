import type { SinkDriver } from '../../../src/core/io.js';
import type { Expected } from '../../../src/testing/fault-list.js';

/** What a cut, a slow or a silent connection comes to where the connector tries again by itself. */
const mended = {
  'request cut': 'goes on',
  'answer lost': 'goes on',
  'cut again': 'goes on',
  hang: 'goes on',
  slow: 'goes on',
  outage: 'is restored',
  'refused for now': 'goes on',
  'refused for good': 'ends',
  crash: 'is restored',
} as const;

/** What each sink makes of each fault, at worst. The guide prints it, the tests hold it against real services. */
export const expectedOfSinks: Readonly<
  Record<string, { readonly mode: SinkDriver['mode']; readonly expected: Expected }>
> = {
  'redis.hash': { mode: 'idempotent', expected: { ...mended, restart: 'is restored' } },
  'postgres.table': { mode: 'idempotent', expected: { ...mended, restart: 'is restored' } },
  'clickhouse.table': { mode: 'idempotent', expected: { ...mended, restart: 'is restored' } },
  'http.webhook': { mode: 'append', expected: mended },
  's3.sink': { mode: 'prepared', expected: mended },
};

const { 'refused for now': _, 'refused for good': __, ...mendedReading } = mended;

/** Likewise of each source. */
export const expectedOfSources: Readonly<Record<string, Expected>> = {
  'http.poll': mendedReading,
  's3.source': mendedReading,
};
