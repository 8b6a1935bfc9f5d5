import { MillraceError } from '../../../src/core/errors.js';
import type { Server } from './server.js';

/**
 * Whether the server has documents, asked before anything is read: Redis 8 has them, older ones with the RedisJSON module.
 *
 * @throws MillraceError `config` where it has not.
 */
export async function requireJson(server: Server, step: string): Promise<void> {
  const [answer] = await server.attempt('cannot ask Redis what it can do', async (on) =>
    on.send([{ key: '', command: ['command', 'info', 'JSON.SET'] }]),
  );
  if (answer instanceof Error && answer.message.startsWith('NOPERM')) return; // then the first write will tell
  if (Array.isArray(answer) && answer[0]) return;
  throw new MillraceError('config', `Redis at ${server.where} has no JSON`, {
    where: step,
    hint: 'use Redis 8, load the RedisJSON module, or keep the text with redis.stringSink',
    permanent: true,
  });
}
