import type { OptionSpecs } from './options.js';

// Definitions of kinds of sources, sinks and lookups: plain data that each source, sink and lookup carries.

/** Where topologies run: everything in this process, or on the servers of a cluster. */
export type ProfileName = 'embedded' | 'cluster';

/**
 * How a sink writes. `transactional`: in the ledger's transaction. `prepared`: hidden until a repeatable step after the checkpoint,
 * which stores how to finish it. `idempotent`: a repeated write has no effect. `append`: a repeated write appears twice.
 */
export type WriteMode = 'transactional' | 'prepared' | 'idempotent' | 'append';
export type Delivery = 'exactly-once' | 'effectively-once' | 'at-least-once';

interface AnyKind<S extends OptionSpecs> {
  /** One sentence. */
  readonly doc: string;
  /** Types and defaults; `check`, `millrace connectors show` and the tables of the guide use them. */
  readonly options: S;
}

/** The definition of a kind of source. */
export interface SourceKind<S extends OptionSpecs = OptionSpecs> extends AnyKind<S> {
  readonly role: 'source';
  /** Its records are in a topic of the profile's log, named by its `topic`; its offsets are those of that topic. */
  readonly readsLog?: boolean | undefined;
}

/** The definition of a kind of lookup. */
export interface LookupKind<S extends OptionSpecs = OptionSpecs> extends AnyKind<S> {
  readonly role: 'lookup';
}

/** The definition of a kind of sink. */
export interface SinkKind<S extends OptionSpecs = OptionSpecs> extends AnyKind<S> {
  readonly role: 'sink';
  /** Decides the delivery guarantee, by profile if profiles differ. It equals the driver's `mode`. */
  readonly writes: WriteMode | Readonly<Record<ProfileName, WriteMode>>;
  /** How `millrace verify` isolates it; `verify` refuses a topology with a kind that lacks this. */
  readonly verify?: SinkVerification | undefined;
}

/** The definition of a kind, as given to `defineConnector`. */
export type KindSpec = SourceKind | SinkKind | LookupKind;

/** A kind of a connector. Each source, sink or lookup carries its own as `definition`. */
export type KindDefinition<K extends KindSpec = KindSpec> = K & {
  /** `CONNECTOR.NAME`, as it is called and as `describe` prints it: `http.webhookSink`. */
  readonly kind: string;
  /** Its connector; `connectorOf` returns it with its full type. */
  readonly connector: { readonly name: string };
};

/** The write mode of a kind of sink on a profile. */
export const writeModeOn = ({ writes }: SinkKind, profile: ProfileName): WriteMode =>
  typeof writes === 'string' ? writes : writes[profile];

// How `millrace verify` isolates a sink: it runs a topology twice, each run with its own outputs, and compares them.

/** The outputs of one of the runs: nothing else has names that begin with `id`. */
export interface Isolation {
  /** `verify-` and eight hexadecimal digits. */
  readonly id: string;
  readonly run: 'reference' | 'faulted';
  /** The id of the sink. */
  readonly step: string;
  /** The partitions of the topics that sinks write to outside of the verification, if they exist. */
  readonly partitions: Readonly<Record<string, number>>;
}

/** The name of the topology in that run: the first part of the ids that its sinks write. */
export const isolatedName = ({ id, run }: Pick<Isolation, 'id' | 'run'>): string => `${id}.${run}`;

/** Part of the definition of a kind of sink: how its writes are isolated. */
export type SinkVerification = IsolatedSink | SendingSink;

/** A sink that writes to another target during a verification, which keeps all that it writes. */
export interface IsolatedSink {
  /** The name of its target in the report. */
  called(options: never): string;
  /** The options of a sink that writes to that target. */
  isolate(options: never, isolation: Isolation): object;
  /**
   * For a target where tasks overwrite each other's values: the options of one task, so that the final content does not depend on
   * which task wrote last. It is set up when the task opens.
   */
  isolateTask?(options: never, isolation: Isolation, task: number): object;
}

/** A sink whose target keeps nothing to compare. */
export interface SendingSink {
  /** What it would send for a value; a verification writes that to a topic and compares it there. */
  sends(options: never): (value: unknown) => unknown;
}
