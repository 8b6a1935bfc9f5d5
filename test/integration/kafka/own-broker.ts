import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, HOST } from '../../../stack/ports.js';
import { kafkaJars } from '../../../stack/services/kafka.js';
import { cacheFolder } from '../../../stack/stack.js';
import { requireJava, runToEnd, writeText } from '../../../stack/tools.js';
import { lastingPorts } from '../../ports.js';
import { diesWithUs } from '../dies-with-us.js';

/** A listener beside the plain one: its name and what clients speak there. */
export interface Listener {
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';
  /** Where clients of it are sent, if not to its own port. */
  readonly advertisedPort?: number;
}

export interface OwnBrokerOptions {
  readonly listeners: readonly Listener[];
  /** Lines of the broker's properties, of its folder. */
  settings(folder: string): string;
  /** Users of SCRAM, as `kafka-storage format --add-scram` takes them. */
  readonly scram?: readonly string[];
  /** Levels of features, as `kafka-storage format --feature` takes them. */
  readonly features?: readonly string[];
}

const properties = (folder: string, ports: readonly number[], listeners: readonly Listener[], more: string) => {
  const all: readonly Listener[] = [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT' }, ...listeners];
  const [controller = 0, ...own] = ports;
  const addresses = all.map(({ name }, index) => `${name}://${HOST}:${own[index]}`).join(',');
  const advertised = all.map(({ name, advertisedPort }, index) => `${name}://${HOST}:${advertisedPort ?? own[index]}`);
  const protocols = all.map(({ name, protocol }) => `${name}:${protocol}`).join(',');
  return `\
process.roles=broker,controller
node.id=1
listeners=${addresses},CONTROLLER://${HOST}:${controller}
advertised.listeners=${advertised.join(',')}
listener.security.protocol.map=${protocols},CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=1@${HOST}:${controller}
log.dirs=${folder}/log
log.retention.ms=-1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
${more}
`;
};

const logging = (folder: string) => `\
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=File
appender.out.name=out
appender.out.fileName=${folder}/broker.log
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c{1})%n
`;

/** A broker of a test's own, with the listeners that it needs. */
export class OwnBroker {
  private process: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    private readonly command: readonly string[],
    private readonly ports: ReadonlyMap<string, number>,
  ) {}

  /** `prepare` puts files into the folder that the settings name. */
  static async start(
    { listeners, settings, scram = [], features = [] }: OwnBrokerOptions,
    prepare: (folder: string) => Promise<void> = async () => undefined,
  ): Promise<OwnBroker> {
    await requireJava();
    const jars = await kafkaJars(cacheFolder(), () => undefined);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-broker-'));
    mkdirSync(folder, { recursive: true });
    await prepare(folder);
    const ports = await lastingPorts(listeners.length + 2);
    const config = join(folder, 'server.properties');
    await writeText(config, properties(folder, ports, listeners, settings(folder)));
    await writeText(join(folder, 'log4j2.properties'), logging(folder));
    const heap = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const java = [...heap, `-Dlog4j2.configurationFile=${folder}/log4j2.properties`, '-cp', `${jars}/*`];
    const id = randomBytes(16).toString('base64url');
    const users = scram.flatMap((user) => ['--add-scram', user]);
    const levels = features.flatMap((level) => ['--feature', level]);
    await runToEnd('java', [
      ...java,
      'kafka.tools.StorageTool',
      'format',
      `--cluster-id=${id}`,
      '-c',
      config,
      ...users,
      ...levels,
    ]);
    const names = ['PLAINTEXT', ...listeners.map(({ name }) => name)];
    const broker = new OwnBroker(
      folder,
      [...java, 'kafka.Kafka', config],
      new Map(names.map((name, index) => [name, ports[index + 1] as number])),
    );
    await broker.run();
    return broker;
  }

  /** Kills it, and starts it on the same data. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** `host:port` of a listener. */
  address(listener = 'PLAINTEXT', host = HOST): string {
    return `${host}:${this.ports.get(listener)}`;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    const out = openSync(join(this.folder, 'broker.out'), 'a');
    this.process = spawn('java', [...this.command], { stdio: ['ignore', out, out] });
    diesWithUs(this.process, { signal: 'KILL', folder: this.folder });
    await this.ready();
  }

  private async kill(): Promise<void> {
    if (this.ended) return;
    const ended = once(this.process as ChildProcess, 'exit');
    this.process?.kill('SIGKILL');
    await ended;
  }

  private get ended(): boolean {
    return this.process === undefined || this.process.exitCode !== null || this.process.signalCode !== null;
  }

  private async ready(): Promise<void> {
    const giveUpMs = Date.now() + 120_000;
    const versions = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
    for (;;) {
      if (this.ended) throw new Error(`the broker ended: see ${this.folder}/broker.log`);
      try {
        await ask(this.ports.get('PLAINTEXT') as number, versions);
        return;
      } catch (cause) {
        if (Date.now() > giveUpMs) throw new Error('the broker does not answer', { cause });
        await sleep(100);
      }
    }
  }
}
