import type { OptionSpecs } from './options.js';

// What is said of each kind of source, sink and lookup: plain data that every one of them carries.

/** Where topologies run: everything in this process, or on the servers of a cluster. */
export type ProfileName = 'embedded' | 'cluster';

/**
 * How sure a sink's writes are: in the ledger's own transaction; out of sight until a repeatable step after the checkpoint,
 * which also keeps the way to them; repeatable without effect; or merely appended.
 */
export type WriteMode = 'transactional' | 'prepared' | 'idempotent' | 'append';
export type Delivery = 'exactly-once' | 'effectively-once' | 'at-least-once';

interface AnyKind<S extends OptionSpecs> {
  /** A sentence. */
  readonly doc: string;
  /** Their types, their defaults, what `check` finds wrong, `millrace connectors show` and the tables of the guide. */
  readonly options: S;
}

/** What is said of a kind of source. */
export interface SourceKind<S extends OptionSpecs = OptionSpecs> extends AnyKind<S> {
  readonly role: 'source';
  /** Its records lie in a topic of the profile's log, of the name that the source has as `topic`: its offsets are that topic's. */
  readonly readsLog?: boolean | undefined;
}

/** What is said of a kind of lookup. */
export interface LookupKind<S extends OptionSpecs = OptionSpecs> extends AnyKind<S> {
  readonly role: 'lookup';
}

/** What is said of a kind of sink. */
export interface SinkKind<S extends OptionSpecs = OptionSpecs> extends AnyKind<S> {
  readonly role: 'sink';
  /** The delivery guarantee follows from it; by profile where profiles differ. The driver's `mode` is the same. */
  readonly writes: WriteMode | Readonly<Record<ProfileName, WriteMode>>;
  /** How `millrace verify` leads it elsewhere; a topology with a kind that lacks this is refused there. */
  readonly verify?: SinkVerification | undefined;
}

/** What is said of a kind where its connector is defined. */
export type KindSpec = SourceKind | SinkKind | LookupKind;

/** A kind of a connector; each source, sink or lookup carries its own as `definition`. */
export type KindDefinition<K extends KindSpec = KindSpec> = K & {
  /** `CONNECTOR.NAME`, as it is called and as `describe` prints it: `http.webhookSink`. */
  readonly kind: string;
  /** Its connector; the type that it really has is that of `connectorOf`. */
  readonly connector: { readonly name: string };
};

/** How sure the writes of a kind of sink are on a profile. */
export const writeModeOn = ({ writes }: SinkKind, profile: ProfileName): WriteMode =>
  typeof writes === 'string' ? writes : writes[profile];

// How `millrace verify` leads a sink elsewhere: it runs a topology twice, each run with outputs of its own, and compares them.

/** Where one of the runs writes: nothing outside of it has names that begin with `id`. */
export interface IsolatedPlace {
  /** `verify-` and eight hexadecimal digits. */
  readonly id: string;
  readonly run: 'reference' | 'faulted';
  /** Id of the sink. */
  readonly step: string;
  /** Partitions of the topics that sinks write to outside of the verification, where they exist. */
  readonly partitions: Readonly<Record<string, number>>;
}

/** The name of the topology that runs there: the first part of what its sinks know their writes by. */
export const isolatedName = ({ id, run }: Pick<IsolatedPlace, 'id' | 'run'>): string => `${id}.${run}`;

/** Part of a kind of sink: how its writes are led to a place where they touch nothing. */
export type SinkVerification = IsolatedSink | SendingSink;

/** A sink that writes elsewhere during a verification, where it keeps all that it writes. */
export interface IsolatedSink {
  /** What the report calls its target. */
  called(options: never): string;
  /** The options of a sink that writes there, and keeps all that it writes. */
  isolate(options: never, place: IsolatedPlace): object;
  /**
   * Of a target where tasks write over each other: the same for one task, so that what lies there in the end does not depend on which
   * of them came last. It is set up when the task opens.
   */
  isolateTask?(options: never, place: IsolatedPlace, task: number): object;
}

/** A sink whose target keeps nothing to compare. */
export interface SendingSink {
  /** What it would send of a value: written to a topic instead, and compared there. */
  sends(options: never): (value: unknown) => unknown;
}
