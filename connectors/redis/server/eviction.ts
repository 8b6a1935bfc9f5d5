import { MillraceError } from '../../../src/core/errors.js';
import { addsUp } from '../structures.js';
import type { Server } from './server.js';

/**
 * Whether the server keeps the fences of a sink, asked before anything is read: they have no time to live, so only `allkeys-*` evicts
 * them. What replaces is written again then, and ends as it was; what adds up would be added twice.
 *
 * @throws MillraceError `config` for a sink that adds up, where the server may evict its fences.
 */
export async function requireFencesKept(server: Server, kind: string, step: string): Promise<void> {
  if (!addsUp(kind)) return;
  const policy = await evictionOf(server);
  if (policy === undefined) return;
  throw new MillraceError('config', `Redis at ${server.where} may evict the fences of ${kind}`, {
    where: step,
    hint: `its maxmemory-policy is ${policy}: set noeviction or volatile-lru, or use a server of its own for what adds up`,
    permanent: true,
  });
}

/** The policy of a node that may evict what has no time to live; a node that does not tell is taken not to. */
async function evictionOf(server: Server): Promise<string | undefined> {
  const told = await server.attempt('cannot ask Redis what it evicts', async (on) =>
    Promise.all(on.masters().map((node) => node.info('memory').catch(unlessForbidden))),
  );
  return told.map(policyOf).find((policy) => policy !== undefined);
}

/** @example policyOf('maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n'); // 'allkeys-lru' */
export function policyOf(info: string): string | undefined {
  const [, max = '0'] = /^maxmemory:(\d+)/m.exec(info) ?? [];
  const [, policy] = /^maxmemory_policy:(allkeys-[\w-]+)/m.exec(info) ?? [];
  return max === '0' ? undefined : policy;
}

function unlessForbidden(error: unknown): string {
  if (error instanceof Error && /^NOPERM|unknown command/.test(error.message)) return '';
  throw error;
}
