import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import { PartitionLog } from '../../../connectors/kafka/partition-log.js';
import type { Fetched, FetchRequest } from '../../../connectors/kafka/protocol/fetch.js';

const leader = { host: 'leader', port: 1 };
const follower = { host: 'follower', port: 2 };
const NEAR = 7;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A leader that names broker 7 to whoever says where it is, of a cluster in which that broker is known after a look. */
function racked(foundByLooking: boolean) {
  let looked = false;
  const cluster: Partial<Cluster> = {
    rack: 'here',
    patienceMs: 1_000,
    leader: async () => ({ topicId: 'id', address: leader }),
    startOffset: async () => 0,
    endOffset: async () => 5,
    broker: (id) => (id === NEAR && looked && foundByLooking ? follower : undefined),
    refresh: async () => {
      looked = true;
      return undefined;
    },
  };
  const asked: string[] = [];
  const nothing = { throttleTimeMs: 0, preferredReplica: -1, highWatermark: 5, aborted: [], bytes: Buffer.alloc(0) };
  vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async (
    { host }: typeof leader,
    _api: unknown,
    { rack }: FetchRequest,
  ): Promise<Fetched> => {
    asked.push(`${host} ${rack}`.trim());
    return host === 'leader' && rack !== '' ? { ...nothing, preferredReplica: NEAR } : nothing;
  }) as never);
  return { cluster: cluster as Cluster, asked };
}

describe('PartitionLog', () => {
  it('looks for a broker that the leader names and nobody knows, and reads there', async () => {
    const { cluster, asked } = racked(true);
    const log = await PartitionLog.open(cluster, 'topic', 0, 0);
    await log.next();
    expect(asked.slice(0, 2)).toEqual(['leader here', 'follower here']);
    await log.close();
  });

  it('reads at the leader where that broker is nowhere to be found: it would give nothing for ever', async () => {
    const { cluster, asked } = racked(false);
    const log = await PartitionLog.open(cluster, 'topic', 0, 0);
    await log.next();
    expect(asked.slice(0, 2)).toEqual(['leader here', 'leader']);
    await log.close();
  });
});
