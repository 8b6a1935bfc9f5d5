import { MillraceError } from '../../../src/core/errors.js';
import type { Server } from './server.js';

/**
 * Checks, before anything is read, that the server has JSON documents: Redis 8, or an older one with the RedisJSON module. A server
 * that is loading, busy or in a failover is asked again.
 *
 * @throws MillraceError `config` if it has none; `sink` if it does not answer.
 */
export async function requireJson(server: Server, step: string): Promise<void> {
  const answer = await server.attempt('cannot ask Redis what it can do', async (on) => {
    const [told] = await on.send([{ key: '', command: ['command', 'info', 'JSON.SET'] }]);
    if (told instanceof Error && !CANNOT_BE_ASKED.test(told.message)) throw told;
    return told;
  });
  if (answer instanceof Error) return; // the first write will report it
  if (Array.isArray(answer) && answer[0]) return;
  throw new MillraceError('config', `Redis at ${server.where} has no JSON`, {
    where: step,
    hint: 'use Redis 8, load the RedisJSON module, or keep the text with redis.stringSink',
    permanent: true,
  });
}

/** The user lacks the permission, or the command does not exist. */
const CANNOT_BE_ASKED = /^NOPERM|unknown command/;
