import { setTimeout as sleep } from 'node:timers/promises';
import {
  type API,
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  createPartitionsV3,
  createTopicsV7,
  deleteGroupsV2,
  deleteRecordsV2,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  describeProducersV0,
  describeTransactionsV0,
  endTxnV3,
  findCoordinatorV4,
  heartbeatV4,
  initProducerIdV5,
  joinGroupV8,
  leaveGroupV5,
  listOffsetsV7,
  listTransactionsV0,
  metadataV12,
  ProtocolError,
  ResponseError,
  syncGroupV5,
  txnOffsetCommitV4,
} from '@platformatic/kafka';
import { vi } from 'vitest';
import type { Address } from '../../../connectors/kafka/connection/address.js';
import { BrokerConnection } from '../../../connectors/kafka/connection/broker-connection.js';
import { type KafkaOptions, openKafka } from '../../../connectors/kafka/open.js';
import { featuresApi } from '../../../connectors/kafka/protocol/features.js';
import { fetchApi } from '../../../connectors/kafka/protocol/fetch.js';
import { groupOffsetsApi } from '../../../connectors/kafka/protocol/group-offsets.js';
import { type ProduceRequest, produceApi, produceInOwnEpochApi } from '../../../connectors/kafka/protocol/produce.js';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { commitOffsetsInOwnEpochApi, endInOwnEpochApi } from '../../../connectors/kafka/protocol/transactions.js';
import { localRegistry } from '../../../src/schema/index.js';
import { getOrInsert } from '../../../src/util/maps.js';
import { MemoryLog } from './memory-log.js';

interface Topic {
  readonly id: string;
  readonly replication: number;
  readonly configs: Map<string, string>;
  readonly logs: MemoryLog[];
}

interface MemoryTransaction {
  readonly producerId: bigint;
  epoch: number;
  /** The epoch before the broker raised it itself, since the transaction took too long. */
  timedOutEpoch: number;
  state: 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort';
  readonly timeoutMs: number;
  startedMs: number;
  readonly partitions: Set<MemoryLog>;
  /** Offsets that the commit publishes, by group. */
  readonly offsets: Map<string, Map<string, number>>;
}

interface MemoryGroup {
  readonly offsets: Map<string, number>;
  readonly members: Map<string, Buffer>;
  generation: number;
}

const ONE: Address = { host: 'one', port: 9092 };
/** Coordinates transactions and groups, and leads every second partition. */
const TWO: Address = { host: 'two', port: 9092 };
const BROKERS = [ONE, TWO];
const ADDRESSES = ['one:9092', 'two:9092'];
const DEFAULTS: Readonly<Record<string, string>> = { 'cleanup.policy': 'delete', 'max.message.bytes': '1048588' };
const BROKER_SETTINGS = { 'default.replication.factor': '1', 'offsets.topic.replication.factor': '3' };

/**
 * Two brokers in memory. They answer the requests of this connector as Kafka does, and check what Kafka checks: who leads and
 * coordinates, epochs, sequence numbers, and which partitions a transaction has. `restoreAllMocks` ends them.
 *
 * @example
 * const brokers = memoryKafka();
 * const kafka = await brokers.connect();
 */
export function memoryKafka({ ownEpochs = false }: { readonly ownEpochs?: boolean } = {}) {
  const topics = new Map<string, Topic>();
  const transactions = new Map<string, MemoryTransaction>();
  const groups = new Map<string, MemoryGroup>();
  /** Error codes of topics that are there, as metadata says them. */
  const unseen = new Map<string, number>();
  const faults: { readonly api: unknown; readonly error: Error; readonly after: boolean }[] = [];
  const asked: { readonly api: unknown; readonly args: readonly unknown[] }[] = [];
  let ids = 0;
  let at = ONE;

  const answers = new Map<unknown, (...args: never[]) => unknown>();
  const on = <Args extends unknown[]>(api: API<Args, unknown>, answer: (...args: Args) => unknown) =>
    answers.set(api, answer);

  const refuse = (name: string): never => {
    throw new ProtocolError(name);
  };
  const topicOf = (name: string): Topic => topics.get(name) ?? refuse('UNKNOWN_TOPIC_OR_PARTITION');
  const logOf = (name: string, partition: number): MemoryLog =>
    topicOf(name).logs[partition] ?? refuse('UNKNOWN_TOPIC_OR_PARTITION');
  const ledLog = (name: string, partition: number): MemoryLog => {
    const log = logOf(name, partition);
    return at === BROKERS[partition % 2] ? log : refuse('NOT_LEADER_OR_FOLLOWER');
  };
  const coordinated = () => void (at === TWO || refuse('NOT_COORDINATOR'));
  /** Groups with a partition whose offset a transaction is about to change: `group topic/partition`. */
  const pending = new Set<string>();
  const unstable = (group: string, place: string) => (pending.has(`${group} ${place}`) ? 88 : 0);
  const groupOf = (name: string): MemoryGroup =>
    getOrInsert(groups, name, (): MemoryGroup => ({ offsets: new Map(), members: new Map(), generation: 0 }));
  const transactionOf = (id: string, producerId: bigint, epoch: number): MemoryTransaction => {
    coordinated();
    const transaction = transactions.get(id);
    if (transaction?.producerId !== producerId) return refuse('INVALID_PRODUCER_ID_MAPPING');
    return transaction.epoch === epoch ? transaction : refuse('INVALID_PRODUCER_EPOCH');
  };
  const add = (transaction: MemoryTransaction, log?: MemoryLog) => {
    if (transaction.state !== 'Ongoing') transaction.startedMs = Date.now();
    transaction.state = 'Ongoing';
    if (log) transaction.partitions.add(log);
  };
  const finish = (transaction: MemoryTransaction, isCommit: boolean) => {
    for (const log of transaction.partitions) log.finish(transaction.producerId, isCommit ? 'commit' : 'abort');
    if (isCommit)
      for (const [group, offsets] of transaction.offsets)
        for (const [place, offset] of offsets) groupOf(group).offsets.set(place, offset);
    transaction.partitions.clear();
    transaction.offsets.clear();
    transaction.state = isCommit ? 'CompleteCommit' : 'CompleteAbort';
  };

  on(metadataV12.api, (names) => ({
    brokers: BROKERS.map((address, index) => ({ nodeId: index + 1, ...address })),
    topics: (names ?? []).map((name) => {
      const topic = topics.get(name);
      const errorCode = unseen.get(name);
      if (errorCode !== undefined) return { name, topicId: '', errorCode, partitions: [] };
      if (!topic) return { name, topicId: '', errorCode: 3, partitions: [] };
      const partitions = topic.logs.map(({ leaderEpoch }, partitionIndex) => ({
        ...{ partitionIndex, leaderId: (partitionIndex % 2) + 1, leaderEpoch },
        replicaNodes: Array(topic.replication).fill(1),
      }));
      return { name, topicId: topic.id, errorCode: 0, partitions };
    }),
  }));
  on(findCoordinatorV4.api, (_type, keys) => ({ coordinators: keys.map((key) => ({ key, errorCode: 0, ...TWO })) }));
  on(featuresApi, () => new Map(ownEpochs ? [['transaction.version', 2]] : []));
  on(createTopicsV7.api, ([wanted]) => {
    if (wanted === undefined || topics.has(wanted.name)) return refuse('TOPIC_ALREADY_EXISTS');
    topics.set(wanted.name, {
      id: `id-${++ids}`,
      replication: wanted.replicationFactor < 0 ? 2 : wanted.replicationFactor,
      configs: new Map([
        ...Object.entries(DEFAULTS),
        ...wanted.configs.map(({ name, value }) => [name, value ?? ''] as const),
      ]),
      logs: Array.from({ length: wanted.numPartitions }, () => new MemoryLog(0)),
    });
    return {};
  });
  on(createPartitionsV3.api, ([wanted]) => {
    const { name = '', count = 0 } = wanted ?? {};
    const { logs } = topicOf(name);
    if (count <= logs.length) refuse('INVALID_PARTITIONS');
    while (logs.length < count) logs.push(new MemoryLog(0));
    return {};
  });
  on(deleteTopicsV6.api, ([wanted]) => topics.delete(wanted?.name ?? '') || refuse('UNKNOWN_TOPIC_OR_PARTITION'));
  on(describeConfigsV4.api, (resources) => ({
    results: resources.map(({ resourceName, configurationKeys }) => {
      const all = topics.get(resourceName)?.configs ?? new Map(Object.entries(BROKER_SETTINGS));
      const configs = [...all].filter(([name]) => configurationKeys?.includes(name));
      return { errorCode: 0, resourceName, configs: configs.map(([name, value]) => ({ name, value })) };
    }),
  }));
  on(listOffsetsV7.api, (_replica, isolation, asked) => {
    const errors: Record<string, [number, null]> = {};
    const offsetOf = (name: string, partition: number, timestamp: bigint): bigint => {
      const log = ledLog(name, partition);
      const end = isolation === 0 ? log.end : log.stable;
      return BigInt(timestamp === -1n ? end : timestamp === -2n ? log.start : log.offsetAt(Number(timestamp)));
    };
    const topics = asked.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => {
        try {
          return { partitionIndex, errorCode: 0, offset: offsetOf(name, partitionIndex, timestamp) };
        } catch (error) {
          const errorCode = Number((error as ProtocolError).apiCode);
          errors[`/${name}/${partitionIndex}`] = [errorCode, null];
          return { partitionIndex, errorCode, offset: -1n };
        }
      }),
    }));
    if (Object.keys(errors).length > 0) throw new ResponseError(2, 7, errors, { topics });
    return { topics };
  });
  on(deleteRecordsV2.api, ([wanted]) => {
    for (const { partitionIndex, offset } of wanted?.partitions ?? [])
      ledLog(wanted?.name ?? '', partitionIndex).deleteBefore(Number(offset));
    return {};
  });
  on(fetchApi, async ({ topicId, partition, offset, bytesMax }) => {
    const [name = ''] = [...topics].find(([, { id }]) => id === topicId) ?? refuse('UNKNOWN_TOPIC_ID');
    const log = ledLog(name, partition);
    if (offset === log.stable) await sleep(1);
    const nothing = { throttleTimeMs: 0, preferredReplica: -1 };
    return { ...nothing, highWatermark: log.end, stableOffset: log.stable, ...log.read(offset, bytesMax) };
  });
  const produce = ({ transactionalId, batches }: ProduceRequest) => {
    for (const { topic, partition, bytes } of batches) {
      const log = ledLog(topic, partition);
      if (bytes.length > Number(topicOf(topic).configs.get('max.message.bytes'))) refuse('MESSAGE_TOO_LARGE');
      if (transactionalId !== null) {
        const transaction = transactions.get(transactionalId);
        if (transaction?.epoch !== bytes.readInt16BE(batch.producerEpoch)) return refuse('INVALID_PRODUCER_EPOCH');
        if (ownEpochs) add(transaction, log);
        else if (!transaction.partitions.has(log)) refuse('INVALID_TXN_STATE');
      }
      log.append(bytes);
    }
    return {};
  };
  on(produceApi, produce);
  on(produceInOwnEpochApi, (request) => (ownEpochs ? produce(request) : refuse('UNSUPPORTED_VERSION')));
  on(initProducerIdV5.api, (transactionalId, timeoutMs, producerId, producerEpoch) => {
    if (!transactionalId) return { producerId: BigInt(++ids), producerEpoch: 0 };
    coordinated();
    const before = transactions.get(transactionalId);
    const isOwner = before?.epoch === producerEpoch || before?.timedOutEpoch === producerEpoch;
    if (before && producerId >= 0n && !isOwner) refuse('PRODUCER_FENCED');
    if (before?.state === 'Ongoing') finish(before, false);
    const next: MemoryTransaction = {
      producerId: before?.producerId ?? BigInt(++ids),
      epoch: (before?.epoch ?? -1) + 1,
      timedOutEpoch: -2,
      state: before?.state ?? 'Empty',
      ...{ timeoutMs, startedMs: 0, partitions: new Set<MemoryLog>(), offsets: new Map() },
    };
    transactions.set(transactionalId, next);
    return { producerId: next.producerId, producerEpoch: next.epoch };
  });
  on(addPartitionsToTxnV3.api, (all) => {
    for (const { transactionalId, producerId, producerEpoch, topics: named } of all)
      for (const { name, partitions } of named)
        for (const partition of partitions)
          add(transactionOf(transactionalId, producerId, producerEpoch), logOf(name, partition));
    return {};
  });
  on(addOffsetsToTxnV3.api, (transactionalId, producerId, producerEpoch, group) => {
    const transaction = transactionOf(transactionalId, producerId, producerEpoch);
    add(transaction);
    getOrInsert(transaction.offsets, group, () => new Map());
    return {};
  });
  const commitOffsets: (...args: Parameters<typeof txnOffsetCommitV4.createRequest>) => unknown = (
    ...[transactionalId, group, producerId, producerEpoch, _generation, _member, _instance, named]
  ) => {
    const transaction = transactionOf(transactionalId, producerId, producerEpoch);
    if (ownEpochs) add(transaction);
    else if (!transaction.offsets.has(group)) refuse('INVALID_TXN_STATE');
    const offsets = getOrInsert(transaction.offsets, group, () => new Map());
    for (const { name, partitions } of named)
      for (const { partitionIndex, committedOffset } of partitions)
        offsets.set(`${name}/${partitionIndex}`, Number(committedOffset));
    return {};
  };
  on(txnOffsetCommitV4.api, commitOffsets);
  on(commitOffsetsInOwnEpochApi, commitOffsets);
  on(endTxnV3.api, (transactionalId, producerId, producerEpoch, isCommit) => {
    finish(transactionOf(transactionalId, producerId, producerEpoch), isCommit);
    return {};
  });
  on(endInOwnEpochApi, (transactionalId, producerId, producerEpoch, isCommit) => {
    const transaction = transactionOf(transactionalId, producerId, producerEpoch);
    finish(transaction, isCommit);
    transaction.epoch += 1;
    return { producerId, producerEpoch: transaction.epoch };
  });
  on(describeTransactionsV0.api, ([id = '']) => {
    coordinated();
    const { state = 'Empty', timeoutMs = 0, startedMs = 0 } = transactions.get(id) ?? {};
    const described = { transactionState: state, transactionTimeoutMs: timeoutMs };
    return { transactionStates: [{ ...described, transactionStartTimeMs: BigInt(startedMs) }] };
  });
  on(listTransactionsV0.api, (_states, [producerId]) => ({
    transactionStates: [...transactions].flatMap(([transactionalId, transaction]) =>
      at === TWO && transaction.producerId === producerId ? [{ transactionalId }] : [],
    ),
  }));
  on(describeProducersV0.api, ([wanted]) => {
    const log = ledLog(wanted?.name ?? '', wanted?.partitionIndexes[0] ?? 0);
    const activeProducers = [...log.open].map(([producerId, { epoch, firstOffset }]) => ({
      ...{ producerId, producerEpoch: epoch, currentTxnStartOffset: BigInt(firstOffset) },
    }));
    const idle = { producerId: 99n, producerEpoch: 0, currentTxnStartOffset: -1n };
    return { topics: [{ partitions: [{ activeProducers: [idle, ...activeProducers] }] }] };
  });
  on(groupOffsetsApi, (wanted) => {
    coordinated();
    const topicsOf = (groupId: string) =>
      [...(groups.get(groupId)?.offsets ?? [])].map(([place, offset]) => {
        const [name = '', partition] = place.split('/');
        return {
          name,
          partitions: [
            { partitionIndex: Number(partition), committedOffset: BigInt(offset), errorCode: unstable(groupId, place) },
          ],
        };
      });
    return { groups: wanted.map(({ groupId }) => ({ groupId, topics: topicsOf(groupId) })) };
  });
  on(describeGroupsV5.api, ([name = '']) => {
    coordinated();
    return { groups: [{ members: [...(groups.get(name)?.members ?? [])] }] };
  });
  on(deleteGroupsV2.api, ([name = '']) => {
    coordinated();
    if ((groups.get(name)?.members.size ?? 0) > 0) refuse('NON_EMPTY_GROUP');
    return groups.delete(name) || refuse('GROUP_ID_NOT_FOUND');
  });
  // Groups of one member, which leads.
  on(joinGroupV8.api, (name, _session, _rebalance, given, _instance, _type, [protocol]) => {
    coordinated();
    const group = groupOf(name);
    const memberId = given || `member-${++ids}`;
    group.members.set(memberId, protocol?.metadata as Buffer);
    const members = [...group.members].map(([id, metadata]) => ({ memberId: id, metadata }));
    return { generationId: ++group.generation, memberId, leader: memberId, members };
  });
  on(syncGroupV5.api, (_group, _generation, memberId, _instance, _type, _protocol, assignments) => ({
    assignment: assignments.find((each) => each.memberId === memberId)?.assignment,
  }));
  on(heartbeatV4.api, () => ({}));
  on(leaveGroupV5.api, (name, members) => {
    for (const { memberId } of members) groups.get(name)?.members.delete(memberId);
    return {};
  });

  vi.spyOn(BrokerConnection, 'open').mockImplementation((async (address: Address) => ({
    ...{ isConnected: true, isDue: false, heldForMs: 0, idle: async () => undefined, close: async () => undefined },
    async send(api: unknown, ...args: never[]) {
      await undefined;
      asked.push({ api, args });
      const found = faults.findIndex((fault) => fault.api === api);
      const fault = faults[found];
      if (fault) faults.splice(found, 1);
      if (fault?.after === false) throw fault.error;
      at = BROKERS.find(({ host }) => host === address.host) as Address;
      const answer = await answers.get(api)?.(...args);
      if (fault) throw fault.error;
      return answer;
    },
  })) as never);

  return {
    addresses: ADDRESSES,
    connect: (options: Partial<KafkaOptions> = {}) =>
      openKafka({ brokers: ADDRESSES, registry: localRegistry(), ...options }),
    topics,
    unseen,
    transactions,
    groupOf,
    pending,
    /** The next request of this kind fails: before the broker takes it, or with its answer lost. */
    fail: (api: API<never, unknown>, error: Error, after = false) => faults.push({ api, error, after }),
    /** What was asked of this kind, in order. */
    asked: <Args extends unknown[]>(api: API<Args, unknown>) =>
      asked.filter((each) => each.api === api).map(({ args }) => args as Args),
    /** The broker aborts a transaction that takes too long, and fences its producer. */
    timeOut(id: string) {
      const transaction = transactions.get(id) as MemoryTransaction;
      finish(transaction, false);
      transaction.timedOutEpoch = transaction.epoch;
      transaction.epoch += 1;
    },
  };
}
