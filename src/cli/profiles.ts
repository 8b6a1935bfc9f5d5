import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointStore, LogPoint } from '../core/checkpoints.js';
import { INTERNAL } from '../core/internal.js';
import type { Profile, TopicProducer } from '../core/io.js';
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
  /** Runs SQL that returns nothing. */
  command(sql: string): Promise<void>;
  /** Writes the rows of an SQL query into a Parquet file of this machine. */
  exportParquet(sql: string, file: string): Promise<void>;
}

/**
 * Opens the world a topology runs in: the one place where connectors' names meet what serves them.
 *
 * Clients are loaded here and not before, so that commands that open nothing start at once. What was opened before a
 * failure is closed again. `onWarning` is told of what the clients mended without help.
 *
 * @throws MillraceError with the address that does not answer, or the folder that another process holds.
 * @example
 * const profile = await openProfile(await readConfig());
 */
export const openProfile = (config: Config, onWarning?: (message: string) => void): Promise<OpenProfile> =>
  config.profile === 'embedded' ? openEmbeddedProfile(config) : openLocalProfile(config, onWarning);

async function openEmbeddedProfile({ data }: Config): Promise<OpenProfile> {
  const [{ openEmbedded }, { openClickHouse }, { localRegistry }] = await Promise.all([
    import('../../connectors/embedded/index.js'),
    import('../../connectors/clickhouse/open.js'),
    import('../schema/index.js'),
  ]);
  mkdirSync(data, { recursive: true });
  return openAll(async (keep) => {
    const log = keep(await openEmbedded({ path: join(data, 'log'), registry: localRegistry() }));
    const tables = keep(await openClickHouse({ path: join(data, 'tables') }));
    return {
      name: 'embedded',
      sources: { kafka: log.source, [INTERNAL]: log.source },
      sinks: { kafka: log.topicSink, [INTERNAL]: log.topicSink, redis: log.hashSink, clickhouse: tables.tableSink },
      openLedger: (task) => log.openLedger(task),
      schemas: log.schemas,
      producer: () => log.producer(),
      endOffsets: (topic) => log.endOffsets(topic),
      offsetsAt: (topic, point) => log.offsetsAt(topic, point),
      checkpoints: log.checkpoints,
      query: (sql) => tables.query(sql),
      command: (sql) => tables.command(sql),
      exportParquet: (sql, file) => tables.exportParquet(sql, file),
    };
  });
}

async function openLocalProfile(config: Config, onWarning?: (message: string) => void): Promise<OpenProfile> {
  const { kafka, redis, clickhouse, registry, standbys } = config;
  const [{ openKafka }, { openRedis }, { openClickHouse }, { confluentRegistry }] = await Promise.all([
    import('../../connectors/kafka/open.js'),
    import('../../connectors/redis/open.js'),
    import('../../connectors/clickhouse/open.js'),
    import('../schema/index.js'),
  ]);
  const schemas = confluentRegistry({ url: registry });
  return openAll(async (keep) => {
    const warned = onWarning ? { onWarning } : {};
    const topics = keep(await openKafka({ brokers: brokersOf(kafka), registry: schemas, standbys, ...warned }));
    const hashes = keep(await openRedis({ url: redis }));
    const tables = keep(await openClickHouse({ url: clickhouse }));
    return {
      name: 'local',
      sources: { kafka: topics.source, [INTERNAL]: topics.internal.source },
      sinks: {
        kafka: topics.topicSink,
        [INTERNAL]: topics.internal.sink,
        redis: hashes.hashSink,
        clickhouse: tables.tableSink,
      },
      openLedger: (task) => topics.openLedger(task),
      join: (member) => topics.join(member),
      schemas,
      producer: () => topics.producer(),
      endOffsets: (topic) => topics.endOffsets(topic),
      offsetsAt: (topic, point) => topics.offsetsAt(topic, point),
      checkpoints: topics.checkpoints,
      query: (sql) => tables.query(sql),
      command: (sql) => tables.command(sql),
      exportParquet: (sql, file) => tables.exportParquet(sql, file),
    };
  });
}

/**
 * Takes a process that is known to be dead out of the group that shares a topology's tasks, so that others have them at
 * once and need not wait until its session times out.
 */
export async function expelMember({ kafka, registry }: Config, topology: string, memberId: string): Promise<void> {
  const [{ openKafka }, { confluentRegistry }] = await Promise.all([
    import('../../connectors/kafka/open.js'),
    import('../schema/index.js'),
  ]);
  const opened = await openKafka({ brokers: brokersOf(kafka), registry: confluentRegistry({ url: registry }) });
  try {
    await opened.expel(topology, memberId);
  } finally {
    await opened.close();
  }
}

const brokersOf = (kafka: string): string[] => kafka.split(',').map((broker) => broker.trim());

interface Closable {
  close(): Promise<void>;
}

/** Opens several things that close together, in the opposite order, even where opening fails half-way. */
async function openAll(
  open: (keep: <T extends Closable>(opened: T) => T) => Promise<Omit<OpenProfile, 'close'>>,
): Promise<OpenProfile> {
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
