import { optional, sealed, urls } from '../../src/connect/setting.js';
import type { SettingValues } from '../../src/core/connector.js';

/** The connection to a Redis server. Files are read when a process first connects. */
export const settings = {
  redis: urls(
    ['redis', 'rediss'],
    'redis://127.0.0.1:6379',
    'Redis of the cluster profile; on the embedded profile only for kinds other than hashes.',
  ),
  redisCa: optional('file', "PEM file of the CA of the server's certificate (default: the CAs that Node trusts)."),
  redisCert: optional('file', 'PEM file of the client certificate.'),
  redisKey: optional('file', 'PEM file of the private key of the client.'),
  redisServerName: optional('name', "Name in the server's certificate, if it differs from its address."),
  redisUser: optional('name', 'User, if the URL has none.'),
  redisPassword: sealed('Password, if the URL has none.'),
  redisPasswordFile: optional('file', 'A file that holds the password.'),
} as const;

export type RedisSettings = SettingValues<typeof settings>;
