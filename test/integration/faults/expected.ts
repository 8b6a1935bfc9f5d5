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
 * promises more under an option, or in some topologies, is named again with it: `redis.hash idleMax`.
 */
export const expectedOfSinks: Readonly<Record<string, Readonly<Record<string, FaultySink>>>> = {
  kafka: {
    'kafka.sink': {
      mode: 'transactional',
      expected: { ...patient, ...transaction, hang: 'is restored', ...refused, ...killed },
    },
    'kafka.upserts': { mode: 'transactional', expected: cutTransaction },
    'kafka.deadLetters': { mode: 'transactional', expected: cutTransaction },
  },
  redis: {
    'redis.hash': idempotent,
    'redis.hash idleMax': deferred,
    'redis.upserts': idempotent,
    'redis.upserts idleMax': deferred,
    'redis.string': idempotent,
    'redis.stream': idempotent,
    'redis.sortedSet': idempotent,
    'redis.set': idempotent,
    'redis.counter': idempotent,
    'redis.json': idempotent,
    'redis.publish': { mode: 'append', expected: all },
  },
  postgres: {
    'postgres.table': idempotent,
    'postgres.table key': { mode: 'idempotent', expected: cutUpserts },
    'postgres.table exactlyOnce': deferred,
  },
  clickhouse: {
    'clickhouse.table': idempotent,
    'clickhouse.table exactlyOnce': deferred,
    'clickhouse.upserts': idempotent,
    'clickhouse.upserts idleMax': deferred,
    'clickhouse.metrics': idempotent,
  },
  http: { 'http.webhook': { mode: 'append', expected: all } },
  s3: { 's3.sink': { mode: 'prepared', expected: all } },
  file: {
    'file.sink': {
      mode: 'prepared',
      expected: { 'refused for now': 'is restored', 'refused for good': 'ends', crash: 'is restored' },
    },
  },
  embedded: {
    'kafka.sink': { mode: 'transactional', expected: ofOneStore },
    'kafka.upserts': { mode: 'transactional', expected: ofOneStore },
    'kafka.deadLetters': { mode: 'transactional', expected: ofOneStore },
    'redis.hash': { mode: 'transactional', expected: ofOneStore },
    'redis.upserts': { mode: 'transactional', expected: ofOneStore },
    'clickhouse.table': { mode: 'idempotent', expected: inProcess },
    'clickhouse.table exactlyOnce': { mode: 'idempotent', deferred: true, expected: inProcess },
    'clickhouse.upserts': { mode: 'idempotent', expected: inProcess },
    'clickhouse.metrics': { mode: 'idempotent', expected: inProcess },
  },
};

export const expectedOfSources: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  kafka: { 'kafka.source': { ...patient, ...killed } },
  redis: { 'redis.entries': all },
  clickhouse: { 'clickhouse.query': all },
  http: { 'http.poll': all },
  s3: { 's3.source': { ...patient, ...killed } },
  file: {
    'file.source': { 'refused for now': 'is restored', 'refused for good': 'ends', crash: 'is restored' },
    'file.tail': { 'refused for now': 'is restored', crash: 'is restored' },
  },
  embedded: { 'kafka.source': { crash: 'is restored' } },
};

/** Kinds that are not run through the list by themselves, and why. */
export const notInTheList: Readonly<Record<string, string>> = {
  'kafka.table': 'reads as `kafka.source` does',
  'kafka.globalTable': 'reads as `kafka.source` does, all partitions of it',
  'http.ingest': 'is asked and asks nobody: who posts tries again; what was taken is read as `kafka.source` reads it',
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

/** `redis.hash idleMax` in words. */
function named(kind: string): string {
  const [name, option] = kind.split(' ');
  return `\`${name}\`${option === undefined ? '' : ` with \`${option}\``}`;
}
