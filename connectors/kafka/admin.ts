import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigResourceTypes,
  createPartitionsV3,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
} from '@platformatic/kafka';
import { MillraceError } from '../../src/core/errors.js';
import { counted } from '../../src/util/counted.js';
import type { Cluster, TopicInfo } from './connection/cluster.js';
import { ConnectionPool } from './connection/connection-pool.js';
import { inRounds } from './connection/in-rounds.js';
import { describeTopics, type SettingsQuestion, settingsIn } from './connection/many-at-once.js';
import { brokerError, code, hasCode } from './protocol/broker-error.js';
import { RECORD_LIMIT } from './record-limit.js';

export type TopicSettings = Readonly<Record<string, string>>;

/** Records carry event times, which may be years old, and Kafka deletes by them. Topics that are created here keep all records. */
const KEEP: TopicSettings = { 'retention.ms': '-1' };
const TIMEOUT_MS = 30_000;
/** The broker's default number of replicas. */
const DEFAULT_REPLICAS = -1;

/** Creates, grows and deletes topics. */
export class Admin {
  private readonly connections: ConnectionPool;
  private readonly topicSettings = inRounds(async (asked: readonly SettingsQuestion[]) =>
    describeTopics(this.connections, await this.cluster.anyBroker(), asked),
  );

  /** `replication` is the default for created topics; without it, the broker's default. */
  constructor(
    private readonly cluster: Cluster,
    private readonly replication = DEFAULT_REPLICAS,
  ) {
    this.connections = new ConnectionPool(cluster.linkOptions);
  }

  /**
   * Creates a topic if it is missing, with one partition if `partitions` is undefined, and waits until it can be used. Its records are kept for ever unless `settings` (of the
   * broker, such as `retention.ms`) say otherwise.
   *
   * @throws MillraceError `config` if it exists with another number of partitions than given.
   */
  async createTopic(topic: string, partitions: number | undefined, settings: TopicSettings = {}): Promise<void> {
    const found = await this.ensureTopic(topic, partitions ?? 1, settings);
    if (partitions === undefined || found.leaders.length === partitions) return;
    throw new MillraceError(
      'config',
      `topic '${topic}' has ${counted(found.leaders.length, 'partition')}, not ${partitions}`,
      {
        where: topic,
        hint: 'with another number, keys would move between partitions: keep the number, or use a new topic',
      },
    );
  }

  /** Like `createTopic`, but an existing topic may have any number of partitions. */
  async ensureTopic(
    topic: string,
    partitions: number,
    settings: TopicSettings = {},
    replication = this.replication,
  ): Promise<TopicInfo> {
    const existing = await this.cluster.refresh(topic);
    if (existing) return existing;
    const configs = Object.entries({ ...KEEP, ...settings }).map(([name, value]) => ({ name, value }));
    const wanted = {
      name: topic,
      numPartitions: partitions,
      replicationFactor: replication,
      assignments: [],
      configs,
    };
    await this.ask(`cannot create topic '${topic}'`, code.topicAlreadyExists, async () =>
      this.connections.request(await this.cluster.anyBroker(), createTopicsV7.api, [wanted], TIMEOUT_MS, false),
    );
    return this.appeared(topic, 1);
  }

  /** Adds partitions up to a number. Only for topics whose partitions are not chosen by key. */
  async growTopic(topic: string, partitions: number): Promise<void> {
    const existing = await this.cluster.topic(topic);
    if (existing && existing.leaders.length >= partitions) return;
    const wanted = { name: topic, count: partitions, assignments: null };
    await this.ask(`cannot add partitions to topic '${topic}'`, code.invalidPartitions, async () =>
      this.connections.request(await this.cluster.anyBroker(), createPartitionsV3.api, [wanted], TIMEOUT_MS, false),
    );
    await this.appeared(topic, partitions);
  }

  /**
   * The effective value of a topic's setting, including the broker's default.
   *
   * @throws MillraceError `config` if it may not be read.
   */
  async setting(topic: string, name: string): Promise<string | undefined> {
    return (await this.settings(topic, [name])).get(name);
  }

  /** How large a batch a topic takes; without a limit where this user may not know. */
  async recordBytesMax(topic: string): Promise<number> {
    try {
      return Number((await this.setting(topic, RECORD_LIMIT)) ?? Number.POSITIVE_INFINITY);
    } catch (error) {
      if (hasCode(error, code.topicAuthorizationFailed)) return Number.POSITIVE_INFINITY;
      throw error;
    }
  }

  /** The effective values of several settings, without those that the broker does not know. */
  async settings(topic: string, names: readonly string[]): Promise<Map<string, string>> {
    return this.cluster.patiently('config', `cannot read the settings of topic '${topic}'`, () =>
      this.topicSettings({ topic, names }),
    );
  }

  /** The same for settings of a broker, which it tells itself. */
  async brokerSettings(id: number, names: readonly string[]): Promise<Map<string, string>> {
    const asked = { resourceType: ConfigResourceTypes.BROKER, resourceName: `${id}`, configurationKeys: [...names] };
    const { results } = await this.cluster.patiently('config', `cannot read the settings of broker ${id}`, async () => {
      const broker = this.cluster.broker(id) ?? (await this.cluster.anyBroker());
      return this.connections.request(broker, describeConfigsV4.api, [asked], false, false);
    });
    return settingsIn(results[0], names);
  }

  /** Deletes a topic if it exists, and waits until it is gone. */
  async deleteTopic(topic: string): Promise<void> {
    await this.ask(`cannot delete topic '${topic}'`, code.unknownTopicOrPartition, async () =>
      this.connections.request(await this.cluster.anyBroker(), deleteTopicsV6.api, [{ name: topic }], TIMEOUT_MS),
    );
    while (await this.cluster.refresh(topic)) await sleep(20);
  }

  async close(): Promise<void> {
    await this.connections.close();
  }

  /** `fine` is the error code of a request that was not needed. */
  private async ask(message: string, fine: number, attempt: () => Promise<unknown>): Promise<void> {
    try {
      await this.cluster.patiently('config', message, attempt);
    } catch (error) {
      if (!hasCode(error, fine)) throw brokerError('config', message, error);
    }
  }

  /** Waits until the brokers know a new topic; they learn of it one after another, within milliseconds. */
  private async appeared(topic: string, partitions: number): Promise<TopicInfo> {
    const giveUpMs = Date.now() + this.cluster.apiTimeoutMs;
    for (;;) {
      const found = await this.cluster.refresh(topic);
      if (found && found.leaders.length >= partitions && found.leaders.every((leader) => leader)) return found;
      if (Date.now() > giveUpMs)
        throw new MillraceError('config', `topic '${topic}' does not appear`, { where: topic });
      await sleep(20);
    }
  }
}
