import { optional, sealed, urls } from '../../src/connect/setting.js';
import type { SettingValues } from '../../src/core/connector.js';

/** The connection to a Redis server. Files are read when a process first connects. */
export const settings = {
  redis: urls(
    {
      env: 'MILLRACE_REDIS',
      fallback: 'redis://127.0.0.1:6379',
      description: 'Redis of the cluster profile; on the embedded profile only for kinds other than hashes.',
      secret: true,
    },
    ['redis', 'rediss'],
  ),
  redisCa: optional(
    {
      env: 'MILLRACE_REDIS_CA',
      description: "PEM file of the CA of the server's certificate (default: the CAs that Node trusts).",
    },
    'file',
  ),
  redisCert: optional({ env: 'MILLRACE_REDIS_CERT', description: 'PEM file of the client certificate.' }, 'file'),
  redisKey: optional({ env: 'MILLRACE_REDIS_KEY', description: 'PEM file of the private key of the client.' }, 'file'),
  redisServerName: optional(
    {
      env: 'MILLRACE_REDIS_SERVER_NAME',
      description: "Name in the server's certificate, if it differs from its address.",
    },
    'name',
  ),
  redisUser: optional({ env: 'MILLRACE_REDIS_USER', description: 'User, if the URL has none.' }, 'name'),
  redisPassword: sealed({ env: 'MILLRACE_REDIS_PASSWORD', description: 'Password, if the URL has none.' }),
  redisPasswordFile: optional(
    { env: 'MILLRACE_REDIS_PASSWORD_FILE', description: 'A file that holds the password.' },
    'file',
  ),
} as const;

export type RedisSettings = SettingValues<typeof settings>;
