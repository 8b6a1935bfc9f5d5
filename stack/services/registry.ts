import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST } from '../ports.js';
import type { Places, Service } from '../service.js';
import { cached, maven, requireJava, runToEnd } from '../tools.js';

const version = '2.6.13.Final'; // 3.x needs Java 21
const artifact = `apicurio-registry-app-${version}`;

const archive = (cache: string, log: (line: string) => void) =>
  cached(cache, artifact, async (folder) => {
    log(`fetching the Apicurio registry ${version} from Maven Central (142 MB, once)`);
    const coordinates = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
    await maven(['dependency:copy', `-Dartifact=${coordinates}`, `-DoutputDirectory=${folder}`]);
    const file = join(folder, `${artifact}-all.tar.gz`);
    await runToEnd('tar', ['-xzf', file, '-C', folder]);
    await rm(file);
  });

export const registry: Service = {
  name: 'registry',
  title: `Apicurio registry ${version}`,
  defaultPort: 8081,
  variable: 'MILLRACE_REGISTRY',
  url: (port) => `http://${HOST}:${port}/apis/ccompat/v7`,

  async prepare({ data, cache }: Places, port, log) {
    await requireJava();
    const folder = await archive(cache, log);
    const options = [
      '-Xmx384m',
      `-Dquarkus.http.host=${HOST}`,
      `-Dquarkus.http.port=${port}`,
      '-Dquarkus.datasource.jdbc.min-size=1',
      '-Dquarkus.datasource.jdbc.initial-size=1',
      // Ids stand in records that outlive a stop, so the registry must remember them.
      `-DREGISTRY_DATASOURCE_URL=jdbc:h2:file:${data}/registry;WRITE_DELAY=0`,
    ];
    return { command: 'java', args: [...options, '-jar', join(folder, `${artifact}-runner.jar`)] };
  },

  async check(port) {
    const response = await fetch(`${this.url(port)}/subjects`, { signal: AbortSignal.timeout(2_000) });
    await response.text();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  },
};
