import { secretOf, tlsOf } from '../../src/connect/secrets.js';
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
    ...tlsOf(config, 'redis', { isOn: url.startsWith('rediss:'), hint: 'use a rediss:// URL for Redis' }),
    ...(user === '' ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}
