import type { CheckpointStore, LogPoint, TaskId, TaskLedger } from '../../src/core/checkpoint.js';
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
import { deleteGroup } from './group/delete-group.js';
import { GroupMembership, removeGroupMember } from './group/membership.js';
import type { TaskLease } from './group/task-lease.js';
import { KafkaProducer } from './producer.js';
import { kafkaSource } from './source.js';
import type { Compression } from './topic-options.js';
import { kafkaTopicSink } from './topic-sink.js';
import { Transaction } from './transaction.js';

export interface KafkaOptions extends ClusterOptions {
  readonly registry: SchemaRegistry;
  /** With which dead letters are encrypted, where their sink says so. */
  readonly letterKey?: Buffer | undefined;
  /** First part of the names of transactional ids, groups and changelog topics; `millrace` by default. */
  readonly prefix?: string;
  /** An epoch that takes longer is aborted by the broker; 60 s by default, at most its `transaction.max.timeout.ms`. */
  readonly transactionTimeout?: Duration;
  /** A process that is not heard of for this long loses its tasks to others; 10 s by default, the broker's least is 6 s. */
  readonly sessionTimeout?: Duration;
  /** How often a task deletes what it has read of a topic between two sub-topologies; 30 s by default. */
  readonly releaseEvery?: Duration;
  /**
   * How many other processes follow the changelog of each task, so that one of them can take it over at once; 0 by
   * default. The same in all processes of a group. Memory: the stored state of the tasks that a process follows.
   */
  readonly standbys?: number;
  /** Replicas of topics that are created and say nothing else; the broker's default without it. */
  readonly replication?: number;
  /** Of changelogs, topics between sub-topologies, and outputs that do not say otherwise; none by default. */
  readonly compression?: Compression;
  /** Told when the state of a task was read. */
  onRestored?(restored: Restored): void;
  /** Told of what was mended without help. */
  onWarning?(message: string): void;
}

/** One Kafka cluster as a topology's world: inputs, outputs and checkpoints. */
export interface Kafka {
  readonly source: SourceDriver;
  /** Serves `kafka.sink` and `kafka.deadLetterSink`. */
  readonly topicSink: SinkDriver;
  /** Topics between the sub-topologies of a topology: the connector `internal` of a profile. */
  readonly internal: { readonly source: SourceDriver; readonly sink: SinkDriver };
  openLedger(task: TaskId): Promise<TaskLedger>;
  readonly checkpoints: CheckpointStore;
  /** Joins the group of processes that share a topology's tasks; without it every task may be opened here. */
  join(member: GroupMember): Promise<Membership>;
  /** Gives the tasks of a process that is known to be dead to others at once; `memberId` as `onJoined` told it. */
  removeMember(topology: string, memberId: string): Promise<void>;
  producer(): TopicProducer;
  /** Creates a topic unless it is there; see `Admin.createTopic`. */
  createTopic(topic: string, partitions: number, settings?: TopicSettings): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Removes what is kept of a topology that nobody runs: its changelog, and its group with the offsets in it. */
  forget(topology: string): Promise<void>;
  /** By partition, the offset up to which committed readers can read now. */
  endOffsets(topic: string): Promise<readonly number[]>;
  /** By partition, the offset of a point of the log. */
  offsetsAt(topic: string, point: LogPoint): Promise<readonly number[]>;
  /** How long brokers have made this client wait for its quotas, since it was opened, in milliseconds. */
  throttledMs(): number;
  /** Aborts what is not committed and closes every connection. */
  close(): Promise<void>;
}

const THROTTLED =
  'the brokers make this client wait: it exceeds a quota (see kafka-configs --describe --entity-type clients)';
const IN_THE_CLEAR = 'the login goes over the network in the clear: turn TLS on (kafkaTls), or log in by SCRAM';
const TRANSACTION_TIMEOUT_MS = 60_000;
const SESSION_TIMEOUT_MS = 10_000;
const RELEASE_EVERY_MS = 30_000;

/** A group without anybody else takes its members at once. */
const SLOW_JOIN_MS = 2_000;

const slowGroup = (topology: string, sessionTimeoutMs: number): string =>
  `the group of '${topology}' waits for a process that does not answer; one that was killed is put out after ` +
  `${Math.ceil(sessionTimeoutMs / 1_000)} s, then tasks begin`;

/**
 * Connects to a Kafka cluster on which a topology can run exactly-once: outputs, state, positions and group offsets of
 * an epoch are one transaction.
 *
 * Opening a task takes it over from whoever has it; that one fails with `fenced` at its next commit. Needs brokers of
 * version 3.1 or later. Memory, per task: two fetched ranges of 2 MiB an input, 16 MiB of output on its way; at a restore
 * the stored state, and two ranges of 4 MiB for each of the four changelogs that are read at a time.
 *
 * @throws MillraceError `config` where no broker answers.
 * @example
 * const kafka = await openKafka({ brokers: ['127.0.0.1:9092'], registry: confluentRegistry({ url }) });
 * const profile = { sources: { kafka: kafka.source }, sinks: { kafka: kafka.topicSink }, openLedger: kafka.openLedger };
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
  const topicSink = kafkaTopicSink(cluster, admin, sessions, registry, warn, options.letterKey);
  const source = kafkaSource(cluster, sessions, (message) => options.onWarning?.(message));
  const producers: KafkaProducer[] = [];
  const memberships = new Map<string, GroupMembership>();
  const restorer = new Restorer(cluster, (restored) => options.onRestored?.(restored));

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
      return new KafkaLedger(cluster, session, restorer);
    },
    checkpoints: kafkaCheckpoints(cluster, admin, prefix, (names) => begin(names)),
    async join({ topology, sources, tasks, version, address, onAssigned, onJoined, onFailed }) {
      const topics = [...new Set(sources.filter(isTopic).map(({ topic }) => topic))];
      // Inputs that are no topics have tasks too: the group shares out numbers.
      if (topics[0] !== undefined && !(await cluster.topic(topics[0]))) {
        throw new MillraceError('config', 'no source is a topic that exists', { where: topology });
      }
      const { group, changelog } = namesOf(prefix, { topology, partition: 0 });
      const standbys = new Standbys({
        async open(task) {
          await ensureChangelog(admin, changelog, task + 1); // its owner may not have come so far
          return ChangelogFollower.open(cluster, changelog, task);
        },
        onWarning: (message) => options.onWarning?.(message),
      });
      restorer.use(topology, standbys);
      const membership = new GroupMembership(cluster, {
        group,
        // An assignment names topics: where no input is one, the changelog has as many partitions as there are tasks.
        topics: topics.length > 0 ? topics : [changelog],
        tasks,
        version,
        sessionTimeoutMs: sessionTimeout,
        standbysMax: options.standbys ?? 0,
        standbys,
        address,
        onAssigned,
        onJoined: (memberId) => onJoined?.(memberId),
        onWarning: (message) => options.onWarning?.(message),
        onFailed,
      });
      memberships.set(topology, membership); // before any task of it opens
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
    offsetsAt: (topic, point) => offsetsAt(cluster, topic, point),
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

/** SCRAM proves that the password is known without sending it. */
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
