/**
 * Encodes values as bytes and decodes them; synchronous, since it runs for every record. Throws on a value or bytes that do not
 * fit.
 */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

declare const VALUE: unique symbol;

/** The formats that a schema registry stores. */
export type RegistryFormat = 'avro' | 'json-schema' | 'protobuf';
/** The format of a payload. The last four have no schema text and no prefix. */
export type SchemaFormat = RegistryFormat | 'json' | 'csv' | 'text' | 'bytes';

/**
 * An event schema as inert data: its subject in the registry, its format, and the location of its text. `src/schema` creates codecs
 * from it; nothing is read before a task opens.
 */
export interface SchemaData {
  readonly format: SchemaFormat;
  readonly subject: string;
  /** The schema's text, its file, or `undefined` for formats without one. */
  readonly definition: string | URL | undefined;
  /** Other schemas that the text refers to, by the name that it uses for each. */
  readonly references?: Readonly<Record<string, SchemaData>> | undefined;
  /** Further options of the format's codec. */
  readonly options?: unknown;
}

/** The schema of values of a type. */
export interface Schema<T> extends SchemaData {
  readonly [VALUE]?: ((value: T) => T) | undefined;
}

/** A schema as a registry stores it: self-contained, with the texts that it refers to. */
export interface SchemaText {
  readonly format: RegistryFormat;
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

export interface SchemaReference {
  /** The name that the referring text uses: a full name in Avro, an import path in Protobuf, a URI in JSON Schema. */
  readonly name: string;
  readonly subject: string;
  readonly schema: SchemaText;
}

/** Ids of schemas, as Confluent's wire format carries them. `src/schema` implements it with and without a server. */
export interface SchemaRegistry {
  /** The id of a subject's schema; registers a new one. */
  idOf(subject: string, schema: SchemaText): Promise<number>;
  /** The id of a subject's schema if it is registered, otherwise `undefined`. Registers nothing. */
  knownIdOf(subject: string, schema: SchemaText): Promise<number | undefined>;
  /** The schema with an id; `undefined` if the id does not exist. */
  schemaOf(id: number): Promise<SchemaText | undefined>;
  /** The newest version of a subject; `undefined` if it has none. Registers nothing. */
  latest(subject: string): Promise<{ readonly version: number; readonly schema: SchemaText } | undefined>;
}
