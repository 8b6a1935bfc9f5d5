import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.js';
import type { Running } from '../runtime/index.js';
import { believedUrl } from './owner-address.js';

interface StateRequest {
  Params: { step: string; key: string };
  Querystring: { partition?: string };
}

const PASSED_ON = 'millrace-passed-on';
/** How long an owner may take: an epoch, and some patience. */
const OWNER_MS = 10_000;

interface Identity {
  readonly topology: string;
  readonly token: string | undefined;
}

/**
 * Adds `/state/STEP/KEY`, which answers with what a committed epoch held (200; `value` is null for a key without state), or says that now is
 * not the moment (503, `retry-after`). Any process of a topology may be asked: the one that has the key's task answers, if it
 * has proven its address.
 */
export function serveState(server: FastifyInstance, ask: Running['query'], { topology, token }: Identity): void {
  server.get<StateRequest>('/state/:step/:key', async ({ params: { step, key }, query, headers }, reply) => {
    const retry = (why: string) => reply.code(503).header('retry-after', '1').send({ retry: why });
    try {
      const said = await ask(step, key, query.partition === undefined ? undefined : Number(query.partition));
      if (said.kind === 'retry') return retry(said.why);
      if (said.kind === 'elsewhere') {
        const url = believedUrl(said.address, topology, token);
        if (url === undefined) return retry(`the process with task ${said.partition} has another token, or none`);
        // Once passed on, it is not passed on again: who was believed to be the owner is not, or not yet.
        const found =
          headers[PASSED_ON] === undefined ? await askOwner(url, said.partition, step, key, token) : undefined;
        if (!found) return retry(`task ${said.partition} is moving`);
        return reply.code(found.status).headers(found.headers).type('application/json').send(found.body);
      }
      const { value = null, partition, epoch } = said;
      return reply.send({ step, key, value, partition, epoch });
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'config')) throw error;
      return reply.code(404).send({ error: error.message, where: error.where, hint: error.hint });
    }
  });
}

/** What the process says that has the task; nothing where it cannot be reached. */
async function askOwner(url: string, partition: number, step: string, key: string, token: string | undefined) {
  const path = [step, key].map(encodeURIComponent).join('/');
  try {
    const response = await fetch(`${url}/state/${path}?partition=${partition}`, {
      headers: { [PASSED_ON]: '1', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      redirect: 'error',
      signal: AbortSignal.timeout(OWNER_MS),
    });
    const after = response.headers.get('retry-after');
    return { status: response.status, body: await response.text(), headers: after ? { 'retry-after': after } : {} };
  } catch {
    return undefined; // it has died or moved: the group will say who is the owner then
  }
}
