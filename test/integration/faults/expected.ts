import type { SinkDriver } from '../../../src/core/io.js';
import type { Expected, FaultName, Outcome } from '../../../src/testing/fault-list.js';

/** A connector that tries again by itself, and fails where that takes too long. */
const patient = {
  'request cut': 'goes on',
  'answer lost': 'goes on',
  'cut again': 'goes on',
  hang: 'goes on',
  slow: 'goes on',
  outage: 'is restored',
  crash: 'is restored',
} as const;
const refused = { 'refused for now': 'goes on', 'refused for good': 'ends' } as const;
/** A transaction of which a part is not answered is given up as a whole. */
const transaction = { 'request cut': 'is restored', 'answer lost': 'is restored', 'cut again': 'is restored' } as const;
const killed = { restart: 'is restored' } as const;

/** Of kinds that write by the same calls as another one, what their own scripts decide. */
const unanswered = { 'answer lost': 'goes on', crash: 'is restored' } as const;

const cutTransaction = { 'request cut': 'is restored', 'answer lost': 'is restored', crash: 'is restored' } as const;

interface FaultySinkKind {
  readonly mode: SinkDriver['mode'];
  readonly expected: Expected;
}

/** What each kind makes of each fault, at worst, by service. The guide prints it, the tests hold it against real services. */
export const expectedOfSinks: Readonly<Record<string, Readonly<Record<string, FaultySinkKind>>>> = {
  kafka: {
    'kafka.sink': {
      mode: 'transactional',
      expected: { ...patient, ...transaction, hang: 'is restored', ...refused, ...killed },
    },
    'kafka.upserts': { mode: 'transactional', expected: cutTransaction },
    'kafka.deadLetters': { mode: 'transactional', expected: cutTransaction },
  },
  redis: {
    'redis.hash': { mode: 'idempotent', expected: { ...patient, ...refused, ...killed } },
    'redis.string': { mode: 'idempotent', expected: unanswered },
    'redis.stream': { mode: 'idempotent', expected: unanswered },
    'redis.sortedSet': { mode: 'idempotent', expected: unanswered },
    'redis.set': { mode: 'idempotent', expected: unanswered },
    'redis.counter': { mode: 'idempotent', expected: unanswered },
  },
  postgres: { 'postgres.table': { mode: 'idempotent', expected: { ...patient, ...refused, ...killed } } },
  clickhouse: { 'clickhouse.table': { mode: 'idempotent', expected: { ...patient, ...refused, ...killed } } },
  http: { 'http.webhook': { mode: 'append', expected: { ...patient, ...refused } } },
  s3: { 's3.sink': { mode: 'prepared', expected: { ...patient, ...refused } } },
  file: { 'file.sink': { mode: 'prepared', expected: { 'refused for now': 'is restored', crash: 'is restored' } } },
  embedded: { 'kafka.sink': { mode: 'transactional', expected: { crash: 'is restored' } } },
};

export const expectedOfSources: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  kafka: { 'kafka.source': { ...patient, ...killed } },
  redis: { 'redis.entries': { ...patient, ...killed } },
  clickhouse: { 'clickhouse.query': { ...patient, ...killed } },
  http: { 'http.poll': patient },
  s3: { 's3.source': patient },
  file: { 'file.source': { crash: 'is restored' } },
  embedded: { 'kafka.source': { crash: 'is restored' } },
};

const columns: readonly FaultName[] = [
  'request cut',
  'answer lost',
  'cut again',
  'hang',
  'slow',
  'outage',
  'restart',
  'refused for now',
  'refused for good',
  'crash',
];
const words: Readonly<Record<Outcome, string>> = { 'goes on': 'goes on', 'is restored': 'restored', ends: 'ends' };

/** A row a kind, a column a fault. */
export function faultTable(): string {
  const rows = [
    ...Object.entries(expectedOfSinks).flatMap(([service, kinds]) =>
      Object.entries(kinds).map(([kind, { expected }]) => rowOf(kind, service, expected)),
    ),
    ...Object.entries(expectedOfSources).flatMap(([service, kinds]) =>
      Object.entries(kinds).map(([kind, expected]) => rowOf(kind, service, expected)),
    ),
  ];
  return [`| | ${columns.join(' | ')} |`, `|---|${columns.map(() => '---|').join('')}`, ...rows].join('\n');
}

const rowOf = (kind: string, service: string, expected: Expected): string =>
  `| \`${kind}\`${service === 'embedded' ? ' (embedded)' : ''} | ${columns
    .map((fault) => (expected[fault] === undefined ? '' : words[expected[fault]]))
    .join(' | ')} |`;
