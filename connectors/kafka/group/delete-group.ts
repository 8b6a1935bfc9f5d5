import { deleteGroupsV2 } from '@platformatic/kafka';
import { retry } from '../../../src/util/retry.js';
import type { Cluster } from '../connection/cluster.js';
import { ConnectionPool } from '../connection/connection-pool.js';
import { brokerError, code, hasCode } from '../protocol/broker-error.js';
import { Coordinator } from './coordinator.js';

/** A killed member is part of the group until its session times out: 10 s, or as configured. */
const WAIT_MAX_MS = 60_000;

/** Deletes a group and its offsets if it exists; waits for dead members whose session has not expired. */
export async function deleteGroup(cluster: Cluster, group: string): Promise<void> {
  const connections = new ConnectionPool(cluster.linkOptions);
  const coordinator = new Coordinator(cluster, connections, 'group', group);
  try {
    await retry(() => coordinator.requestAgain(deleteGroupsV2.api, [group]), {
      retriable: (error) => hasCode(error, code.nonEmptyGroup),
      waitMs: 200,
      waitMaxMs: 2_000,
      totalMs: WAIT_MAX_MS,
    });
  } catch (error) {
    if (!hasCode(error, code.groupIdNotFound)) throw brokerError('state', `cannot delete group '${group}'`, error);
  } finally {
    await connections.close();
  }
}
