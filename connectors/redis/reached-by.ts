import { contradiction, fileOf, secretOf } from '../../src/connect/secrets.js';
import type { RedisOptions } from './open.js';
import type { RedisSettings } from './settings.js';

/**
 * The options for Redis from the settings.
 *
 * @throws MillraceError `config` if settings contradict each other or one is missing.
 */
export function redisOptions(config: RedisSettings): RedisOptions {
  const { redis: url, redisUser: user } = config;
  const password = secretOf(config, 'redisPassword', 'redisPasswordFile');
  return {
    url,
    ...tlsOf(config),
    ...(user === '' ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

function tlsOf(config: RedisSettings): Pick<RedisOptions, 'ca' | 'certificate' | 'key' | 'serverName'> {
  const { redis, redisCa, redisCert, redisKey, redisServerName } = config;
  if (!redis.startsWith('rediss:')) {
    const idle = (['redisCa', 'redisCert', 'redisKey', 'redisServerName'] as const).find((name) => config[name] !== '');
    if (idle) throw contradiction(idle, 'it has no effect without TLS', 'use a rediss:// URL for Redis');
  }
  if ((redisCert === '') !== (redisKey === '')) {
    const [there, missing] =
      redisCert === '' ? (['redisKey', 'redisCert'] as const) : (['redisCert', 'redisKey'] as const);
    throw contradiction(there, `${missing} is missing`, 'set both the certificate and its key');
  }
  return {
    ...(redisCa === '' ? {} : { ca: fileOf('redisCa', redisCa) }),
    ...(redisCert === '' ? {} : { certificate: fileOf('redisCert', redisCert), key: fileOf('redisKey', redisKey) }),
    ...(redisServerName === '' ? {} : { serverName: redisServerName }),
  };
}
