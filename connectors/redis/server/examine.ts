import { clockFinding } from '../../../src/connect/clock-finding.js';
import type { Finding } from '../../../src/core/connector.js';
import type { Server } from './server.js';

/** For `millrace doctor`: versions, clocks and settings of the nodes that can be written to. Changes nothing. */
export async function examineRedis(server: Server): Promise<readonly Finding[]> {
  const nodes = await server.attempt('cannot ask Redis about itself', async (on) =>
    Promise.all(
      on.masters().map(async (node) => {
        const askedMs = Date.now();
        const [seconds, micros] = await node.time();
        const answeredMs = Date.now();
        const nowMs = 1_000 * Number(seconds) + Number(micros) / 1_000;
        return { of: `Redis at ${server.where}`, askedMs, answeredMs, nowMs, info: await node.info() };
      }),
    ),
  );
  return nodes.flatMap(({ of, askedMs, answeredMs, nowMs, info }) => [
    { of, state: 'fine', said: `Redis ${fieldOf(info, 'redis_version') ?? 'of a version that it does not tell'}` },
    clockFinding(of, nowMs, askedMs, answeredMs),
    ...settingsOf(of, info),
  ]);
}

/** What of its settings does harm, by the text that INFO gives. */
export function settingsOf(of: string, info: string): Finding[] {
  const findings: Finding[] = [];
  const policy = fieldOf(info, 'maxmemory_policy') ?? 'noeviction';
  if (fieldOf(info, 'maxmemory') !== '0' && policy !== 'noeviction')
    findings.push({
      of,
      state: 'warning',
      said: `it may evict keys when its memory is full (maxmemory-policy ${policy})`,
      hint: 'features and predictions would be missing without an error: set noeviction, and alert on its memory',
    });
  if (fieldOf(info, 'aof_enabled') === '0')
    findings.push({
      of,
      state: 'warning',
      said: 'it keeps no append-only file',
      hint: 'a crash of Redis loses what it took since its last snapshot, and no replay writes it again: set appendonly yes',
    });
  return findings;
}

const fieldOf = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
