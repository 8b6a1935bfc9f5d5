import { ResponseError } from '@platformatic/kafka';
import { getOrInsert } from '../../../src/util/maps.js';
import { retry } from '../../../src/util/retry.js';
import type { Cluster } from '../connection/cluster.js';
import { ConnectionPool } from '../connection/connection-pool.js';
import { inRounds } from '../connection/in-rounds.js';
import { brokerError, isBusy } from '../protocol/broker-error.js';
import { groupOffsetsApi } from '../protocol/group-offsets.js';
import type { GroupOffset } from '../transaction.js';
import { Coordinator } from './coordinator.js';

/** The pause before a partition is asked for again whose offset a transaction is about to change. */
const BACK_OFF = { waitMs: 2, waitMaxMs: 250 };

/**
 * The offsets of consumer groups, read for the tasks of this process together. Other tasks of a group commit while one is opened, so
 * a task waits for the transactions of its own partition only.
 */
export class GroupOffsets {
  private readonly groups = new Map<string, (partition: number) => Promise<readonly GroupOffset[]>>();

  constructor(private readonly cluster: Cluster) {}

  /** The stable offsets of a partition, in all topics that the group has read. */
  async of(group: string, partition: number): Promise<readonly GroupOffset[]> {
    const ask = getOrInsert(this.groups, group, () => inRounds((partitions) => this.ask(group, partitions)));
    try {
      return await retry(() => ask(partition), {
        ...BACK_OFF,
        totalMs: this.cluster.apiTimeoutMs,
        retriable: isBusy,
      });
    } catch (error) {
      throw brokerError('state', `cannot read the offsets of group '${group}'`, error);
    }
  }

  private async ask(groupId: string, asked: readonly number[]): Promise<(readonly GroupOffset[] | Error)[]> {
    const connections = new ConnectionPool(this.cluster.linkOptions);
    try {
      const coordinator = new Coordinator(this.cluster, connections, 'group', groupId);
      const wanted = [{ groupId, memberEpoch: -1, topics: null }];
      const { groups } = await coordinator.requestAgain(groupOffsetsApi, wanted, true);
      const found = new Map<number, GroupOffset[]>();
      const refused = new Map<number, number>();
      for (const { name, partitions } of groups.flatMap(({ topics }) => topics)) {
        for (const { partitionIndex: partition, committedOffset, errorCode } of partitions) {
          if (errorCode !== 0) refused.set(partition, errorCode);
          getOrInsert(found, partition, () => []).push({ topic: name, partition, offset: Number(committedOffset) });
        }
      }
      return asked.map((partition) => {
        const errorCode = refused.get(partition);
        if (errorCode === undefined) return found.get(partition) ?? [];
        return new ResponseError(groupOffsetsApi.key, groupOffsetsApi.version, { '/': [errorCode, null] }, undefined);
      });
    } finally {
      await connections.close();
    }
  }
}
