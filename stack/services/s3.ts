import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST } from '../ports.js';
import type { Places, Service } from '../service.js';
import { jars, requireJava, writeText } from '../tools.js';

/** What signs requests here. It protects nothing: the store is on loopback. */
const key = 'millrace';
const secret = 'millrace-secret';
/** The bucket that is there from the start. */
const bucket = 'lake';

/** Objects are files, so they survive a stop; each request must be signed. */
const settings = (data: string, port: number) => `\
s3proxy.endpoint=http://${HOST}:${port}
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity=${key}
s3proxy.credential=${secret}
jclouds.provider=filesystem-nio2
jclouds.filesystem.basedir=${data}/buckets
jclouds.identity=unused
jclouds.credential=unused
`;

const logging = `\
<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %p %m \\(%c{1}\\)%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
`;

export const s3: Service = {
  name: 's3',
  title: 'S3Proxy 4.1.0',
  defaultPort: 9000,
  variable: 'MILLRACE_S3',
  url: (port) => `http://${key}:${secret}@${HOST}:${port}/`,

  async prepare({ data, cache }: Places, port, log) {
    await requireJava();
    const classPath = `${await jars('s3', cache, () => log('fetching S3Proxy 4.1.0 from Maven Central (24 MB, once)'))}/*`;
    await mkdir(join(data, 'buckets', bucket), { recursive: true });
    await writeText(join(data, 's3proxy.conf'), settings(data, port));
    await writeText(join(data, 'logback.xml'), logging);
    const java = ['-Xmx256m', `-Dlogback.configurationFile=${data}/logback.xml`];
    const main = ['org.gaul.s3proxy.Main', '--properties', join(data, 's3proxy.conf')];
    // Objects are files: without it Java would refuse the names that are not ASCII, where the locale is POSIX.
    return { command: 'java', args: [...java, '-cp', classPath, ...main], env: { LC_ALL: 'C.UTF-8' } };
  },

  /** That a request without a signature is refused says that it serves. */
  async check(port) {
    const response = await fetch(`http://${HOST}:${port}/`, { signal: AbortSignal.timeout(2_000) });
    await response.text();
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
  },
};
