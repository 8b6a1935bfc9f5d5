import type { TaskId, TaskLedger } from './checkpoint.js';
import { MillraceError } from './errors.js';
import type { KindDefinition } from './kind.js';
import type { Lookup, LookupDriver } from './lookup.js';
import type { OutgoingRecord } from './record.js';
import type { SchemaRegistry } from './schema.js';
import type { Sink, SinkDriver } from './sink.js';
import type { Source, SourceDriver } from './source.js';

/** Writes into topics from outside a topology: loaders, tests, tools. Keys are partitioned by murmur2, as Java does. */
export interface TopicProducer {
  createTopic(topic: string, partitions: number): Promise<void>;
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /** Appends to one partition whatever the keys say: for what goes back to where it was. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Which version of a topology a process runs. A group gives its tasks to processes of one layout at a time. */
export interface TopologyVersion {
  /** Of the whole topology: `plan` prints it and `--accept-plan` takes it. */
  readonly hash: string;
  /** Of what positions and state belong to: sources, stateful steps and versions of state. */
  readonly layout: string;
  /** Whether the process may go on from checkpoints of another layout, and take over from processes of one. */
  readonly accepted: boolean;
}

/** What a process tells the group of processes that share a topology's tasks. */
export interface GroupMember {
  readonly topology: string;
  /** The topology's inputs, co-partitioned: a task is a partition number of all of them. */
  readonly sources: readonly Source<unknown>[];
  /** How many tasks the group shares out. */
  readonly tasks: number;
  readonly version: TopologyVersion;
  /** Where this process answers questions about its tasks, as the others can reach it. */
  readonly address?: string | undefined;
  /** Called with the partitions that are this process's own from now on, each time that changes. */
  onAssigned(partitions: readonly number[]): void;
  /** What the group calls this process from now on: for who can tell the group of its death. */
  onJoined?(memberId: string): void;
  /** The group is lost for good: the run ends with this cause. */
  onFailed(cause: unknown): void;
}

/** A task of another process that this one could take over. */
export interface StandbyStatus {
  readonly partition: number;
  /** Whether it has been read as far as there was anything to read. */
  readonly ready: boolean;
  /** What its owner has written and this process has not read yet. */
  readonly recordsBehind: number;
  /** Of its state, in this process's memory. */
  readonly bytes: number;
}

export interface Membership {
  /** The tasks that this process follows; none where the profile has no standbys. */
  standbys?(): readonly StandbyStatus[];
  /** Where the owner of a task answers questions about it, as far as it is known. */
  addressOf?(partition: number): string | undefined;
  /** Gives this process's tasks to the others at once. */
  leave(): Promise<void>;
}

export type Driver = SourceDriver | SinkDriver | LookupDriver;

/** The world a topology runs in: one ledger, and what opens the connectors of its sources, sinks and lookups. */
export interface Profile {
  readonly name: string;
  /** Opens the connector of a kind unless it is open, and gives the kind's driver. */
  driver?(kind: KindDefinition): Promise<Driver>;
  /**
   * Drivers that the profile brings itself, by the name of a kind or of a connector: of what lies between sub-topologies, and in the
   * place of those that definitions open.
   */
  readonly sources: Readonly<Record<string, SourceDriver>>;
  readonly sinks: Readonly<Record<string, SinkDriver>>;
  readonly lookups?: Readonly<Record<string, LookupDriver>> | undefined;
  /** Fencing is the ledger's: opening a task takes it over. */
  openLedger(task: TaskId): Promise<TaskLedger>;
  /** Joins the group that shares the tasks out; a profile without one gives all tasks to its only process. */
  join?(member: GroupMember): Promise<Membership>;
  readonly schemas: SchemaRegistry;
  /** How long servers have made this process wait because it exceeds a quota of theirs, in milliseconds. */
  throttledMs?(): number;
  close(): Promise<void>;
}

type World<D extends keyof Profile = 'name'> = Pick<Profile, 'name' | 'driver' | D>;

/**
 * The driver of a source on a profile: the profile's own of its kind or connector, otherwise that of the connector that the source
 * carries, which is opened now unless it is open.
 *
 * @throws MillraceError `config` where the profile has none; what the connector says where it cannot be opened.
 */
export const sourceDriver = (
  profile: World<'sources'>,
  source: Source<unknown>,
  where: string,
): Promise<SourceDriver> => driverOf(profile, profile.sources, source, where);

/** Likewise of a sink. */
export const sinkDriver = (profile: World<'sinks'>, sink: Sink<never>, where: string): Promise<SinkDriver> =>
  driverOf(profile, profile.sinks, sink, where);

/** Likewise of a lookup. */
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

/** The same profile, the driver of each source seen through `wrap`. */
export const withSources = <P extends Profile>(profile: P, wrap: (driver: SourceDriver) => SourceDriver): P => ({
  ...profile,
  sources: allThrough(profile.sources, wrap),
  driver: through(profile, 'source', wrap),
});

/** Likewise of each sink. */
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
