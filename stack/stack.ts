import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError, messageOf } from '../src/core/errors.js';
import { claimPort } from './ports.js';
import { end, isAlive, type ProcessRecord, start } from './processes.js';
import { type Service, type ServiceName, serviceNames } from './service.js';
import { clickhouse } from './services/clickhouse.js';
import { kafka } from './services/kafka.js';
import { redis } from './services/redis.js';
import { registry } from './services/registry.js';
import { s3 } from './services/s3.js';

export const services: Readonly<Record<ServiceName, Service>> = { kafka, registry, redis, clickhouse, s3 };

/** A service as the stack's folder remembers it. */
export interface Entry extends ProcessRecord {
  readonly port: number;
}
type Entries = Partial<Record<ServiceName, Entry>>;

export interface StackOptions {
  /** All of them by default. */
  readonly services?: readonly ServiceName[];
  /** The port of each service; 0 takes a free one, as does a plain `0` for all. Their usual ports by default. */
  readonly ports?: 0 | Partial<Record<ServiceName, number>>;
  /** Everything is kept here, the list of processes too. */
  readonly dataDir: string;
  readonly log?: (line: string) => void;
  /** How long a service may take until it answers. */
  readonly patienceMs?: number;
}

export interface Stack {
  readonly urls: Partial<Record<ServiceName, string>>;
  /** The variables by which Millrace is told of them, such as `MILLRACE_KAFKA`. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends what this call started, and nothing that ran before. */
  stop(): Promise<void>;
}

/**
 * Starts real services on loopback, all at once, and resolves when each of them answers. They go on when this process
 * ends; `stopStack` on the same folder ends them. A service of the folder that runs already is left as it is.
 *
 * @example
 * const stack = await startStack({ services: ['redis'], ports: 0, dataDir: '/tmp/stack' });
 * await stack.stop();
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { services: names = serviceNames, log = () => undefined, patienceMs = 60_000 } = options;
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const entries = readEntries(dataDir);
  const started: ServiceName[] = [];

  const startOne = async (name: ServiceName): Promise<void> => {
    const service = services[name];
    const running = entries[name];
    if (running && isAlive(running)) {
      log(`${service.title} is running already`);
      return await untilHealthy(service, running, logFile(dataDir, name), patienceMs);
    }
    const port = await claimPort(name, portOf(options, service));
    const launch = await service.prepare({ data: join(dataDir, name), cache: cacheFolder() }, port, log);
    const entry: Entry = { ...start(launch, logFile(dataDir, name)), port };
    entries[name] = entry;
    started.push(name);
    await writeEntries(dataDir, entries);
    await untilHealthy(service, entry, logFile(dataDir, name), patienceMs);
    log(`${service.title} is up at ${service.url(port)}`);
  };

  const stop = async () => {
    await Promise.all(started.map((name) => endEntry(entries, name)));
    await writeEntries(dataDir, entries);
  };

  const outcomes = await Promise.allSettled(names.map(startOne));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (failures.length > 0) {
    await stop();
    throw failures.length === 1 ? failures[0] : together(failures);
  }
  const urls = Object.fromEntries(
    names.map((name) => [name, clientUrl(services[name], entries[name]?.port ?? 0, join(dataDir, name))]),
  );
  return { urls, env: envOf(urls), stop };
}

const envOf = (urls: Stack['urls']): Stack['env'] =>
  Object.fromEntries(
    serviceNames.flatMap((name) => (urls[name] === undefined ? [] : [[services[name].variable, urls[name]]])),
  );

/** The variables for clients of what runs on this folder. */
export function stackEnv(folder: string): Stack['env'] {
  const dataDir = resolve(folder);
  const running = Object.entries(readEntries(dataDir)).filter(([, entry]) => isAlive(entry)) as [ServiceName, Entry][];
  return envOf(
    Object.fromEntries(running.map(([name, { port }]) => [name, clientUrl(services[name], port, join(dataDir, name))])),
  );
}

/** Ends the services that were started on this folder, each only if it is still the very process that was started. */
export async function stopStack(dataDir: string): Promise<ServiceName[]> {
  const entries = readEntries(resolve(dataDir));
  const running = serviceNames.filter((name) => entries[name] && isAlive(entries[name]));
  await Promise.all(serviceNames.map((name) => endEntry(entries, name)));
  if (existsSync(dataDir)) await writeEntries(resolve(dataDir), entries);
  return running;
}

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly state: 'healthy' | 'starting' | 'stopped';
  readonly url: string | undefined;
  readonly pid: number | undefined;
}

export async function stackStatus(dataDir: string): Promise<ServiceStatus[]> {
  const entries = readEntries(resolve(dataDir));
  return Promise.all(
    serviceNames.map(async (name): Promise<ServiceStatus> => {
      const entry = entries[name];
      if (!entry || !isAlive(entry)) return { name, state: 'stopped', url: undefined, pid: undefined };
      const service = services[name];
      const healthy = await service.check(entry.port).then(
        () => true,
        () => false,
      );
      return { name, state: healthy ? 'healthy' : 'starting', url: service.url(entry.port), pid: entry.pid };
    }),
  );
}

async function untilHealthy(service: Service, entry: Entry, logFile: string, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await service.check(entry.port);
    } catch (cause) {
      const ended = !isAlive(entry);
      if (!ended && Date.now() < deadline) {
        await sleep(100);
        continue;
      }
      const what = ended ? 'ended while starting' : `did not answer within ${patienceMs / 1_000} s`;
      throw new MillraceError('config', `${service.title} ${what}; the end of its log:\n${tail(logFile)}`, {
        where: service.name,
        hint: `the whole log is in ${logFile}`,
        cause,
      });
    }
  }
}

/** Several services may lack the same program. */
const together = (failures: readonly unknown[]) => {
  const hints = failures.flatMap((failure) => (failure instanceof MillraceError && failure.hint) || []);
  return new MillraceError('config', [...new Set(failures.map(messageOf))].join('\n'), {
    hint: [...new Set(hints)].join('\n'),
    cause: new AggregateError(failures),
  });
};

const portOf = ({ ports = {} }: StackOptions, service: Service): number =>
  ports === 0 ? 0 : (ports[service.name] ?? service.defaultPort);

/** What a client is given: the URL of a service with the credentials that it asks for. */
export function clientUrl(service: Service, port: number, data: string): string {
  const url = service.url(port);
  return service.credentials ? url.replace('://', `://${service.credentials(data)}@`) : url;
}

/** Downloads, shared by every stack of this user. */
export const cacheFolder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace');
const logFile = (dataDir: string, name: ServiceName) => join(dataDir, `${name}.log`);
const tail = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '(empty)';

const entriesFile = (dataDir: string) => join(dataDir, 'processes.json');

function readEntries(dataDir: string): Entries {
  const file = entriesFile(dataDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Entries) : {};
}

let writing: Promise<void> = Promise.resolve();

/** Replaces the file as a whole, one write after another: services start at the same time. */
function writeEntries(dataDir: string, entries: Entries): Promise<void> {
  writing = writing.then(async () => {
    const file = entriesFile(dataDir);
    await writeFile(`${file}.new`, `${JSON.stringify(entries, null, 2)}\n`);
    await rename(`${file}.new`, file);
  });
  return writing;
}

async function endEntry(entries: Entries, name: ServiceName): Promise<void> {
  const entry = entries[name];
  if (!entry) return;
  await end(entry);
  delete entries[name];
}
