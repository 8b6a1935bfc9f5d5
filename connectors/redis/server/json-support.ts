import { MillraceError } from '../../../src/core/errors.js';
import type { Server } from './server.js';

/**
 * Whether the server has documents, asked before anything is read: Redis 8 has them, older ones with the RedisJSON module.
 * Only an answer is a no: a server that is loading, busy or in a fail-over is asked again.
 *
 * @throws MillraceError `config` where it has not; `sink` where it does not answer.
 */
export async function requireJson(server: Server, step: string): Promise<void> {
  const answer = await server.attempt('cannot ask Redis what it can do', async (on) => {
    const [told] = await on.send([{ key: '', command: ['command', 'info', 'JSON.SET'] }]);
    if (told instanceof Error && !CANNOT_BE_ASKED.test(told.message)) throw told;
    return told;
  });
  if (answer instanceof Error) return; // then the first write will tell
  if (Array.isArray(answer) && answer[0]) return;
  throw new MillraceError('config', `Redis at ${server.where} has no JSON`, {
    where: step,
    hint: 'use Redis 8, load the RedisJSON module, or keep the text with redis.stringSink',
    permanent: true,
  });
}

/** The user may not ask, or nobody may. */
const CANNOT_BE_ASKED = /^NOPERM|unknown command/;
