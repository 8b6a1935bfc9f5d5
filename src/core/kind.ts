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
