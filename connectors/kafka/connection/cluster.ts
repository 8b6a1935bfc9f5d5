import { metadataV12 } from '@platformatic/kafka';
import { type ErrorCode, MillraceError } from '../../../src/core/errors.js';
import { getOrInsert } from '../../../src/util/maps.js';
import { retry } from '../../../src/util/retry.js';
import { brokerError, code, isBusy, isLost, isMoved } from '../protocol/broker-error.js';
import { type Features, featuresApi } from '../protocol/features.js';
import { type Address, addressText, parseAddress } from './address.js';
import type { BrokerConnectionOptions } from './broker-connection.js';
import { whyUnreached } from './connection-failure.js';
import { ConnectionPool } from './connection-pool.js';
import { inRounds } from './in-rounds.js';
import { answerIn, findCoordinators, listOffsets, type OffsetQuestion, refusal } from './many-at-once.js';
import type { KafkaSasl, KafkaTls } from './security.js';
import { Throttle } from './throttle.js';

export interface ClusterOptions {
  /** `host:port` of some brokers; they tell the others. */
  readonly brokers: readonly string[];
  /** The name of this client in the brokers' logs and quotas; `millrace` by default. */
  readonly clientId?: string;
  /**
   * How long requests are retried during lost connections, elections and loading coordinators, in milliseconds; 30,000 by default.
   */
  readonly apiTimeoutMs?: number;
  /** How long an answer may take before its connection is closed, in milliseconds; 30,000 by default. */
  readonly requestTimeoutMs?: number;
  /** Uses TLS; `{}` trusts the authorities that Node trusts. */
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** The rack of this client, as in `broker.rack`: inputs are then read from the closest replica. */
  readonly rack?: string;
  /** Called when a broker throttles this client for the first time because of a quota. */
  readonly onThrottled?: () => void;
}

/** The leader of a partition. */
export interface Leader {
  readonly address: Address;
  /** The broker's id for this incarnation of the topic. */
  readonly topicId: string;
  /** Counts the leaders of the partition; -1 if the brokers do not tell. */
  readonly epoch: number;
}

export interface TopicInfo {
  readonly topicId: string;
  /** Leaders by partition; `undefined` during an election. */
  readonly leaders: readonly (Address | undefined)[];
  /** The epoch of each leader, and of the one before it during an election. */
  readonly epochs: readonly number[];
  /** The smallest number of replicas of a partition. */
  readonly replication: number;
}

/** A timestamp that requests the end of the log instead of a time. */
const LATEST = -1n;
const EARLIEST_OFFSET = -2n;

/**
 * Metadata of the cluster: topics, leaders, coordinators, ends of logs. All tasks of a process share it, and ask much of it when they
 * are opened. So what is asked while a request is under way goes into the next one, together.
 */
export class Cluster {
  readonly linkOptions: BrokerConnectionOptions;
  readonly apiTimeoutMs: number;
  readonly throttle: Throttle;
  readonly rack: string;
  private readonly seeds: readonly Address[];
  private known: ReadonlyMap<number, Address> = new Map();
  private readonly topics = new Map<string, TopicInfo>();
  private readonly connections: ConnectionPool;
  private closed = false;
  /** Answered with what was true before: asked last. */
  private distrusted: Address | undefined;
  private readonly found = inRounds((names: readonly string[]) => this.lookupAll(names));
  private readonly coordinators = {
    group: inRounds((keys: readonly string[]) => this.findCoordinators('group', keys)),
    transaction: inRounds((keys: readonly string[]) => this.findCoordinators('transaction', keys)),
  };
  private readonly features = inRounds(async (asked: readonly undefined[]): Promise<readonly Features[]> => {
    const features = await this.connections.request(await this.anyBroker(), featuresApi, 'millrace', '1');
    return asked.map(() => features);
  });
  /** By broker, isolation and whether it is the start or the end: a broker takes each partition once in a request. */
  private readonly offsets = new Map<string, (question: OffsetQuestion) => Promise<number>>();

  private constructor(options: ClusterOptions) {
    const { brokers, clientId = 'millrace', apiTimeoutMs = 30_000, requestTimeoutMs, tls, sasl } = options;
    this.seeds = brokers.map(addressOf);
    this.apiTimeoutMs = apiTimeoutMs;
    this.rack = options.rack ?? '';
    this.throttle = new Throttle(() => options.onThrottled?.());
    this.linkOptions = {
      clientId,
      security: { tls, sasl },
      throttle: this.throttle,
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    };
    this.connections = new ConnectionPool(this.linkOptions);
  }

  /** @throws MillraceError `config` for malformed addresses, and if no broker can be reached. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    if (cluster.seeds.length === 0)
      throw new MillraceError('config', 'no broker is given', { where: 'kafka.brokers', permanent: true });
    try {
      await cluster.request([]);
    } catch (cause) {
      await cluster.close();
      const where = cluster.seeds.map(addressText).join(', ');
      throw brokerError('config', `no Kafka broker answers at ${where}`, cause, {
        where: 'kafka.brokers',
        hint: whyUnreached(cause, cluster.linkOptions.security),
      });
    }
    return cluster;
  }

  /**
   * A topic's metadata; `undefined` if it does not exist.
   *
   * @throws MillraceError `source`, `permanent` if this user may not see the topic, or no topic can have the name.
   */
  async topic(name: string): Promise<TopicInfo | undefined> {
    const cached = this.topics.get(name);
    return cached?.leaders.every((leader) => leader) ? cached : this.refresh(name);
  }

  /**
   * Requests the metadata again, after a sign that it is outdated. A topic that was known is gone when two brokers say so: one that has
   * just started may not have heard of it yet.
   */
  async refresh(name: string): Promise<TopicInfo | undefined> {
    const wasKnown = this.topics.has(name);
    const found = await this.lookup(name);
    return found === undefined && wasKnown ? this.lookup(name) : found;
  }

  private lookup(name: string): Promise<TopicInfo | undefined> {
    return this.patiently('source', `cannot look up topic '${name}'`, () => this.found(name));
  }

  private async lookupAll(names: readonly string[]): Promise<readonly (TopicInfo | Error | undefined)[]> {
    const unique = [...new Set(names)];
    const answer = await this.request(unique);
    const infos = new Map(unique.map((name) => [name, this.noted(name, answer)]));
    return names.map((name) => infos.get(name));
  }

  /** Keeps what an answer says about a topic. A topic that the broker says nothing of is no topic without partitions. */
  private noted(name: string, { brokers, topics, answeredBy }: MetadataAnswer): TopicInfo | Error | undefined {
    const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const found = topics.find((topic) => topic.name === name);
    if (!found || found.errorCode === code.unknownTopicOrPartition) {
      if (this.topics.delete(name)) this.distrusted = answeredBy;
      return undefined;
    }
    if (found.errorCode !== 0) return unseen(name, found.errorCode);
    const leaders = new Array<Address | undefined>(found.partitions.length);
    const epochs = new Array<number>(found.partitions.length).fill(-1);
    const known = this.topics.get(name);
    for (const { partitionIndex: partition, leaderId, leaderEpoch } of found.partitions) {
      const before = known?.topicId === found.topicId ? (known.epochs[partition] ?? -1) : -1;
      // An isolated broker answers with former leaders: ask another one next time.
      const isStale = leaderEpoch < before;
      if (isStale) this.distrusted = answeredBy;
      leaders[partition] = isStale ? known?.leaders[partition] : addresses.get(leaderId);
      epochs[partition] = Math.max(before, leaderEpoch);
    }
    const replication = Math.min(...found.partitions.map(({ replicaNodes }) => replicaNodes.length));
    const info: TopicInfo = { topicId: found.topicId, leaders, epochs, replication };
    this.topics.set(name, info);
    return info;
  }

  /**
   * The leader of a partition; waits for the end of an election.
   *
   * @throws MillraceError `source` if topic or partition do not exist.
   */
  async leader(name: string, partition: number): Promise<Leader> {
    const look = async (): Promise<Leader> => {
      const topic = await this.topic(name);
      if (!topic) throw noTopic(name);
      if (partition >= topic.leaders.length) {
        throw new MillraceError('source', `topic '${name}' has no partition ${partition}`, {
          where: `${name}/${partition}`,
          hint: `it has ${topic.leaders.length}: it was re-created with fewer partitions, or the number is wrong`,
        });
      }
      const address = topic.leaders[partition];
      if (!address) throw new NoLeader(`partition ${partition} of topic '${name}' has no leader`);
      return { address, topicId: topic.topicId, epoch: topic.epochs[partition] ?? -1 };
    };
    return this.again(look, (error) => error instanceof NoLeader);
  }

  /** The coordinator of a transactional id or a consumer group. */
  coordinator(of: 'group' | 'transaction', key: string): Promise<Address> {
    return this.patiently('state', `cannot find the coordinator of ${of} '${key}'`, () => this.coordinators[of](key));
  }

  private async findCoordinators(
    of: 'group' | 'transaction',
    keys: readonly string[],
  ): Promise<readonly (Address | Error)[]> {
    const found = await findCoordinators(this.connections, await this.anyBroker(), of, keys);
    return found.map((each, n) => each ?? new NoLeader(`no coordinator for '${keys[n]}'`));
  }

  /** The offset after the last record: of all records for `any`, up to the first open transaction for `committed`. */
  endOffset(name: string, partition: number, records: 'any' | 'committed'): Promise<number> {
    return this.listOffset(name, partition, records === 'any' ? 0 : 1, LATEST);
  }

  /** The oldest offset that the log still has. */
  startOffset(name: string, partition: number): Promise<number> {
    return this.listOffset(name, partition, 0, EARLIEST_OFFSET);
  }

  /** The offset of the first record with at least this timestamp; the end if there is none. */
  async offsetAt(name: string, partition: number, timestampMs: number): Promise<number> {
    const found = await this.listOffset(name, partition, 1, BigInt(timestampMs));
    return found < 0 ? this.endOffset(name, partition, 'committed') : found;
  }

  /** The level of a feature that the brokers have agreed on; 0 if they have not. */
  async featureLevel(name: string): Promise<number> {
    const features = await this.patiently('state', 'cannot read the features of the cluster', () =>
      this.features(undefined),
    );
    return features.get(name) ?? 0;
  }

  /** Retries a request over lost connections and elections, on any broker. */
  async patiently<T>(as: ErrorCode, message: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await this.again(
        attempt,
        (error) => isLost(error) || isMoved(error) || isBusy(error) || error instanceof NoLeader,
      );
    } catch (error) {
      throw brokerError(as, message, error);
    }
  }

  private again<T>(attempt: () => Promise<T>, passes: (error: unknown) => boolean): Promise<T> {
    const retriable = (error: unknown) => !this.closed && passes(error);
    return retry(attempt, { waitMs: 20, waitMaxMs: 500, totalMs: this.apiTimeoutMs, retriable });
  }

  /** The addresses of all known brokers, by their ids. */
  brokers(): ReadonlyMap<number, Address> {
    return this.known;
  }

  /** The address of a broker by its id, if known. */
  broker(id: number): Address | undefined {
    return this.known.get(id);
  }

  /** A broker that answers, for requests that any broker can serve. */
  async anyBroker(): Promise<Address> {
    const failures: unknown[] = [];
    const all = new Map([...this.known.values(), ...this.seeds].map((each) => [addressText(each), each]));
    const last = this.distrusted && addressText(this.distrusted);
    const isLast = (address: Address) => Number(addressText(address) === last);
    for (const address of [...all.values()].sort((a, b) => isLast(a) - isLast(b))) {
      try {
        await this.connections.to(address);
        return address;
      } catch (error) {
        failures.push(error);
      }
    }
    throw failures[0];
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connections.close();
  }

  private async listOffset(name: string, partition: number, isolation: number, timestamp: bigint): Promise<number> {
    return this.patiently('source', `cannot read the ends of ${name}/${partition}`, async () => {
      const { address, epoch } = await this.leader(name, partition);
      try {
        return await this.offsetsOf(address, isolation, timestamp)({ name, partition, epoch });
      } catch (error) {
        await this.refresh(name);
        throw error;
      }
    });
  }

  private offsetsOf(
    address: Address,
    isolation: number,
    timestamp: bigint,
  ): (question: OffsetQuestion) => Promise<number> {
    const ask = (questions: readonly OffsetQuestion[]) =>
      listOffsets(this.connections, address, isolation, timestamp, questions);
    if (timestamp >= 0n) return async (question) => offsetIn((await ask([question]))[0]);
    return getOrInsert(this.offsets, `${addressText(address)} ${isolation} ${timestamp}`, () => inRounds(ask));
  }

  /** Requests metadata; errors of single topics and partitions are part of it and not thrown. */
  private async request(names: string[]): Promise<MetadataAnswer> {
    const broker = await this.anyBroker();
    const answer = await this.connections
      .request(broker, metadataV12.api, names, false, false)
      .catch(answerIn<metadataV12.MetadataResponse>);
    this.known = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    return { ...answer, answeredBy: broker };
  }
}

type MetadataAnswer = metadataV12.MetadataResponse & { readonly answeredBy: Address };

function offsetIn(answer: number | Error | undefined): number {
  if (typeof answer === 'number') return answer;
  throw answer;
}

class NoLeader extends Error {}

/** Why the brokers tell nothing of a topic that may exist. */
function unseen(name: string, errorCode: number): MillraceError {
  const hint = "grant the user 'Describe' on the topic: 'Read' and 'Write' include it";
  return brokerError('source', `cannot look up topic '${name}'`, refusal(metadataV12.api, errorCode), {
    where: name,
    ...(errorCode === code.topicAuthorizationFailed ? { hint } : {}),
  });
}

/** `permanent` where a topic that was just created would be known: before a run. */
export const noTopic = (name: string, permanent = false): MillraceError =>
  new MillraceError('source', `topic '${name}' does not exist`, {
    where: name,
    hint: 'create the topic first, or correct its name',
    permanent,
  });

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (!address) {
    throw new MillraceError('config', `malformed broker address '${text}'`, {
      where: 'kafka.brokers',
      hint: 'write host:port',
    });
  }
  return address;
}
