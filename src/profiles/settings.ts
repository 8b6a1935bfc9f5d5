// One specification of every setting: types, parsing, validation, --help and the tables of the documents all read it.

import { brokers, choice, sealed, text, url, urls, wholeNumber } from '../connect/setting.js';
import type { Setting } from '../core/connector.js';
import { clusterSettings } from './kafka-settings.js';
import { redisSettings } from './redis-settings.js';

/** Of every profile and connector, but for how clusters are reached that ask who is there. */
export const mainSettings = {
  profile: choice(
    {
      env: 'MILLRACE_PROFILE',
      fallback: 'embedded',
      description: '`embedded`: everything in this process. `cluster`: on Kafka, Redis and ClickHouse.',
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
      description: 'Standby replicas of the state of each task, for a fast takeover (cluster profile).',
    },
    0,
    10,
  ),
  registry: url(
    {
      env: 'MILLRACE_REGISTRY',
      fallback: 'http://127.0.0.1:8081/apis/ccompat/v7',
      description: "Schema registry of the cluster profile, with Confluent's REST interface.",
      secret: true,
    },
    ['http', 'https'],
  ),
  redis: urls(
    {
      env: 'MILLRACE_REDIS',
      fallback: 'redis://127.0.0.1:6379',
      description: 'Redis of the cluster profile; on the embedded profile only for kinds other than hashes.',
      secret: true,
    },
    ['redis', 'rediss'],
  ),
  clickhouse: url(
    {
      env: 'MILLRACE_CLICKHOUSE',
      fallback: 'http://127.0.0.1:8123',
      description: 'ClickHouse of the cluster profile (HTTP interface).',
      secret: true,
    },
    ['http', 'https'],
  ),
  postgres: url(
    {
      env: 'MILLRACE_POSTGRES',
      fallback: 'postgres://127.0.0.1:5432/postgres',
      description: 'Postgres, on both profiles.',
      secret: true,
    },
    ['postgres', 'postgresql'],
  ),
  s3: url(
    {
      env: 'MILLRACE_S3',
      fallback: 'http://127.0.0.1:9000',
      description: 'Object store, on both profiles: `https://KEY:SECRET@host/?region=...`.',
      secret: true,
    },
    ['http', 'https'],
  ),
  stallSeconds: wholeNumber(
    {
      env: 'MILLRACE_STALL_SECONDS',
      fallback: 60,
      description:
        'Time after which an unanswered poll, write, commit or inference counts as hung and its task is restored.',
    },
    1,
    86_400,
  ),
  host: text(
    { env: 'MILLRACE_HOST', fallback: '127.0.0.1', description: 'Address of the metrics and health endpoints.' },
    'address',
  ),
  port: wholeNumber(
    { env: 'MILLRACE_PORT', fallback: 0, description: 'Port of the metrics and health endpoints; 0 opens none.' },
    0,
    65_535,
  ),
  token: sealed({
    env: 'MILLRACE_TOKEN',
    description: 'Token that requests for metrics, health and state must bear; needed if `host` is beyond loopback.',
  }),
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
