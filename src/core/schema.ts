/** Turns values into bytes and back; synchronous, since it runs for every record. Throws on what does not fit. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

declare const VALUE: unique symbol;

/**
 * An event schema as inert data: its subject in the registry, its format, and where its text is. `src/schema` makes
 * codecs of it; nothing is read before a task opens.
 */
export interface Schema<T> {
  readonly format: 'avro' | 'json';
  readonly subject: string;
  /** The schema's text (an Avro schema in JSON), its file, or nothing for plain JSON. */
  readonly definition: string | URL | undefined;
  readonly [VALUE]?: ((value: T) => T) | undefined;
}

export type SchemaValue<S> = S extends Schema<infer T> ? T : never;

/** Ids of schemas, as Confluent's wire format carries them. `src/schema` has one for a server and one without. */
export interface SchemaRegistry {
  /** The id under which a subject's schema is registered; registers it where it is new. */
  idOf(subject: string, definition: string): Promise<number>;
  /** The schema text behind an id; `undefined` where no such id exists. */
  definitionOf(id: number): Promise<string | undefined>;
}
