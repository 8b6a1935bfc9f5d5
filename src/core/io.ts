import type { Duration } from './duration.js';
import type { EventClock } from './event-clock.js';
import type { KindDefinition, SinkKind, SourceKind, WriteMode } from './kind.js';
import type { LookupDriver } from './lookup.js';
import type { Problem, Settings } from './operator.js';
import type { Origin, OutgoingRecord, RawRecord } from './record.js';
import type { Schema, SchemaRegistry } from './schema.js';
import type { StateChange } from './state.js';
import type { WatermarkMarker, WatermarkMarkers } from './watermark-marker.js';

declare const OUT: unique symbol;
declare const IN: unique symbol;

/** An input as inert data: what its connector says of it, and its options. */
export interface Source<out T> {
  readonly connector: string;
  readonly kind: string;
  /** Says how it is opened; missing where the profile itself has a driver of that name, as for what lies between subtopologies. */
  readonly definition?: KindDefinition<SourceKind> | undefined;
  readonly topic: string;
  readonly schema: Schema<unknown>;
  readonly settings: Settings;
  /** What is wrong with its options: `check` tells of it. */
  readonly problems?: readonly Problem[] | undefined;
  /** The connector's own business. */
  readonly options?: unknown;
  /** Event time of a decoded value; `timestampMs` is the log's own. */
  readonly eventTimeOf: (value: unknown, timestampMs: number) => number;
  /**
   * How long (processing time) a task with several inputs waits for this one when it is quiet; for ever where it is
   * missing, which alone makes the merged order a function of the logs.
   */
  readonly idleTimeout?: Duration | undefined;
  /**
   * How far (event time) a record may trail the latest one before it: the watermark trails by as much. None by default:
   * whatever is out of order is late.
   */
  readonly outOfOrdernessMax?: Duration | undefined;
  /**
   * How far an event time may lie ahead of the log's timestamp of the record. Left out where timestamps are made by reading; then,
   * as always but with `none`, an event time that must be one in seconds is refused.
   */
  readonly aheadMax?: Duration | 'none' | undefined;
  /** Its values are `Upsert`s: the record's key as text, and the decoded value or, for a tombstone, `null`. */
  readonly upserts?: boolean | undefined;
  /** Its log carries marks of the tasks that write it: event time goes by them, not by the records. */
  readonly hasWatermarkMarkers?: boolean | undefined;
  /** Every task reads all partitions of it, instead of the one of its own number. */
  readonly global?: boolean | undefined;
  /**
   * Where to go on when the log has no more what comes next: at its oldest record, or at its end. Otherwise that is a
   * failure: records would be missing without a word.
   */
  readonly onDataLoss?: 'earliest' | 'latest' | undefined;
  /** Whether it reads what a sink of its connector writes, going by the sample of its `place`. Topics are compared by name. */
  readonly covers?: ((sample: string) => boolean) | undefined;
  readonly [OUT]?: (() => T) | undefined;
}

/** Where a sink writes: what messages call it, and a name such as its values may get there. */
export interface SinkPlace {
  readonly called: string;
  readonly sample: string;
}

/** An output as inert data. `options` is the connector's own business. */
export interface Sink<in T> {
  readonly connector: string;
  readonly kind: string;
  /** As of a source. */
  readonly definition?: KindDefinition<SinkKind> | undefined;
  readonly settings: Settings;
  /** What is wrong with its options: `check` tells of it. */
  readonly problems?: readonly Problem[] | undefined;
  readonly options: unknown;
  /**
   * Written only after the checkpoint, from rows that the checkpoint keeps until the sink has taken them; a task commits
   * early rather than keep more than `rowsMax`.
   */
  readonly deferred?: { readonly rowsMax: number } | undefined;
  /**
   * Its values are changes, each taking the place of what was written of its key before. A writer outside the ledger's
   * transaction is given them numbered: `offset` in their origins counts those of its task.
   */
  readonly changes?: boolean | undefined;
  /** Where it writes, if not to a topic: `check` asks sources whether they read that. None where values decide it. */
  readonly place?: SinkPlace | undefined;
  readonly [IN]?: ((value: T) => void) | undefined;
}

/** A task: one partition number of a topology. */
export interface TaskId {
  readonly topology: string;
  readonly partition: number;
}

/** In the place of an offset: the oldest record that the log still has. */
export const EARLIEST = -2;

/** Where a source stands: always of the record to read next, never of the last one read. */
export interface Position {
  readonly offset: number;
  /** Event time up to which this input was merged; before all time while its clock is tentative. */
  readonly mergeTimeMs: number;
  /** The clock of this input where it is tentative, or has seen times ahead that are not confirmed (see `observe`). */
  readonly clock?: EventClock | undefined;
  /** Of a source with marks: what they said up to here. */
  readonly watermarkMarkers?: WatermarkMarkers | undefined;
  /** Of a source whose offsets are no addresses: what the reader said of where this one lies. JSON, some hundred bytes. */
  readonly sourceState?: unknown;
}

/** What the wall clock decided and state alone does not tell, by name. JSON, some hundred bytes. */
export type SettledDecisions = Readonly<Record<string, unknown>>;

/** The state of a task after an epoch. */
export interface Checkpoint {
  readonly epoch: number;
  /** Raised by savepoint restore, offset reset and topic re-creation; part of every fence and row version. */
  readonly incarnation: number;
  readonly topologyHash: string;
  /** How many tasks the topology had; unknown where an older version wrote it. */
  readonly tasks?: number | undefined;
  /** By source step id; of a global source by id and partition (see `positionKey`). */
  readonly positions: Readonly<Record<string, Position>>;
  readonly settledDecisions: SettledDecisions;
  /** By sink step id: what a prepared sink needs to find again what it has prepared. JSON, a few kilobytes at most. */
  readonly committables?: Readonly<Record<string, unknown>> | undefined;
}

export interface RestoredTask {
  readonly checkpoint: Checkpoint | undefined;
  readonly state: readonly StateChange[];
}

/** The keeper of one task's checkpoints: the truth. Outputs of transactional sinks go into the same atomic step. */
export interface TaskLedger {
  /** Fences earlier owners, then reads what was last committed. */
  restore(): Promise<RestoredTask>;
  /** Atomically stores checkpoint, state changes and what transactional sinks of this task wrote since the last one. */
  commit(checkpoint: Checkpoint, changes: readonly StateChange[]): Promise<void>;
  close(): Promise<void>;
}

/** Reads one partition of a source for one task. */
export interface SourceReader {
  /** The next records in offset order; waits a little where there is nothing. `ended`: none will follow. */
  poll(recordsMax: number): Promise<{
    readonly records: readonly RawRecord[];
    readonly ended: boolean;
    /** How many records before these were passed over, since the log has them no more (see `onDataLoss`). */
    readonly skipped?: number;
  }>;
  /** A checkpoint stands at this offset: of a log that only this task reads, what lies before it may be deleted. */
  release?(offset: number): void;
  /** Whether it has not yet given all that the log held when it was opened: such an input is not quiet, but slow. */
  readonly isBehind?: boolean;
  /** Where the record to read next lies, for `open`; asked at each checkpoint, of offsets that rise. */
  sourceStateOf?(offset: number): unknown;
  close(): Promise<void>;
}

/** Opens sources of one kind. */
export interface SourceDriver {
  /** Creates what is missing; called once a run before any task opens. Commands that only look do not call it. */
  setUp?(source: Source<unknown>): Promise<void>;
  partitions(source: Source<unknown>): Promise<number>;
  open(source: Source<unknown>, at: SourceOpening): Promise<SourceReader>;
}

/** Where, and how far, a task reads one partition of a source. */
export interface SourceOpening {
  readonly task: TaskId;
  /** The task's own number, except for global sources. */
  readonly partition: number;
  /** Of the first record to read, or `EARLIEST`. */
  readonly offset: number;
  /** End at what the log holds now. */
  readonly bounded: boolean;
  /** The id under which checkpoints hold this source's position: a ledger that publishes positions finds their topics by it. */
  readonly step: string;
  /** What a reader said of this offset (`sourceStateOf`). */
  readonly sourceState?: unknown;
}

/** Writes what reaches one sink of one task. */
export interface SinkWriter {
  /** Takes values in order, one origin each; the runtime never has two writes outstanding. */
  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void>;
  /** Why the target has no room for a value: asked of each before it is written or kept for later; such go to the dead letters. */
  unrepresentable?(value: unknown): string | undefined;
  /** Takes values of which an earlier process may have written some; without it they are simply written again. */
  recover?(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void>;
  /** Tells every partition of the target how far this task has come, behind all that it wrote before. */
  mark?(mark: WatermarkMarker): void;
  /** The inputs of a bounded run have ended: nothing follows the next epoch. */
  finish?(): void;
  /** Whether it wants an epoch although nothing was read. */
  isDue?(): boolean;
  /**
   * Before the checkpoint is stored: from here on these writes survive a crash (or are in the ledger's transaction). What
   * a prepared sink resolves with is stored in the checkpoint, and given back to whoever opens the sink after it.
   */
  prepare?(): Promise<unknown>;
  /** After the checkpoint is stored; repeatable. */
  commit?(): Promise<void>;
  close(): Promise<void>;
}

/** Which step, of which task, a sink is opened for. */
export interface SinkContext {
  readonly step: string;
  readonly task: TaskId;
  readonly incarnation: number;
  /** What the sink said as it prepared the last epoch that was stored. */
  readonly committable?: unknown;
}

/** One difference, in words. */
export const mismatchText = ({ what, setting, declared, actual }: ConfigMismatch): string =>
  `${what}: ${setting} is ${actual}, declared is ${declared}`;

/** Something outside that is not as the topology declares it. */
export interface ConfigMismatch {
  /** Such as `topic 'scored.v1'`. */
  readonly what: string;
  readonly setting: string;
  readonly declared: string;
  readonly actual: string;
  readonly hint: string;
  /** A run would not start. */
  readonly refused: boolean;
}

/** Opens sinks of one kind, and knows how sure their writes are. */
export interface SinkDriver {
  readonly mode: WriteMode;
  /** Creates what is missing, checks what is there; called once a run before any task opens. */
  setUp?(
    sink: Sink<unknown>,
    context: { readonly topology: string; readonly step: string; readonly partitions: number },
  ): Promise<void>;
  /** Looks where what is there differs from what the sink declares, and changes nothing. */
  mismatches?(sink: Sink<unknown>): Promise<readonly ConfigMismatch[]>;
  open(sink: Sink<unknown>, context: SinkContext): Promise<SinkWriter>;
  /** Asks whether what it writes to answers, once and without trying again. Asked only while a sink is down. */
  ping?(): Promise<void>;
}

/** Writes into topics from outside a topology: loaders, tests, tools. Keys are partitioned by murmur2, as Java does. */
export interface TopicProducer {
  createTopic(topic: string, partitions: number): Promise<void>;
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  /** Appends to one partition whatever the keys say: for what goes back to where it was. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** What a process tells the group of processes that share a topology's tasks. */
export interface GroupMember {
  readonly topology: string;
  /** The topology's inputs, co-partitioned: a task is a partition number of all of them. */
  readonly sources: readonly Source<unknown>[];
  /** How many tasks the group shares out. */
  readonly tasks: number;
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
   * Drivers that the profile brings itself, by the name of a kind or of a connector: of what lies between subtopologies, and in the
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
