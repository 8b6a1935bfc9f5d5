import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { WrittenFiles } from '../../connectors/file/written.js';
import type { Postgres } from '../../connectors/postgres/open.js';
import type { CheckpointStore, LogPoint } from '../core/checkpoint.js';
import { INTERNAL } from '../core/internal.js';
import type { Profile, TopicProducer } from '../core/profile.js';
import type { SchemaRegistry } from '../core/schema.js';
import type { Anywhere } from './anywhere.js';
import type { Config } from './settings.js';

/** A profile, and what tools need beside running a topology on it. */
export interface OpenProfile extends Profile {
  /** Writes into topics from outside a topology. */
  producer(): TopicProducer;
  /** Offsets of the next records of a topic, by partition. */
  endOffsets(topic: string): Promise<readonly number[]>;
  offsetsAt(topic: string, point: LogPoint): Promise<readonly number[]>;
  readonly checkpoints: CheckpointStore;
  /** Runs SQL that returns rows in the profile's ClickHouse. */
  query<T>(sql: string): Promise<T[]>;
  /** The same for SQL that may only read tables: what writes, or reaches files and addresses, fails. */
  queryReadOnly<T>(sql: string): Promise<T[]>;
  /** Runs SQL that returns nothing. */
  command(sql: string): Promise<void>;
  /** Writes the rows of an SQL query into a Parquet file of this machine. */
  exportParquet(sql: string, file: string): Promise<void>;
}

/** A profile, and what a trial needs to look at what it wrote and to leave nothing behind. */
export interface VerificationProfile extends OpenProfile {
  readonly hashes: KeyReader;
  /** Whatever lies on the Redis server, on every profile. */
  readonly structures: KeyReader;
  readonly postgres: Pick<Postgres, 'query'>;
  readonly files: WrittenFiles;
  readonly objects: WrittenFiles;
  /** Takes away what nobody needs any more. */
  readonly removal: Removal;
}

/** Keys and what lies under them. */
export interface KeyReader {
  /** Keys that begin so. Memory: the keys. */
  keys(prefix: string): Promise<readonly string[]>;
  /** As plain data that compares. */
  read(keys: readonly string[]): Promise<readonly unknown[]>;
}

/** On the embedded profile, what lies in its folder goes with the folder: only what is outside is taken away. */
export interface Removal {
  topic(name: string): Promise<void>;
  /** State, positions and group of a topology that does not run. */
  topology(name: string): Promise<void>;
  /** Everything in the key-value store whose key begins so. */
  keys(prefix: string): Promise<void>;
  /** What the key-value store remembers of a topology's writes. */
  fences(topology: string): Promise<void>;
}

export interface ProfileOptions {
  /** Told of what the clients mended without help. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Puts another registry in the place of the server's; for trials. */
  readonly registry?: (registry: SchemaRegistry) => SchemaRegistry;
}

/**
 * Opens the world a topology runs in: the one place where connectors' names meet what serves them.
 *
 * Clients are loaded here and not before, so that commands that open nothing start at once. What was opened before a
 * failure is closed again.
 *
 * @throws MillraceError with the address that does not answer, or the folder that another process holds.
 * @example
 * const profile = await openProfile(await readConfig());
 */
export const openProfile = (config: Config, options: ProfileOptions = {}): Promise<VerificationProfile> =>
  config.profile === 'embedded' ? openEmbeddedProfile(config) : openClusterProfile(config, options);

async function openEmbeddedProfile(config: Config): Promise<VerificationProfile> {
  const { data } = config;
  const [{ openEmbedded }, { openClickHouse }, { openAnywhere }, { localRegistry }] = await Promise.all([
    import('./embedded/index.js'),
    import('../../connectors/clickhouse/open.js'),
    import('./anywhere.js'),
    import('../schema/index.js'),
  ]);
  mkdirSync(data, { recursive: true });
  return openAll(async (keep) => {
    const log = keep(await openEmbedded({ path: join(data, 'log'), registry: localRegistry() }));
    const tables = keep(await openClickHouse({ path: join(data, 'tables') }));
    const anywhere = keep(
      openAnywhere({ schemas: log.schemas, config, topics: log.source, producer: () => log.producer() }),
    );
    return {
      name: 'embedded',
      sources: { ...anywhere.sources, kafka: log.source, [INTERNAL]: log.source, clickhouse: tables.source },
      sinks: {
        ...anywhere.sinks,
        kafka: log.topicSink,
        [INTERNAL]: log.topicSink,
        redis: log.hashSink,
        clickhouse: tables.tableSink,
      },
      lookups: { ...anywhere.lookups, redis: log.hashLookup, clickhouse: tables.lookup },
      openLedger: (task) => log.openLedger(task),
      schemas: log.schemas,
      producer: () => log.producer(),
      endOffsets: (topic) => log.endOffsets(topic),
      offsetsAt: (topic, point) => log.offsetsAt(topic, point),
      checkpoints: log.checkpoints,
      query: (sql) => tables.query(sql),
      queryReadOnly: (sql) => tables.queryReadOnly(sql),
      command: (sql) => tables.command(sql),
      exportParquet: (sql, file) => tables.exportParquet(sql, file),
      hashes: {
        keys: async (prefix) => [...log.hashes()].flatMap(({ key }) => (key.startsWith(prefix) ? [key] : [])),
        read: async (keys) => keys.map((key) => log.getHash(key) ?? {}),
      },
      ...looksOf(anywhere),
      removal: { ...nothingOf, ...removalIn(anywhere) },
    };
  });
}

async function openClusterProfile(config: Config, options: ProfileOptions): Promise<VerificationProfile> {
  const { clickhouse, standbys } = config;
  const { onWarning } = options;
  const [{ openKafka }, { kafkaOptions }, { registryOptions }, ...others] = await Promise.all([
    import('../../connectors/kafka/open.js'),
    import('./kafka-options.js'),
    import('./registry-options.js'),
    import('../../connectors/clickhouse/open.js'),
    import('./anywhere.js'),
    import('../schema/index.js'),
  ]);
  const [{ openClickHouse }, { openAnywhere }, { confluentRegistry }] = others;
  const own = confluentRegistry(await registryOptions(config));
  const schemas = options.registry?.(own) ?? own;
  return openAll(async (keep) => {
    const warned = onWarning ? { onWarning } : {};
    const topics = keep(await openKafka({ ...kafkaOptions(config), registry: schemas, standbys, ...warned }));
    const tables = keep(await openClickHouse({ url: clickhouse }));
    const anywhere = keep(openAnywhere({ schemas, config, topics: topics.source, producer: () => topics.producer() }));
    const { redis } = anywhere;
    return {
      name: 'cluster',
      sources: {
        ...anywhere.sources,
        kafka: topics.source,
        [INTERNAL]: topics.internal.source,
        clickhouse: tables.source,
      },
      sinks: {
        ...anywhere.sinks,
        kafka: topics.topicSink,
        [INTERNAL]: topics.internal.sink,
        redis: redis.sink,
        clickhouse: tables.tableSink,
      },
      lookups: { ...anywhere.lookups, redis: redis.lookup, clickhouse: tables.lookup },
      openLedger: (task) => topics.openLedger(task),
      join: (member) => topics.join(member),
      throttledMs: () => topics.throttledMs(),
      schemas,
      producer: () => topics.producer(),
      endOffsets: (topic) => topics.endOffsets(topic),
      offsetsAt: (topic, point) => topics.offsetsAt(topic, point),
      checkpoints: topics.checkpoints,
      query: (sql) => tables.query(sql),
      queryReadOnly: (sql) => tables.queryReadOnly(sql),
      command: (sql) => tables.command(sql),
      exportParquet: (sql, file) => tables.exportParquet(sql, file),
      hashes: { keys: (prefix) => redis.keys(prefix), read: (keys) => redis.hashes(keys) },
      ...looksOf(anywhere),
      removal: {
        topic: (name) => topics.deleteTopic(name),
        topology: (name) => topics.forget(name),
        ...removalIn(anywhere),
      },
    };
  });
}

/**
 * Takes a process that is known to be dead out of the group that shares a topology's tasks, so that others have them at
 * once and need not wait until its session times out.
 */
export async function removeMember(config: Config, topology: string, memberId: string): Promise<void> {
  const [{ openKafka }, { kafkaOptions }, { confluentRegistry }] = await Promise.all([
    import('../../connectors/kafka/open.js'),
    import('./kafka-options.js'),
    import('../schema/index.js'),
  ]);
  const registry = confluentRegistry({ url: config.registry }); // asked nothing
  const opened = await openKafka({ ...kafkaOptions(config), registry });
  try {
    await opened.removeMember(topology, memberId);
  } finally {
    await opened.close();
  }
}

/** What a trial looks at that every profile has in the same way. */
const looksOf = ({ redis, postgres, files, objects }: Anywhere) => ({
  structures: { keys: (prefix: string) => redis.keys(prefix), read: (keys: readonly string[]) => redis.contents(keys) },
  postgres,
  files,
  objects,
});

const removalIn = ({ redis }: Anywhere): Pick<Removal, 'keys' | 'fences'> => ({
  keys: async (prefix) => void (await redis.remove(prefix)),
  fences: (topology) => redis.removeFences(topology),
});

const nothingOf = { topic: async () => undefined, topology: async () => undefined };

interface Closable {
  close(): Promise<void>;
}

/** Opens several things that close together, in the opposite order, even where opening fails half-way. */
async function openAll(
  open: (keep: <T extends Closable>(opened: T) => T) => Promise<Omit<VerificationProfile, 'close'>>,
): Promise<VerificationProfile> {
  const kept: Closable[] = [];
  const close = async () => {
    const failures: unknown[] = [];
    for (const one of kept.splice(0).reverse()) {
      try {
        await one.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    const profile = await open((opened) => {
      kept.push(opened);
      return opened;
    });
    return { ...profile, close };
  } catch (error) {
    await Promise.allSettled(kept.reverse().map((one) => one.close()));
    throw error;
  }
}
