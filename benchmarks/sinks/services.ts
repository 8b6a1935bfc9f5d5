import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startStack } from '../../stack/stack.js';
import { PostgresServer } from '../../test/integration/postgres/server.js';
import { OwnServer, redis8 as withJson } from '../../test/integration/redis/own-server.js';
import { BUCKET } from '../../test/integration/s3/store.js';

/** The servers that sinks write to, each of its own, and a folder that goes away. */
export interface Services {
  readonly kafka: string;
  readonly redis: string;
  /** With RedisJSON. */
  readonly redis8: string;
  readonly clickhouse: string;
  readonly postgres: string;
  /** With key and secret in it. */
  readonly s3: string;
  readonly bucket: string;
  /** Takes every POST. */
  readonly webhook: string;
  readonly folder: string;
}

/** Of which only those that are needed and had here run; the addresses of the others are empty. */
export type Server = 'kafka' | 'redis' | 'redis8' | 'clickhouse' | 's3' | 'postgres' | 'webhook';

/** Starts servers on free ports and in a new folder, and takes them away again. */
export async function withServices<T>(
  needs: ReadonlySet<Server>,
  log: (line: string) => void,
  use: (services: Services) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sinks-'));
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const services = (['kafka', 'redis', 'clickhouse', 's3'] as const).filter((name) => needs.has(name));
    const { urls, stop } = await startStack({ services, ports: 0, dataDir: join(folder, 'stack'), log });
    opened.push(stop);
    const postgres = needs.has('postgres') ? await PostgresServer.start() : undefined;
    opened.push(async () => postgres?.stop());
    const redis8 = needs.has('redis8') ? await startRedis8() : undefined;
    opened.push(async () => redis8?.stop());
    const receiver = needs.has('webhook') ? await startReceiver() : undefined;
    opened.push(async () => receiver?.child.disconnect());
    const { kafka = '', redis = '', clickhouse = '', s3 = '' } = urls;
    const own = {
      postgres: postgres?.url ?? '',
      webhook: receiver?.url ?? '',
      redis8: redis8 === undefined ? '' : `redis://127.0.0.1:${redis8.port}`,
    };
    return await use({ kafka, redis, clickhouse, s3, bucket: BUCKET, ...own, folder });
  } finally {
    for (const stop of opened.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing where Python has not got its packages. */
async function startRedis8(): Promise<OwnServer | undefined> {
  try {
    return await OwnServer.start(withJson());
  } catch {
    return undefined;
  }
}

/** In a process of its own, so that its work is not counted as the sender's. */
async function startReceiver(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(fileURLToPath(new URL('./receiver.ts', import.meta.url)), { execArgv: process.execArgv });
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}
