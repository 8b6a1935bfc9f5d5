import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionPool, describeQuorumV2 } from '@platformatic/kafka';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { HOST } from '../../stack/ports.js';
import { kafkaJars } from '../../stack/services/kafka.js';
import { cacheFolder } from '../../stack/stack.js';
import { requireJava, runToEnd, writeText } from '../../stack/tools.js';
import { lastingPorts } from '../ports.js';
import type { Network } from './network.js';

const BROKERS = 3;

/** Its name in a network. */
export const brokerHost = (id: number): string => `broker-${id}`;
export const brokerHosts: readonly string[] = Array.from({ length: BROKERS }, (_, index) => brokerHost(index + 1));

export interface ClusterOptions {
  readonly log?: (line: string) => void;
  /** More lines for the properties of a broker. */
  readonly more?: (id: number) => string;
  /** Where each broker is a host of its own; all are on loopback without it. */
  readonly network?: Network | undefined;
  /** The size of each broker's disk, which is then a tmpfs of its own (root). */
  readonly diskMiB?: number | undefined;
}

interface Node {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly host: string;
  readonly folder: string;
  process: ChildProcess | undefined;
}

/** Everything, the internal topics too, lies on all three brokers, and two of them must have it before it counts. */
const settings = ({ id, host, port, controllerPort, folder }: Node, nodes: readonly Node[], more: string) => `\
process.roles=broker,controller
node.id=${id}
listeners=PLAINTEXT://${host}:${port},CONTROLLER://${host}:${controllerPort}
advertised.listeners=PLAINTEXT://${host}:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=${nodes.map((each) => `${each.id}@${each.host}:${each.controllerPort}`).join(',')}
log.dirs=${folder}/log
log.retention.ms=-1
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.num.partitions=6
offsets.topic.replication.factor=3
transaction.state.log.num.partitions=6
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
group.initial.rebalance.delay.ms=0
replica.lag.time.max.ms=5000
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
${more}
`;

const logging = `\
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c{1})%n
`;

/** A real cluster of three brokers, each a controller too, as processes of this one, on free ports of loopback. */
export class KafkaCluster {
  private constructor(
    private readonly nodes: readonly Node[],
    private readonly java: readonly string[],
    private readonly folder: string,
    private readonly options: ClusterOptions,
  ) {
    process.once('exit', this.killAll);
  }

  static async start(folder: string, options: ClusterOptions = {}): Promise<KafkaCluster> {
    const { log = () => undefined, more = () => '', network, diskMiB } = options;
    await requireJava();
    const jars = await kafkaJars(cacheFolder(), log);
    await rm(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const ports = await lastingPorts(2 * BROKERS);
    const nodes = Array.from({ length: BROKERS }, (_, index): Node => {
      const id = index + 1;
      return {
        id,
        port: ports[index] as number,
        controllerPort: ports[BROKERS + index] as number,
        host: network?.addressOf(brokerHost(id)) ?? HOST,
        folder: join(folder, `broker-${id}`),
        process: undefined,
      };
    });
    await writeText(join(folder, 'log4j2.properties'), logging);
    const heap = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const java = ['java', ...heap, `-Dlog4j2.configurationFile=${folder}/log4j2.properties`, '-cp', `${jars}/*`];
    const clusterId = randomBytes(16).toString('base64url');
    const cluster = new KafkaCluster(nodes, java, folder, options);
    await Promise.all(
      nodes.map(async (node) => {
        mkdirSync(node.folder, { recursive: true });
        if (diskMiB) await runToEnd('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'tmpfs', node.folder]);
        const config = cluster.configOf(node);
        await writeText(config, settings(node, nodes, more(node.id)));
        const [command = '', ...args] = java;
        await runToEnd(command, [
          ...args,
          'kafka.tools.StorageTool',
          'format',
          `--cluster-id=${clusterId}`,
          '-c',
          config,
        ]);
        cluster.startNode(node);
      }),
    );
    await cluster.healthy();
    return cluster;
  }

  get brokers(): string[] {
    return this.nodes.map(({ host, port }) => `${host}:${port}`);
  }

  /** Stops one for good, or until `begin` or `restart`. */
  async kill(id: number): Promise<void> {
    await endNode(this.nodes[id - 1] as Node, 'SIGKILL');
  }

  /** Starts one that was killed, and waits for nothing. */
  begin(id: number): void {
    this.startNode(this.nodes[id - 1] as Node);
  }

  /** Ends brokers, politely or not, and starts them again after a while; resolves when all replicas are in sync. */
  async restart(ids: readonly number[], signal: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void> {
    const nodes = ids.map((id) => this.nodes[id - 1] as Node);
    await Promise.all(nodes.map((node) => endNode(node, signal)));
    await sleep(downMs);
    for (const node of nodes) this.startNode(node);
    await this.healthy();
  }

  /** Lets a broker run a fifth of the time, as one does whose disk is slow: it stays in the cluster, and all wait for it. */
  async slow(id: number, ms: number): Promise<void> {
    const { process } = this.nodes[id - 1] as Node;
    for (const untilMs = Date.now() + ms; Date.now() < untilMs; ) {
      process?.kill('SIGSTOP');
      await sleep(200);
      process?.kill('SIGCONT');
      await sleep(50);
    }
    await this.healthy();
  }

  /** Fills the disk of a broker for a while, which ends it, and starts it again when there is room. */
  async fillDisk(id: number, ms: number): Promise<void> {
    const node = this.nodes[id - 1] as Node;
    const filler = join(node.folder, 'filler');
    const { bavail, bsize } = await statfs(node.folder);
    await writeFile(filler, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error; // the broker wrote meanwhile: it is full all the same
    });
    await sleep(ms);
    await rm(filler);
    await endNode(node, 'SIGKILL');
    this.startNode(node);
    await this.healthy();
  }

  /** The broker that leads the controllers, by its number. */
  async controller(): Promise<number> {
    const pool = new ConnectionPool('chaos', {});
    try {
      const { host, port } = this.nodes.find(({ process }) => process?.exitCode === null) as Node;
      const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
      const found = await describeQuorumV2.api.async(await pool.get({ host, port }), topics);
      return found.topics[0]?.partitions[0]?.leaderId ?? 1;
    } finally {
      await pool.close();
    }
  }

  /** Resolves when every broker is there and every replica of every partition is in sync. */
  async healthy(patienceMs = 180_000): Promise<void> {
    const giveUpMs = Date.now() + patienceMs;
    for (;;) {
      const what = await this.ailment();
      if (what === undefined) return;
      const dead = this.nodes.find(({ process }) => process && process.exitCode !== null);
      if (dead) throw new Error(`broker ${dead.id} ended: see ${dead.folder}.log`);
      if (Date.now() > giveUpMs) throw new Error(`the cluster does not get well: ${what}`);
      await sleep(200);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => endNode(node, 'SIGKILL')));
    process.off('exit', this.killAll);
    this.freeDisks();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The last resort, when this process ends before them. */
  private readonly killAll = (): void => {
    for (const node of this.nodes) node.process?.kill('SIGKILL');
    this.freeDisks();
  };

  private freeDisks(): void {
    if (this.options.diskMiB) for (const { folder } of this.nodes) spawnSync('umount', ['-l', folder]);
  }

  private async ailment(): Promise<string | undefined> {
    const retry = { retries: 0 };
    const client = new KafkaJs({ brokers: this.brokers, logLevel: logLevel.NOTHING, retry, connectionTimeout: 2_000 });
    const admin = client.admin();
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      if (brokers.length < BROKERS) return `${brokers.length} brokers`;
      const { topics } = await admin.fetchTopicMetadata();
      const behind = topics.flatMap(({ name, partitions }) =>
        partitions
          .filter(({ isr, replicas, leader }) => isr.length < replicas.length || leader < 0)
          .map(({ partitionId }) => `${name}/${partitionId}`),
      );
      return behind.length === 0 ? undefined : `${behind.length} partitions are behind, such as ${behind[0]}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await admin.disconnect();
    }
  }

  private startNode(node: Node): void {
    const log = openSync(`${node.folder}.log`, 'a');
    const alone = this.options.network?.runAs(brokerHost(node.id)) ?? [];
    const [command = '', ...args] = [...alone, ...this.java, 'kafka.Kafka', this.configOf(node)];
    node.process = spawn(command, args, { stdio: ['ignore', log, log], detached: true });
  }

  private configOf({ folder }: Node): string {
    return join(folder, 'server.properties');
  }
}

async function endNode(node: Node, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { process } = node;
  if (!process || process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, 'exit');
  process.kill(signal);
  await ended;
}
