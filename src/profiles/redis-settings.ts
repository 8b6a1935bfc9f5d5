import { optional, sealed } from '../connect/setting.js';

/** How a Redis server is reached that does not let everybody in. Files are read when a process first connects. */
export const redisSettings = {
  redisCa: optional(
    {
      env: 'MILLRACE_REDIS_CA',
      description: "PEM file of who signed the server's certificate; without it those that Node trusts.",
    },
    'file',
  ),
  redisCert: optional({ env: 'MILLRACE_REDIS_CERT', description: "PEM file of this client's certificate." }, 'file'),
  redisKey: optional({ env: 'MILLRACE_REDIS_KEY', description: 'PEM file of its private key.' }, 'file'),
  redisServerName: optional(
    {
      env: 'MILLRACE_REDIS_SERVER_NAME',
      description: "The name in the server's certificate, where it is not the one in its address.",
    },
    'name',
  ),
  redisUser: optional({ env: 'MILLRACE_REDIS_USER', description: 'User, where the URL names none.' }, 'name'),
  redisPassword: sealed({ env: 'MILLRACE_REDIS_PASSWORD', description: 'Password, where the URL has none.' }),
  redisPasswordFile: optional(
    { env: 'MILLRACE_REDIS_PASSWORD_FILE', description: 'A file that holds the password.' },
    'file',
  ),
} as const;
