import { describeGroupsV5 } from '@platformatic/kafka';
import {
  type Checkpoint,
  type CheckpointStore,
  EARLIEST,
  type Position,
  type TaskId,
} from '../../../src/core/checkpoint.js';
import { MillraceError } from '../../../src/core/errors.js';
import { stepOfPosition } from '../../../src/core/source.js';
import { counted } from '../../../src/util/counted.js';
import type { Admin } from '../admin.js';
import { type Cluster, noTopic } from '../connection/cluster.js';
import { ConnectionPool } from '../connection/connection-pool.js';
import { Coordinator } from '../group/coordinator.js';
import { brokerError } from '../protocol/broker-error.js';
import type { GroupOffset, Transaction } from '../transaction.js';
import { changeRecord, checkpointRecord, type InputTopic } from './changelog.js';
import { ensureChangelog } from './changelog-topic.js';
import { readChangelog } from './read-changelog.js';
import { namesOf } from './task-session.js';

/** Begins a transaction under a task's transactional id, as its owner would. */
export type BeginTransaction = (names: { readonly transactionalId: string; readonly group: string }) => Transaction;

/** The checkpoints on a cluster, for tools: reads the last commit, and replaces it under the task's transactional id. */
export function kafkaCheckpoints(
  cluster: Cluster,
  admin: Admin,
  prefix: string,
  begin: BeginTransaction,
): CheckpointStore {
  const inspect = async (task: TaskId) => {
    const { changelog } = namesOf(prefix, task);
    const topic = await cluster.refresh(changelog);
    if (!topic || task.partition >= topic.leaders.length) return { checkpoint: undefined, state: [], topics: {} };
    const end = await cluster.endOffset(changelog, task.partition, 'committed');
    const { stored, state } = await readChangelog(cluster, changelog, task.partition, end);
    const topics = Object.entries(stored?.inputs ?? {}).map(([step, input]) => [step, input.topic] as const);
    return { checkpoint: stored?.checkpoint, state, topics: Object.fromEntries(topics) };
  };

  return {
    inspect,

    async tasks(topology) {
      const topic = await cluster.refresh(namesOf(prefix, { topology, partition: 0 }).changelog);
      const found: number[] = [];
      for (let partition = 0; partition < (topic?.leaders.length ?? 0); partition++) {
        if ((await inspect({ topology, partition })).checkpoint) found.push(partition);
      }
      return found;
    },

    async mustBeStopped(topology) {
      const { group } = namesOf(prefix, { topology, partition: 0 });
      const members = await membersOf(cluster, group);
      if (members === 0) return;
      throw new MillraceError(
        'config',
        `${counted(members, 'process', 'processes')} ${members === 1 ? 'runs' : 'run'} the topology`,
        {
          where: topology,
          hint: 'stop them first; a killed one is removed after its session timeout, 10 s by default',
        },
      );
    },

    async replace(task, { checkpoint: given, state, topics }) {
      const checkpoint = withoutEpochs(given, topics);
      const names = namesOf(prefix, task);
      const { partition } = task;
      await ensureChangelog(admin, names.changelog, partition + 1);
      const inputs = await inputsOf(cluster, topics);
      const transaction = begin(names);
      try {
        await transaction.begin();
        const end = await cluster.endOffset(names.changelog, partition, 'any');
        const before = await readChangelog(cluster, names.changelog, partition, end);
        const kept = new Set(state.map(({ step, cell, bucket }) => `${step}/${cell}/${bucket}`));
        const gone = before.state
          .filter(({ step, cell, bucket }) => !kept.has(`${step}/${cell}/${bucket}`))
          .map((change) => ({ ...change, bytes: null }));
        const nowMs = Date.now();
        for (const change of [...gone, ...state]) {
          transaction.add(names.changelog, partition, changeRecord(change, nowMs));
          if (transaction.congested) await transaction.settle();
        }
        transaction.add(names.changelog, partition, checkpointRecord({ checkpoint, inputs }, nowMs));
        await transaction.commit(groupOffsets(partition, checkpoint.positions, topics));
      } finally {
        await transaction.close();
      }
    },
  };
}

/** What a tool restores may come from another cluster, whose leader epochs say nothing here. */
const withoutEpochs = <C extends Checkpoint>(checkpoint: C, topics: Readonly<Record<string, string>>): C => ({
  ...checkpoint,
  positions: Object.fromEntries(
    Object.entries(checkpoint.positions).map(([key, { sourceState, ...position }]) => [
      key,
      stepOfPosition(key) in topics || sourceState === undefined ? position : { ...position, sourceState },
    ]),
  ),
});

function groupOffsets(
  partition: number,
  positions: Readonly<Record<string, Position>>,
  topics: Readonly<Record<string, string>>,
): GroupOffset[] {
  return Object.entries(positions).flatMap(([step, { offset }]) => {
    const topic = topics[step];
    return topic === undefined || offset === EARLIEST ? [] : [{ topic, partition, offset }];
  });
}

async function inputsOf(
  cluster: Cluster,
  topics: Readonly<Record<string, string>>,
): Promise<Record<string, InputTopic>> {
  const inputs: Record<string, InputTopic> = {};
  for (const [step, topic] of Object.entries(topics)) {
    const found = await cluster.topic(topic);
    if (!found) throw noTopic(topic);
    inputs[step] = { topic, topicId: found.topicId };
  }
  return inputs;
}

/** Members of a group, including dead ones whose session has not expired. */
async function membersOf(cluster: Cluster, group: string): Promise<number> {
  const connections = new ConnectionPool(cluster.linkOptions);
  const coordinator = new Coordinator(cluster, connections, 'group', group);
  try {
    const { groups } = await coordinator.requestAgain(describeGroupsV5.api, [group], false);
    return groups[0]?.members.length ?? 0;
  } catch (error) {
    throw brokerError('state', `cannot look up group '${group}'`, error);
  } finally {
    await connections.close();
  }
}
