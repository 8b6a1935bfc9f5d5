import { join } from 'node:path';
import { letterKey } from '../../connectors/kafka/dead-letter-record.js';
import type { CheckpointStore, LogEnd, LogPoint } from '../core/checkpoint.js';
import type { Finding } from '../core/connector.js';
import { type ConnectorContext, type ConnectorDefinition, connectorOf, type OpenConnector } from '../core/connector.js';
import { MillraceError } from '../core/errors.js';
import { INTERNAL } from '../core/internal.js';
import type { KindDefinition } from '../core/kind.js';
import type { Driver, Profile, TopicProducer } from '../core/profile.js';
import type { SchemaRegistry } from '../core/schema.js';
import type { SinkDriver } from '../core/sink.js';
import { getOrInsert } from '../util/maps.js';
import { makePrivateFolder } from '../util/private-files.js';
import { builtInConnectors } from './built-in.js';
import type { CallConnector, EmbeddedBeside } from './embedded/index.js';
import { examineRegistry } from './examine-registry.js';
import type { Config } from './settings.js';

/** A profile, and what tools need beside running a topology on it. */
export interface OpenProfile extends Profile {
  driver(kind: KindDefinition): Promise<Driver>;
  /** Opens a connector unless it is open; it is closed with the profile. */
  connect<O extends OpenConnector>(connector: Opens<O>): Promise<O>;
  /** Writes into topics from outside a topology. */
  producer(): TopicProducer;
  /** Offsets of the next records of a topic, by partition. */
  endOffsets(topic: string): Promise<readonly number[]>;
  /** By partition, where a log ends, also for readers of committed records. */
  logEnds(topic: string): Promise<readonly LogEnd[]>;
  offsetsAt(topic: string, point: LogPoint): Promise<readonly number[]>;
  readonly checkpoints: CheckpointStore;
  /**
   * For `millrace doctor`: the servers of the log and of its schemas; absent where they are in the process. Whether a registry is
   * needed may be unknown.
   */
  examine?(needsRegistry: boolean | undefined): AsyncIterable<Finding>;
  /** What the embedded profile keeps goes with its folder: only what is outside can be removed. */
  readonly removal: Removal;
}

/** A definition of which only matters what it opens. */
type Opens<O extends OpenConnector> = Pick<ConnectorDefinition, 'name' | 'settings'> & {
  open(context: never): Promise<O>;
};

export interface Removal {
  topic(name: string): Promise<void>;
  /** State, positions and group of a topology that does not run. */
  topology(name: string): Promise<void>;
}

export interface ProfileOptions {
  /** Told of what the clients mended without help. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Replaces the server's schema registry; for `verify`. */
  readonly registry?: (registry: SchemaRegistry) => SchemaRegistry;
  /**
   * For commands that run no topology: if another process has the embedded store open, they use it through that process. What would
   * change checkpoints is refused.
   */
  readonly besideOwner?: boolean;
}

/**
 * Opens the world a topology runs in: its log with the checkpoints. Connectors are opened when a topology or a command first uses
 * them, by the definition that their sources, sinks and lookups carry, so that no client is loaded in vain.
 *
 * @throws MillraceError with the address that does not answer, or the folder that another process holds.
 * @example
 * const profile = await openProfile(await readConfig());
 */
export const openProfile = (config: Config, options: ProfileOptions = {}): Promise<OpenProfile> =>
  config.profile === 'embedded' ? openEmbeddedProfile(config, options) : openClusterProfile(config, options);

async function openEmbeddedProfile(config: Config, options: ProfileOptions): Promise<OpenProfile> {
  const { data } = config;
  const path = join(data, 'log');
  const [{ openBeside, openEmbedded, serveCommands }, { localRegistry }] = await Promise.all([
    import('./embedded/index.js'),
    import('../schema/index.js'),
  ]);
  const beside = options.besideOwner ? await openBeside(path) : undefined;
  if (beside) return profileBeside(config, options, beside);
  makePrivateFolder(data);
  const log = await openEmbedded({
    path,
    registry: localRegistry(),
    letterKey: letterKey(config.deadLetterKey),
  });
  const connectors = new Connectors(config, options, {
    schemas: log.schemas,
    log: {
      source: log.source,
      sink: log.topicSink,
      producer: () => log.producer(),
      deleteTopic: async () => undefined,
    },
    hashes: {
      sink: log.hashSink,
      lookup: log.hashLookup,
      keys: (prefix) => [...log.hashes()].flatMap(({ key }) => (key.startsWith(prefix) ? [key] : [])),
      read: (key) => log.getHash(key),
    },
    data,
  });
  const commands = await serveCommands(path, log, (...call) => connectors.callShared(...call)).catch(async (error) => {
    await log.close();
    throw error;
  });
  return {
    ...connectors.profile,
    sources: { [INTERNAL]: log.source },
    sinks: { [INTERNAL]: log.topicSink },
    openLedger: (task) => log.openLedger(task),
    schemas: log.schemas,
    producer: () => log.producer(),
    endOffsets: (topic) => log.endOffsets(topic),
    logEnds: async (topic) => (await log.endOffsets(topic)).map((end) => ({ end, stableEnd: end })),
    offsetsAt: (topic, point) => log.offsetsAt(topic, point),
    checkpoints: log.checkpoints,
    removal: ownFolder,
    async close() {
      await commands.close();
      await connectors.closeBefore(log);
    },
  };
}

/** What the embedded profile keeps goes with its folder. */
const ownFolder: Removal = { topic: async () => undefined, topology: async () => undefined };

/** The embedded profile as a command sees it through the process that has the store open. */
function profileBeside(config: Config, options: ProfileOptions, store: EmbeddedBeside): OpenProfile {
  const { data } = config;
  const refuse = async (): Promise<never> => {
    throw store.inUse();
  };
  const { source, schemas } = store;
  const sink: SinkDriver = { mode: 'transactional', open: refuse };
  const connectors = new Connectors(config, options, {
    schemas,
    log: { source, sink, producer: () => store.producer(), deleteTopic: async () => undefined },
    data,
    callOwner: store.callConnector,
  });
  return {
    ...connectors.profile,
    sources: { [INTERNAL]: source },
    sinks: { [INTERNAL]: sink },
    openLedger: refuse,
    schemas,
    producer: () => store.producer(),
    endOffsets: (topic) => store.endOffsets(topic),
    logEnds: async (topic) => (await store.endOffsets(topic)).map((end) => ({ end, stableEnd: end })),
    offsetsAt: (topic, point) => store.offsetsAt(topic, point),
    checkpoints: store.checkpoints,
    removal: ownFolder,
    close: () => connectors.closeBefore(store),
  };
}

async function openClusterProfile(config: Config, options: ProfileOptions): Promise<OpenProfile> {
  const { onWarning } = options;
  const [{ openKafka }, { kafkaOptions }, { settings }, { registryOptions }, { confluentRegistry }] = await Promise.all(
    [
      import('../../connectors/kafka/open.js'),
      import('../../connectors/kafka/reached-by.js'),
      import('../../connectors/kafka/settings.js'),
      import('./registry-options.js'),
      import('../schema/index.js'),
    ],
  );
  const own = confluentRegistry(await registryOptions(config));
  const schemas = options.registry?.(own) ?? own;
  const kafka = await openKafka({
    ...kafkaOptions(config.valuesOf(settings)),
    registry: schemas,
    standbys: config.standbys,
    letterKey: letterKey(config.deadLetterKey),
    ...(onWarning ? { onWarning } : {}),
  });
  const connectors = new Connectors(config, options, {
    schemas,
    log: {
      source: kafka.source,
      sink: kafka.topicSink,
      producer: () => kafka.producer(),
      deleteTopic: (topic) => kafka.deleteTopic(topic),
    },
  });
  return {
    ...connectors.profile,
    sources: { [INTERNAL]: kafka.internal.source },
    sinks: { [INTERNAL]: kafka.internal.sink },
    openLedger: (task) => kafka.openLedger(task),
    join: (member) => kafka.join(member),
    throttledMs: () => kafka.throttledMs(),
    schemas,
    producer: () => kafka.producer(),
    endOffsets: (topic) => kafka.endOffsets(topic),
    logEnds: (topic) => kafka.logEnds(topic),
    offsetsAt: (topic, point) => kafka.offsetsAt(topic, point),
    checkpoints: kafka.checkpoints,
    async *examine(needsRegistry) {
      yield* await kafka.examine();
      yield* examineRegistry(schemas, new URL(config.registry).host, needsRegistry);
    },
    removal: { topic: (name) => kafka.deleteTopic(name), topology: (name) => kafka.forget(name) },
    close: () => connectors.closeBefore(kafka),
  };
}

/**
 * Takes a process that is known to be dead out of the group that shares a topology's tasks, so that others have them at
 * once and need not wait until its session times out.
 */
export async function removeMember(config: Config, topology: string, memberId: string): Promise<void> {
  const [{ openKafka }, { kafkaOptions }, { settings }, { confluentRegistry }] = await Promise.all([
    import('../../connectors/kafka/open.js'),
    import('../../connectors/kafka/reached-by.js'),
    import('../../connectors/kafka/settings.js'),
    import('../schema/index.js'),
  ]);
  const registry = confluentRegistry({ url: config.registry }); // asked nothing
  const opened = await openKafka({ ...kafkaOptions(config.valuesOf(settings)), registry });
  try {
    await opened.removeMember(topology, memberId);
  } finally {
    await opened.close();
  }
}

/** The connectors of a profile: each is opened once, when it is first used. */
class Connectors {
  private readonly open = new Map<Opens<OpenConnector>, Promise<OpenConnector>>();

  constructor(
    private readonly config: Config,
    private readonly options: ProfileOptions,
    private readonly world: Pick<ConnectorContext, 'schemas' | 'log' | 'hashes' | 'data'> & {
      readonly callOwner?: CallConnector;
    },
  ) {}

  get profile(): Pick<OpenProfile, 'name' | 'driver' | 'connect'> {
    return {
      name: this.config.profile,
      connect: <O extends OpenConnector>(connector: Opens<O>) => this.connect(connector),
      driver: async (kind) => {
        const connector = connectorOf(kind);
        const name = kind.kind.slice(connector.name.length + 1);
        const { drivers } = await this.connect(connector);
        return drivers[name] as Driver;
      },
    };
  }

  private connect<O extends OpenConnector>(connector: Opens<O>): Promise<O> {
    const opening = getOrInsert(this.open, connector, async () => {
      const { config, options } = this;
      const { callOwner, ...world } = this.world;
      const onWarning = (message: string) => options.onWarning?.(message);
      const context: ConnectorContext = {
        ...world,
        ...(callOwner && { owner: (call, ...args) => callOwner(connector.name, call, args) }),
        profile: config.profile,
        settings: config.valuesOf(connector.settings),
        onWarning,
      };
      return connector.open(context as never);
    });
    opening.catch(() => this.open.delete(connector)); // it may be tried again
    return opening as Promise<O>;
  }

  /** Calls a connector for a command of another process. */
  async callShared(name: string, call: string, args: readonly unknown[]): Promise<unknown> {
    const opened = [...this.open.keys()].find((connector) => connector.name === name);
    const connector = opened ?? (await builtInConnectors()).find((builtIn) => builtIn.name === name);
    const { shared = {} } = connector ? await this.connect(connector) : {};
    if (!Object.hasOwn(shared, call)) throw new MillraceError('internal', `${name} has no call '${call}'`);
    return (shared[call] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  }

  /** Closes the connectors, the last one first, and then what they stand on, even where some cannot be closed. */
  async closeBefore(last: { close(): void | Promise<void> }): Promise<void> {
    const opened = await Promise.allSettled([...this.open.values()].reverse());
    this.open.clear();
    const closing = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failures: unknown[] = [];
    for (const one of [...closing, last]) {
      try {
        await one.close?.();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
