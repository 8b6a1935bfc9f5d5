import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { maven, requireJava } from '../../stack/tools.js';
import type { PeerCommand } from './peer-process.js';

const project = join(import.meta.dirname, 'kafka-streams');

/** Builds the peer on Kafka Streams where it was not built yet; needs Java 17, Maven and, once, Maven Central. */
export async function kafkaStreamsCommand(progress: (line: string) => void): Promise<PeerCommand> {
  await requireJava();
  const target = join(project, 'target');
  const libs = join(target, 'libs');
  progress(
    existsSync(libs) ? 'compiling the peer on Kafka Streams' : 'building the peer on Kafka Streams (150 MB, once)',
  );
  await maven(['-f', join(project, 'pom.xml'), 'package', 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`]);
  const classPath = `${join(target, 'classes')}:${libs}/*`;
  const options = ['-Xms2g', '-Xmx2g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return { command: 'java', args: [...options, '-cp', classPath, 'millrace.peer.Main'] };
}

/** Millrace from its sources, under the flags of this process: those of the `millrace` command. */
export const millraceCommand: PeerCommand = {
  command: process.execPath,
  args: [...process.execArgv, join(import.meta.dirname, 'millrace.ts')],
};
