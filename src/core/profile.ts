import type { TaskId, TaskLedger } from './checkpoint.js';
import { MillraceError } from './errors.js';
import type { KindDefinition } from './kind.js';
import type { Lookup, LookupDriver } from './lookup.js';
import type { OutgoingRecord } from './record.js';
import type { SchemaRegistry } from './schema.js';
import type { Sink, SinkDriver } from './sink.js';
import type { Source, SourceDriver } from './source.js';

/** Writes to topics from outside a topology: loaders, tests, tools. Keys are partitioned by murmur2, as in Java. */
export interface TopicProducer {
  /**
   * Creates a missing topic with these configs of Kafka's; one partition if `partitions` is undefined. The embedded log takes the retention of an
   * existing topic from them too.
   *
   * @throws MillraceError `config` if it exists with another number of partitions than given, and for a name or a number that no
   * topic can have.
   */
  createTopic(topic: string, partitions: number | undefined, configs?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Resolves when the records are durable. A call that fails makes no later one fail.
   *
   * @throws TooLarge where the topic does not take a record of this size; MillraceError `sink`.
   */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /** Appends to one partition, whatever the keys: for records that are written back to where they came from. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** The version of a topology that a process runs. A group assigns its tasks to processes of one layout at a time. */
export interface TopologyVersion {
  /** The hash of the whole topology, which `plan` prints and `--accept-plan` takes. */
  readonly hash: string;
  /** The hash of what positions and state belong to: sources, stateful steps and versions of state. */
  readonly layout: string;
  /** Whether the process may continue from checkpoints of another layout, and take over from processes with one. */
  readonly accepted: boolean;
}

/** A member of the group of processes that share the tasks of a topology. */
export interface GroupMember {
  readonly topology: string;
  /** The inputs of the topology, co-partitioned: task N reads partition N of each. */
  readonly sources: readonly Source<unknown>[];
  /** The number of tasks of the group. */
  readonly tasks: number;
  readonly version: TopologyVersion;
  /** The address at which other processes can query the state of this process's tasks. */
  readonly address?: string | undefined;
  /** Whether this process is paused, which the group tells those that join it. */
  isPaused?(): boolean;
  /** Called before the first `onAssigned` with tasks, if a member that has some is paused. */
  onPaused?(): void;
  /** Called with all partitions of this process, each time they change. */
  onAssigned(partitions: readonly number[]): void;
  /** Called with the id of this process in the group, for those who can report its death to the group. */
  onJoined?(memberId: string): void;
  /** Called when membership is lost for good: the run ends with this cause. */
  onFailed(cause: unknown): void;
}

/** A task of another process that this one follows and could take over. */
export interface StandbyStatus {
  readonly partition: number;
  /** Whether it has read everything that its owner had written. */
  readonly ready: boolean;
  /** Records that the owner has written and this process has not read yet. */
  readonly recordsBehind: number;
  /** The memory of its state in this process. */
  readonly bytes: number;
}

export interface Membership {
  /** The tasks that this process follows; missing if the profile has no standbys. */
  standbys?(): readonly StandbyStatus[];
  /** The address at which the owner of a task answers queries, if known. */
  addressOf?(partition: number): string | undefined;
  /** Gives up this process's tasks at once. */
  leave(): Promise<void>;
}

export type Driver = SourceDriver | SinkDriver | LookupDriver;

/** The services that a topology runs on: a ledger, and the drivers of its sources, sinks and lookups. */
export interface Profile {
  readonly name: string;
  /** Returns the driver of a kind; opens its connector at the first call. */
  driver?(kind: KindDefinition): Promise<Driver>;
  /**
   * Drivers that the profile itself provides, by the name of a kind or a connector: those of the topics between sub-topologies, and
   * replacements for drivers of definitions.
   */
  readonly sources: Readonly<Record<string, SourceDriver>>;
  readonly sinks: Readonly<Record<string, SinkDriver>>;
  readonly lookups?: Readonly<Record<string, LookupDriver>> | undefined;
  /** Opens the ledger of a task and fences its previous owner. */
  openLedger(task: TaskId): Promise<TaskLedger>;
  /** Joins the group that shares the tasks; without it, all tasks belong to this process. */
  join?(member: GroupMember): Promise<Membership>;
  readonly schemas: SchemaRegistry;
  /** The time that servers have delayed this process because of their quotas, in milliseconds. */
  throttledMs?(): number;
  close(): Promise<void>;
}

type World<D extends keyof Profile = 'name'> = Pick<Profile, 'name' | 'driver' | D>;

/**
 * The driver of a source: the profile's own for its kind or connector, otherwise that of the connector that the source carries,
 * which is opened at the first call.
 *
 * @throws MillraceError `config` if the profile has no driver; the connector's error if it cannot be opened.
 */
export const sourceDriver = (
  profile: World<'sources'>,
  source: Source<unknown>,
  where: string,
): Promise<SourceDriver> => driverOf(profile, profile.sources, source, where);

/** The driver of a sink, found like that of a source. */
export const sinkDriver = (profile: World<'sinks'>, sink: Sink<never>, where: string): Promise<SinkDriver> =>
  driverOf(profile, profile.sinks, sink, where);

/** The driver of a lookup, found like that of a source. */
export const lookupDriver = (
  profile: World<'lookups'>,
  lookup: Lookup<unknown>,
  where: string,
): Promise<LookupDriver> => driverOf(profile, profile.lookups, lookup, where);

interface Carrier {
  readonly connector: string;
  readonly kind: string;
  readonly definition?: KindDefinition | undefined;
}

async function driverOf<D extends Driver>(
  profile: World,
  own: Readonly<Record<string, D>> = {},
  { connector, kind, definition }: Carrier,
  where: string,
): Promise<D> {
  const brought = Object.hasOwn(own, kind) ? own[kind] : own[connector];
  if (brought !== undefined) return brought;
  if (definition !== undefined && profile.driver !== undefined) return (await profile.driver(definition)) as D;
  throw new MillraceError('config', `the ${profile.name} profile has no connector '${connector}'`, {
    where,
    hint: `the profile itself has ${Object.keys(own).join(', ') || 'none'}; a connector that defineConnector made has all of its kinds`,
  });
}

/** The same profile with the driver of each source wrapped. */
export const withSources = <P extends Profile>(profile: P, wrap: (driver: SourceDriver) => SourceDriver): P => ({
  ...profile,
  sources: allThrough(profile.sources, wrap),
  driver: through(profile, 'source', wrap),
});

/** The same profile with the driver of each sink wrapped. */
export const withSinks = <P extends Profile>(profile: P, wrap: (driver: SinkDriver) => SinkDriver): P => ({
  ...profile,
  sinks: allThrough(profile.sinks, wrap),
  driver: through(profile, 'sink', wrap),
});

const allThrough = <D>(drivers: Readonly<Record<string, D>>, wrap: (driver: D) => D): Record<string, D> =>
  Object.fromEntries(Object.entries(drivers).map(([name, driver]) => [name, wrap(driver)]));

const through = <D extends Driver>(
  { driver }: Profile,
  role: KindDefinition['role'],
  wrap: (driver: D) => D,
): Profile['driver'] =>
  driver && (async (kind) => (kind.role === role ? wrap((await driver(kind)) as D) : driver(kind)));
