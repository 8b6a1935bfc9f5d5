import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { HOST } from '../../stack/ports.js';
import { kafkaJars } from '../../stack/services/kafka.js';
import { cacheFolder } from '../../stack/stack.js';
import { requireJava, runToEnd, writeText } from '../../stack/tools.js';
import { lastingPorts } from '../ports.js';

const BROKERS = 3;

interface Node {
  readonly id: number;
  readonly port: number;
  readonly folder: string;
  process: ChildProcess | undefined;
}

/** Everything, the internal topics too, lies on all three brokers, and two of them must have it before it counts. */
const settings = ({ id, port, folder }: Node, controllerPorts: readonly number[], more: string) => `\
process.roles=broker,controller
node.id=${id}
listeners=PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPorts[id - 1]}
advertised.listeners=PLAINTEXT://${HOST}:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=${controllerPorts.map((controller, index) => `${index + 1}@${HOST}:${controller}`).join(',')}
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
  ) {
    process.once('exit', this.killAll);
  }

  /** `more` are lines for the properties of one broker. */
  static async start(
    folder: string,
    log: (line: string) => void = () => undefined,
    more: (id: number) => string = () => '',
  ): Promise<KafkaCluster> {
    await requireJava();
    const jars = await kafkaJars(cacheFolder(), log);
    await rm(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const ports = await lastingPorts(2 * BROKERS);
    const nodes = Array.from(
      { length: BROKERS },
      (_, index): Node => ({
        id: index + 1,
        port: ports[index] as number,
        folder: join(folder, `broker-${index + 1}`),
        process: undefined,
      }),
    );
    await writeText(join(folder, 'log4j2.properties'), logging);
    const heap = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const java = [...heap, `-Dlog4j2.configurationFile=${folder}/log4j2.properties`, '-cp', `${jars}/*`];
    const clusterId = randomBytes(16).toString('base64url');
    const cluster = new KafkaCluster(nodes, java, folder);
    await Promise.all(
      nodes.map(async (node) => {
        const config = cluster.configOf(node);
        await writeText(config, settings(node, ports.slice(BROKERS), more(node.id)));
        await runToEnd('java', [
          ...java,
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
    return this.nodes.map(({ port }) => `${HOST}:${port}`);
  }

  /** Stops one for good, or until `restart`. */
  async kill(id: number): Promise<void> {
    await endNode(this.nodes[id - 1] as Node, 'SIGKILL');
  }

  /** Ends one broker, politely or not, and starts it again after a while; resolves when all replicas are in sync. */
  async restart(id: number, signal: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void> {
    const node = this.nodes[id - 1] as Node;
    await endNode(node, signal);
    await sleep(downMs);
    this.startNode(node);
    await this.healthy();
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
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The last resort, when this process ends before them. */
  private readonly killAll = (): void => {
    for (const node of this.nodes) node.process?.kill('SIGKILL');
  };

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
    const args = [...this.java, 'kafka.Kafka', this.configOf(node)];
    node.process = spawn('java', args, { stdio: ['ignore', log, log], detached: true });
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
