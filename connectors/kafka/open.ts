import type { CheckpointStore, LogEnd, LogPoint, TaskId, TaskLedger } from '../../src/core/checkpoint.js';
import type { Finding } from '../../src/core/connector.js';
import type { Duration } from '../../src/core/duration.js';
import { MillraceError } from '../../src/core/errors.js';
import { INTERNAL } from '../../src/core/internal.js';
import type { GroupMember, Membership, TopicProducer } from '../../src/core/profile.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import { type ConfigMismatch, mismatchText, type SinkDriver } from '../../src/core/sink.js';
import type { Source, SourceDriver } from '../../src/core/source.js';
import { Admin, type TopicSettings } from './admin.js';
import { ensureChangelog } from './checkpoint/changelog-topic.js';
import { kafkaCheckpoints } from './checkpoint/checkpoints.js';
import { kafkaInternalSink, kafkaInternalSource } from './checkpoint/internal-topic.js';
import { KafkaLedger } from './checkpoint/ledger.js';
import { ChangelogFollower } from './checkpoint/read-changelog.js';
import { type Restored, Restorer } from './checkpoint/restorer.js';
import { Standbys } from './checkpoint/standby.js';
import { namesOf, type TaskNames, TaskSessions } from './checkpoint/task-session.js';
import { Cluster, type ClusterOptions, noTopic } from './connection/cluster.js';
import { examineKafka } from './examine.js';
import { deleteGroup } from './group/delete-group.js';
import { GroupOffsets } from './group/group-offsets.js';
import { GroupMembership, removeGroupMember } from './group/membership.js';
import type { TaskLease } from './group/task-lease.js';
import { holderText, holdingTransaction } from './open-transactions.js';
import { KafkaProducer } from './producer.js';
import { kafkaSource } from './source.js';
import type { Compression } from './topic-options.js';
import { kafkaTopicSink } from './topic-sink.js';
import { Transaction } from './transaction.js';

export interface KafkaOptions extends ClusterOptions {
  readonly registry: SchemaRegistry;
  /** The key that encrypts dead letters, if their sink requires it. */
  readonly letterKey?: Buffer | undefined;
  /** The prefix of transactional ids, groups and changelog topics; `millrace` by default. */
  readonly prefix?: string;
  /** The broker aborts an epoch that takes longer; 60 s by default, at most the broker's `transaction.max.timeout.ms`. */
  readonly transactionTimeout?: Duration;
  /** A process that sends no heartbeat for this long loses its tasks; 10 s by default. The broker's minimum is 6 s. */
  readonly sessionTimeout?: Duration;
  /** How often a task deletes the records of a repartition topic that it has read; 30 s by default. */
  readonly releaseEvery?: Duration;
  /**
   * The number of standbys of each task: other processes that follow its changelog, so that one of them can take it over at once; 0
   * by default. It must be the same in all processes of a group. Memory: the stored state of the tasks that a process follows.
   */
  readonly standbys?: number;
  /** Replicas of created topics that do not define it; the broker's default if missing. */
  readonly replication?: number;
  /** How long an open transaction may hold an input back until a run warns of it; 60 s by default. */
  readonly openTransactionWarnAfter?: Duration;
  /** Compression of changelogs, repartition topics, and outputs that do not define it; none by default. */
  readonly compression?: Compression;
  /** Called after the state of a task was read. */
  onRestored?(restored: Restored): void;
  /** Called with problems that were resolved. */
  onWarning?(message: string): void;
}

/** A Kafka cluster for a topology: inputs, outputs and checkpoints. */
export interface Kafka {
  readonly source: SourceDriver;
  /** The driver of `kafka.sink`, `kafka.upsertSink` and `kafka.deadLetterSink`. */
  readonly topicSink: SinkDriver;
  /** The drivers of repartition topics: the connector `internal` of a profile. */
  readonly internal: { readonly source: SourceDriver; readonly sink: SinkDriver };
  openLedger(task: TaskId): Promise<TaskLedger>;
  readonly checkpoints: CheckpointStore;
  /** Joins the group of processes that share a topology's tasks; without it every task may be opened here. */
  join(member: GroupMember): Promise<Membership>;
  /** Gives the tasks of a dead process to others at once; `memberId` is that of `onJoined`. */
  removeMember(topology: string, memberId: string): Promise<void>;
  producer(): TopicProducer;
  /** Creates a topic if it is missing; see `Admin.createTopic`. */
  createTopic(topic: string, partitions: number, settings?: TopicSettings): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Deletes what is stored of a stopped topology: its changelog, and its group with its offsets. */
  forget(topology: string): Promise<void>;
  /** The end offset of each partition for readers of committed records. */
  endOffsets(topic: string): Promise<readonly number[]>;
  /** The end of each partition, also beyond the last stable offset. */
  logEnds(topic: string): Promise<readonly LogEnd[]>;
  /** The offset of a point of the log in each partition. */
  offsetsAt(topic: string, point: LogPoint): Promise<readonly number[]>;
  /** For `millrace doctor`. */
  examine(): Promise<readonly Finding[]>;
  /** The time that brokers have delayed this client because of quotas since it was opened, in milliseconds. */
  throttledMs(): number;
  /** Aborts open transactions and closes all connections. */
  close(): Promise<void>;
}

const THROTTLED =
  'the brokers make this client wait: it exceeds a quota (see kafka-configs --describe --entity-type clients)';
const IN_THE_CLEAR = 'the login goes over the network in the clear: turn TLS on (kafkaTls), or log in by SCRAM';
const TRANSACTION_TIMEOUT_MS = 60_000;
const SESSION_TIMEOUT_MS = 10_000;
const RELEASE_EVERY_MS = 30_000;

/** A group without other members accepts one at once, so a slower join means that there are others. */
const SLOW_JOIN_MS = 2_000;

const slowGroup = (topology: string, sessionTimeoutMs: number): string =>
  `the group of '${topology}' waits for a process that does not answer; one that was killed is put out after ` +
  `${Math.ceil(sessionTimeoutMs / 1_000)} s, then tasks begin`;

/**
 * Connects to a Kafka cluster on which a topology runs exactly-once: outputs, state, positions and group offsets of an epoch are
 * one transaction.
 *
 * Opening a task takes it over from its previous owner, which fails with `fenced` at its next commit. Needs brokers of version 3.1
 * or later. Memory per task: two fetched ranges of 2 MiB per input, and 16 MiB of unacknowledged output. During a restore also the
 * stored state, and two ranges of 4 MiB for each of the four changelogs that are read at a time.
 *
 * @throws MillraceError `config` if no broker answers.
 * @example const kafka = await openKafka({ brokers: ['127.0.0.1:9092'], registry: confluentRegistry({ url }) }); const profile = {
 * sources: { kafka: kafka.source }, sinks: { kafka: kafka.topicSink }, openLedger: kafka.openLedger };
 */
export async function openKafka(options: KafkaOptions): Promise<Kafka> {
  const { registry, prefix = 'millrace', compression } = options;
  const { transactionTimeout = TRANSACTION_TIMEOUT_MS, sessionTimeout = SESSION_TIMEOUT_MS } = options;
  const cluster = await Cluster.open({ onThrottled: () => options.onWarning?.(THROTTLED), ...options });
  const warn = (mismatch: ConfigMismatch) => options.onWarning?.(mismatchText(mismatch));
  if (inTheClear(options)) options.onWarning?.(IN_THE_CLEAR);
  const admin = new Admin(cluster, options.replication);
  const begin = ({ transactionalId, group }: Pick<TaskNames, 'transactionalId' | 'group'>, lease?: TaskLease) =>
    new Transaction(cluster, { transactionalId, group, timeoutMs: transactionTimeout, lease, compression });
  const sessions = new TaskSessions(prefix, begin);
  const topicSink = kafkaTopicSink(
    cluster,
    admin,
    sessions,
    registry,
    (message) => options.onWarning?.(message),
    options.letterKey,
  );
  const source = kafkaSource(
    cluster,
    sessions,
    (message) => options.onWarning?.(message),
    options.openTransactionWarnAfter,
  );
  const producers: KafkaProducer[] = [];
  const memberships = new Map<string, GroupMembership>();
  const restorer = new Restorer(cluster, (restored) => options.onRestored?.(restored));
  const groupOffsets = new GroupOffsets(cluster);

  return {
    source,
    topicSink: {
      ...topicSink,
      async setUp(sink, context) {
        const { topology, partitions } = context;
        await ensureChangelog(admin, namesOf(prefix, { topology, partition: 0 }).changelog, partitions);
        await topicSink.setUp?.(sink, context);
      },
    },
    internal: {
      source: kafkaInternalSource(cluster, source, options.releaseEvery ?? RELEASE_EVERY_MS),
      sink: kafkaInternalSink(cluster, admin, sessions, registry, warn),
    },
    async openLedger(task) {
      await ensureChangelog(admin, namesOf(prefix, task).changelog, task.partition + 1);
      const lease = await memberships.get(task.topology)?.claim(task.partition);
      const session = sessions.create(task, lease);
      return new KafkaLedger(groupOffsets, session, restorer);
    },
    checkpoints: kafkaCheckpoints(cluster, admin, prefix, (names) => begin(names)),
    async join({ topology, sources, tasks, version, address, onAssigned, onJoined, onFailed, ...pausing }) {
      const topics = [...new Set(sources.filter(isTopic).map(({ topic }) => topic))];
      // Inputs that are not topics have tasks as well: the group assigns task numbers.
      if (topics[0] !== undefined && !(await cluster.topic(topics[0]))) {
        throw new MillraceError('config', 'no source is a topic that exists', { where: topology });
      }
      const { group, changelog } = namesOf(prefix, { topology, partition: 0 });
      const standbys = new Standbys({
        async open(task) {
          await ensureChangelog(admin, changelog, task + 1); // its owner may not have created it yet
          return ChangelogFollower.open(cluster, changelog, task);
        },
        onWarning: (message) => options.onWarning?.(message),
      });
      restorer.use(topology, standbys);
      const membership = new GroupMembership(cluster, {
        group,
        // An assignment names topics. If no input is a topic, the changelog has one partition per task.
        topics: topics.length > 0 ? topics : [changelog],
        tasks,
        version,
        sessionTimeoutMs: sessionTimeout,
        standbysMax: options.standbys ?? 0,
        standbys,
        address,
        ...pausing,
        onAssigned,
        onJoined: (memberId) => onJoined?.(memberId),
        onWarning: (message) => options.onWarning?.(message),
        onFailed,
      });
      memberships.set(topology, membership); // before a task of it opens
      const slow = setTimeout(() => options.onWarning?.(slowGroup(topology, sessionTimeout)), SLOW_JOIN_MS);
      try {
        await membership.join();
      } finally {
        clearTimeout(slow);
      }
      return membership;
    },
    removeMember: (topology, memberId) =>
      removeGroupMember(cluster, namesOf(prefix, { topology, partition: 0 }).group, memberId),
    producer() {
      const producer = new KafkaProducer(cluster, admin, compression);
      producers.push(producer);
      return producer;
    },
    createTopic: (topic, partitions, settings) => admin.createTopic(topic, partitions, settings),
    deleteTopic: (topic) => admin.deleteTopic(topic),
    async forget(topology) {
      const { changelog, group } = namesOf(prefix, { topology, partition: 0 });
      await admin.deleteTopic(changelog);
      await deleteGroup(cluster, group);
    },
    endOffsets: (topic) => offsetsAt(cluster, topic, 'latest'),
    logEnds: (topic) => logEnds(cluster, topic),
    offsetsAt: (topic, point) => offsetsAt(cluster, topic, point),
    examine: () => examineKafka(cluster, admin),
    throttledMs: () => cluster.throttle.totalMs,
    async close() {
      await sessions.close();
      await Promise.all([...memberships.values()].map((membership) => membership.leave()));
      await restorer.close();
      await Promise.all(producers.map((producer) => producer.close()));
      await Promise.all([admin.close(), cluster.close()]);
    },
  };
}

/** SCRAM proves the knowledge of the password without sending it. */
const inTheClear = ({ tls, sasl }: ClusterOptions): boolean =>
  tls === undefined && (sasl?.mechanism === 'plain' || sasl?.mechanism === 'oauthbearer');

const isTopic = ({ connector }: Source<unknown>): boolean => connector === 'kafka' || connector === INTERNAL;

async function offsetsAt(cluster: Cluster, topic: string, point: LogPoint): Promise<readonly number[]> {
  const found = await cluster.refresh(topic);
  if (!found) throw noTopic(topic);
  return Promise.all(
    found.leaders.map((_, partition) => {
      if (point === 'earliest') return cluster.startOffset(topic, partition);
      if (point === 'latest') return cluster.endOffset(topic, partition, 'committed');
      return cluster.offsetAt(topic, partition, point.timestampMs);
    }),
  );
}

async function logEnds(cluster: Cluster, topic: string): Promise<readonly LogEnd[]> {
  const stable = await offsetsAt(cluster, topic, 'latest');
  return Promise.all(
    stable.map(async (stableEnd, partition): Promise<LogEnd> => {
      const end = Math.max(stableEnd, await cluster.endOffset(topic, partition, 'any'));
      const holder = end > stableEnd ? await holdingTransaction(cluster, topic, partition) : undefined;
      if (holder === undefined) return { end, stableEnd };
      const { address } = await cluster.leader(topic, partition);
      return { end, stableEnd, heldBy: holderText(holder, topic, partition, address) };
    }),
  );
}
