// One specification of every setting: types, parsing, validation, --help and the tables of the documents all read it.

import { brokers, choice, text, url, urls, wholeNumber } from '../connect/setting.js';
import type { Setting } from '../core/connector.js';
import { clusterSettings } from './kafka-settings.js';
import { redisSettings } from './redis-settings.js';

/** Of every profile and connector, but for how clusters are reached that ask who is there. */
export const mainSettings = {
  profile: choice(
    {
      env: 'MILLRACE_PROFILE',
      fallback: 'embedded',
      description: 'Where a topology runs: everything in this process, or on real Kafka, Redis and ClickHouse.',
    },
    ['embedded', 'cluster'],
  ),
  data: text(
    {
      env: 'MILLRACE_DATA',
      fallback: '.millrace/data',
      description: 'Folder of the embedded profile: logs, state, key-value store and tables.',
    },
    'folder',
  ),
  kafka: brokers({
    env: 'MILLRACE_KAFKA',
    fallback: '127.0.0.1:9092',
    description: 'Kafka brokers of the cluster profile.',
  }),
  standbys: wholeNumber(
    {
      env: 'MILLRACE_STANDBYS',
      fallback: 0,
      description: "Other processes that follow each task's changelog, to take it over at once (cluster profile).",
    },
    0,
    10,
  ),
  registry: url(
    {
      env: 'MILLRACE_REGISTRY',
      fallback: 'http://127.0.0.1:8081/apis/ccompat/v7',
      description: "Schema registry of the cluster profile, by Confluent's REST interface.",
      secret: true,
    },
    ['http', 'https'],
  ),
  redis: urls(
    {
      env: 'MILLRACE_REDIS',
      fallback: 'redis://127.0.0.1:6379',
      description: 'Redis of the cluster profile, and of topologies that use more than its hashes on every profile.',
      secret: true,
    },
    ['redis', 'rediss'],
  ),
  clickhouse: url(
    {
      env: 'MILLRACE_CLICKHOUSE',
      fallback: 'http://127.0.0.1:8123',
      description: 'ClickHouse of the cluster profile, by its HTTP interface.',
      secret: true,
    },
    ['http', 'https'],
  ),
  postgres: url(
    {
      env: 'MILLRACE_POSTGRES',
      fallback: 'postgres://127.0.0.1:5432/postgres',
      description: 'Postgres of topologies that use it, on every profile.',
      secret: true,
    },
    ['postgres', 'postgresql'],
  ),
  s3: url(
    {
      env: 'MILLRACE_S3',
      fallback: 'http://127.0.0.1:9000',
      description: 'Object store of topologies that use one, on every profile: `https://KEY:SECRET@host/?region=...`.',
      secret: true,
    },
    ['http', 'https'],
  ),
  stallSeconds: wholeNumber(
    {
      env: 'MILLRACE_STALL_SECONDS',
      fallback: 60,
      description: 'How long a poll, a write, a commit or an inference may go unanswered before its task is restored.',
    },
    1,
    86_400,
  ),
  host: text(
    { env: 'MILLRACE_HOST', fallback: '127.0.0.1', description: 'Address that metrics and health listen on.' },
    'address',
  ),
  port: wholeNumber(
    { env: 'MILLRACE_PORT', fallback: 0, description: 'Port of metrics and health; 0 opens none.' },
    0,
    65_535,
  ),
} as const;

export const settings = { ...mainSettings, ...clusterSettings, ...redisSettings } as const;

type Settings = typeof settings;
export type SettingName = keyof Settings;

/** All settings with their values. */
export type Config = { readonly [K in SettingName]: Settings[K] extends Setting<infer T> ? T : never };

/** What `millrace.config.ts` may say: any of the settings but secrets. */
export type ConfigFile = Partial<Omit<Config, SealedName>>;
type SealedName = { [K in SettingName]: Settings[K] extends { readonly sealed: true } ? K : never }[SettingName];

export const settingNames = Object.keys(settings) as SettingName[];
