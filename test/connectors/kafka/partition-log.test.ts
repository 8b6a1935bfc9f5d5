import { ProtocolError } from '@platformatic/kafka';
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
  const nothing = {
    throttleTimeMs: 0,
    preferredReplica: -1,
    highWatermark: 5,
    stableOffset: 5,
    aborted: [],
    bytes: Buffer.alloc(0),
  };
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

  it('refuses an offset beyond the end, where a log was cut or made anew, whatever is to be done about deleted records', async () => {
    const { cluster } = racked(true);
    for (const onDataLoss of [undefined, 'earliest', 'latest'] as const)
      await expect(PartitionLog.open(cluster, 'topic', 0, 6, { onDataLoss })).rejects.toMatchObject({
        code: 'source',
        permanent: true,
        message: 'offset 6 of topic/0 is gone: the log holds 0 to 5',
      });
    const log = await PartitionLog.open(cluster, 'topic', 0, 5); // the end itself: what comes next
    expect(log.offset).toBe(5);
    await log.close();
  });

  it('counts the records of every gap until it is asked', async () => {
    const { cluster } = racked(true);
    const starts = [0, 3, 10, 10];
    const deleted = Object.assign(cluster, {
      startOffset: async () => starts.shift() ?? 10,
      endOffset: async () => 20,
    });
    let failures = 2;
    vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async () => {
      if (failures-- > 0) throw new ProtocolError('OFFSET_OUT_OF_RANGE');
      return {
        throttleTimeMs: 0,
        preferredReplica: -1,
        highWatermark: 20,
        stableOffset: 20,
        aborted: [],
        bytes: Buffer.alloc(0),
      };
    }) as never);
    const log = await PartitionLog.open(deleted, 'topic', 0, 1, { onDataLoss: 'earliest' });
    await log.next();
    expect(log.takeSkipped()).toBe(2 + 7);
    expect(log.takeSkipped()).toBe(0);
    await log.close();
  });
});
