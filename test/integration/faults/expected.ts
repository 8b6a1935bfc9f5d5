import type { FaultySink } from '../../../src/testing/fault-contract.js';
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

const all = { ...patient, ...refused, ...killed } as const;
const idempotent = { mode: 'idempotent', expected: all } as const;
const deferred = { ...idempotent, deferred: true } as const;

const cutTransaction = { 'request cut': 'is restored', 'answer lost': 'is restored', crash: 'is restored' } as const;

/** By other statements than rows that add to the table. */
const cutUpserts = {
  'request cut': 'goes on',
  'answer lost': 'goes on',
  hang: 'goes on',
  crash: 'is restored',
} as const;

/** In one transaction with the checkpoint: there may be no room on the disk for it. */
const ofOneStore = { 'refused for now': 'is restored', crash: 'is restored' } as const;

/** Nothing is between the engine and us that could be cut. */
const inProcess = { ...refused, crash: 'is restored' } as const;

/**
 * What each kind makes of each fault, at worst, by service. The guide prints it, the tests hold it against real services. A kind that
 * promises more under an option, or in some topologies, is named again with it: `redis.hashSink idleTimeout`.
 */
export const expectedOfSinks: Readonly<Record<string, Readonly<Record<string, FaultySink>>>> = {
  kafka: {
    'kafka.sink': {
      mode: 'transactional',
      expected: { ...patient, ...transaction, hang: 'is restored', ...refused, ...killed },
    },
    'kafka.upsertSink': { mode: 'transactional', expected: cutTransaction },
    'kafka.deadLetterSink': { mode: 'transactional', expected: cutTransaction },
  },
  redis: {
    'redis.hashSink': idempotent,
    'redis.hashSink idleTimeout': deferred,
    'redis.upsertSink': idempotent,
    'redis.upsertSink idleTimeout': deferred,
    'redis.metricsSink': idempotent,
    'redis.stringSink': idempotent,
    'redis.streamSink': idempotent,
    'redis.sortedSetSink': idempotent,
    'redis.setSink': idempotent,
    'redis.counterSink': idempotent,
    'redis.jsonSink': idempotent,
    'redis.publishSink': { mode: 'append', expected: all },
  },
  postgres: {
    'postgres.tableSink': idempotent,
    'postgres.tableSink key': { mode: 'idempotent', expected: cutUpserts },
    'postgres.tableSink exactlyOnce': deferred,
  },
  clickhouse: {
    'clickhouse.tableSink': idempotent,
    'clickhouse.tableSink exactlyOnce': deferred,
    'clickhouse.upsertSink': idempotent,
    'clickhouse.upsertSink idleTimeout': deferred,
    'clickhouse.metricsSink': idempotent,
  },
  http: { 'http.webhookSink': { mode: 'append', expected: all } },
  s3: { 's3.sink': { mode: 'prepared', expected: all } },
  file: {
    'file.sink': {
      mode: 'prepared',
      expected: { 'refused for now': 'is restored', 'refused for good': 'ends', crash: 'is restored' },
    },
  },
  embedded: {
    'kafka.sink': { mode: 'transactional', expected: ofOneStore },
    'kafka.upsertSink': { mode: 'transactional', expected: ofOneStore },
    'kafka.deadLetterSink': { mode: 'transactional', expected: ofOneStore },
    'redis.hashSink': { mode: 'transactional', expected: ofOneStore },
    'redis.upsertSink': { mode: 'transactional', expected: ofOneStore },
    'redis.metricsSink': { mode: 'transactional', expected: ofOneStore },
    'clickhouse.tableSink': { mode: 'idempotent', expected: inProcess },
    'clickhouse.tableSink exactlyOnce': { mode: 'idempotent', deferred: true, expected: inProcess },
    'clickhouse.upsertSink': { mode: 'idempotent', expected: inProcess },
    'clickhouse.metricsSink': { mode: 'idempotent', expected: inProcess },
  },
};

export const expectedOfSources: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  kafka: { 'kafka.source': { ...patient, ...killed } },
  redis: { 'redis.streamSource': all },
  clickhouse: { 'clickhouse.querySource': all },
  http: { 'http.pollSource': all },
  s3: { 's3.source': { ...patient, ...killed } },
  file: {
    'file.source': { 'refused for now': 'is restored', 'refused for good': 'ends', crash: 'is restored' },
    'file.tailSource': { 'refused for now': 'is restored', crash: 'is restored' },
  },
  embedded: { 'kafka.source': { crash: 'is restored' } },
};

/** Kinds that are not run through the list by themselves, and why. */
export const notInTheList: Readonly<Record<string, string>> = {
  'kafka.tableSource': 'reads as `kafka.source` does',
  'kafka.globalTableSource': 'reads as `kafka.source` does, all partitions of it',
  'http.ingestSource':
    'is asked and asks nobody: who posts tries again; what was taken is read as `kafka.source` reads it',
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
  const others = Object.entries(notInTheList).map(([kind, why]) => `- \`${kind}\` ${why}.`);
  return [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...rows,
    ...(others.length === 0 ? [] : ['', 'Not run through it by themselves:', '', ...others]),
  ].join('\n');
}

const rowOf = (kind: string, service: string, expected: Expected): string =>
  `| ${named(kind)}${service === 'embedded' ? ' (embedded)' : ''} | ${columns
    .map((fault) => (expected[fault] === undefined ? '' : words[expected[fault]]))
    .join(' | ')} |`;

/** `redis.hashSink idleTimeout` in words. */
function named(kind: string): string {
  const [name, option] = kind.split(' ');
  return `\`${name}\`${option === undefined ? '' : ` with \`${option}\``}`;
}
