import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ask, HOST, probePort } from '../ports.js';
import type { Places, Service } from '../service.js';
import { jars, requireJava, runToEnd, writeText } from '../tools.js';

const heap = ['-Xms256m', '-Xmx768m'];

/**
 * A broker and controller in one process. Records keep their event times, so nothing is deleted by age. What topics need not keep is
 * deleted within ten seconds, as the embedded log does.
 */
const settings = (data: string, port: number, controllerPort: number) => `\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}
advertised.listeners=PLAINTEXT://${HOST}:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=1@${HOST}:${controllerPort}
log.dirs=${data}/log
log.retention.ms=-1
log.retention.check.interval.ms=10000
num.partitions=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
`;

const logging = `\
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c{1})%n
`;

/** The folder of the broker's jars; fetched where they are missing. */
export const kafkaJars = (cache: string, log: (line: string) => void): Promise<string> =>
  jars('kafka', cache, () => log('fetching Apache Kafka 4.4.0 from Maven Central (54 MB, once)'));

export const kafka: Service = {
  name: 'kafka',
  title: 'Apache Kafka 4.4.0',
  defaultPort: 9092,
  variable: 'MILLRACE_KAFKA',
  url: (port) => `${HOST}:${port}`,

  async prepare({ data, cache }: Places, port, log) {
    await requireJava();
    const classPath = `${await kafkaJars(cache, log)}/*`;
    const config = join(data, 'server.properties');
    await writeText(config, settings(data, port, await probePort(0)));
    await writeText(join(data, 'log4j2.properties'), logging);
    const java = [...heap, `-Dlog4j2.configurationFile=${data}/log4j2.properties`, '-cp', classPath];
    if (!existsSync(join(data, 'log', 'meta.properties'))) {
      const clusterId = randomBytes(16).toString('base64url');
      await runToEnd('java', [...java, 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', config]);
    }
    return { command: 'java', args: [...java, 'kafka.Kafka', config] };
  },

  /** An ApiVersions request (key 18, version 0): the broker answers once it serves. */
  async check(port) {
    const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
    await ask(port, request);
  },
};
