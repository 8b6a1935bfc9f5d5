/** Turns values into bytes and back; synchronous, since it runs for every record. Throws on what does not fit. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

declare const VALUE: unique symbol;

/** The formats that a schema registry keeps texts of. */
export type RegistryFormat = 'avro' | 'json-schema' | 'protobuf';
/** How a payload is written. The last four have no schema text, and nothing in front of the payload. */
export type SchemaFormat = RegistryFormat | 'json' | 'csv' | 'text' | 'bytes';

/**
 * An event schema as inert data: its subject in the registry, its format, and where its text is. `src/schema` makes
 * codecs of it; nothing is read before a task opens.
 */
export interface SchemaData {
  readonly format: SchemaFormat;
  readonly subject: string;
  /** The schema's text, its file, or nothing for formats without one. */
  readonly definition: string | URL | undefined;
  /** Other schemas that the text refers to, by the name it has for each. */
  readonly references?: Readonly<Record<string, SchemaData>> | undefined;
  /** What else the format's codec has to know; its own business. */
  readonly options?: unknown;
}

/** The schema of values of a type. */
export interface Schema<T> extends SchemaData {
  readonly [VALUE]?: ((value: T) => T) | undefined;
}

export type SchemaValue<S> = S extends Schema<infer T> ? T : never;

/** A schema as a registry knows it: self-contained with the texts that it refers to. */
export interface SchemaText {
  readonly format: RegistryFormat;
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

export interface SchemaReference {
  /** What the referring text calls it: a full name in Avro, an import path in Protobuf, a URI in JSON Schema. */
  readonly name: string;
  readonly subject: string;
  readonly schema: SchemaText;
}

/** Ids of schemas, as Confluent's wire format carries them. `src/schema` has one for a server and one without. */
export interface SchemaRegistry {
  /** The id under which a subject's schema is registered; registers it where it is new. */
  idOf(subject: string, schema: SchemaText): Promise<number>;
  /** The id under which a subject's schema is registered already; `undefined` where it is not. Registers nothing. */
  knownIdOf(subject: string, schema: SchemaText): Promise<number | undefined>;
  /** The schema behind an id; `undefined` where no such id exists. */
  schemaOf(id: number): Promise<SchemaText | undefined>;
}
