import { MillraceError } from '../../../src/core/errors.js';
import { addsUp } from '../structures.js';
import type { Server } from './server.js';

/**
 * Checks, before anything is read, that the server does not evict the fences of a sink. Fences have no TTL, so only `allkeys-*`
 * policies evict them. A sink that replaces then writes the same values again; one that adds up would add them twice.
 *
 * @throws MillraceError `config` for a sink that adds up, if the server may evict its fences.
 */
export async function requireFencesKept(server: Server, kind: string, step: string): Promise<void> {
  if (!addsUp(kind)) return;
  const policy = await evictionOf(server);
  if (policy === undefined) return;
  throw new MillraceError('config', `Redis at ${server.where} may evict the fences of ${kind}`, {
    where: step,
    hint: `its maxmemory-policy is ${policy}: set noeviction or volatile-lru, or use a separate server for this sink`,
    permanent: true,
  });
}

/** The policy of a node that may evict keys without a TTL. A node that does not report its policy is assumed not to. */
async function evictionOf(server: Server): Promise<string | undefined> {
  const told = await server.attempt('cannot ask Redis what it evicts', async (on) =>
    Promise.all(on.masters().map((node) => node.info('memory').catch(unlessForbidden))),
  );
  return told.map(policyOf).find((policy) => policy !== undefined);
}

/** @example policyOf('maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n'); // 'allkeys-lru' */
function policyOf(info: string): string | undefined {
  const [, max = '0'] = /^maxmemory:(\d+)/m.exec(info) ?? [];
  const [, policy] = /^maxmemory_policy:(allkeys-[\w-]+)/m.exec(info) ?? [];
  return max === '0' ? undefined : policy;
}

function unlessForbidden(error: unknown): string {
  if (error instanceof Error && /^NOPERM|unknown command/.test(error.message)) return '';
  throw error;
}
