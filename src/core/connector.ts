import type { KindDefinition, KindSpec, ProfileName } from './kind.js';
import type { LookupDriver } from './lookup.js';
import type { TopicProducer } from './profile.js';
import type { SchemaRegistry } from './schema.js';
import type { SinkDriver } from './sink.js';
import type { SourceDriver } from './source.js';
import type { WrittenOutput } from './written.js';

/** A setting of a profile or a connector: how its text is read, and what is said of one that cannot be. Its name is its key. */
export interface Setting<out T> {
  readonly env: string;
  /** How its type reads in tables. */
  readonly type: string;
  readonly fallback: T;
  readonly description: string;
  /** Its value may hold a password: messages name it and never print it. */
  readonly secret: boolean;
  /** It is a password: the environment alone may hold it, no file that lies with the code and no command line. */
  readonly sealed?: true;
  /** The value, or what is wrong with it. */
  parse(value: string | number): T | Mistake;
}

export class Mistake {
  constructor(readonly expected: string) {}
}

/** The kinds of a connector, by name. */
export type KindSpecs = Readonly<Record<string, KindSpec>>;

export type SettingSpecs = Readonly<Record<string, Setting<unknown>>>;
export type SettingValues<S extends SettingSpecs> = {
  readonly [N in keyof S]: S[N] extends Setting<infer T> ? T : never;
};

/** What a profile offers to the connectors that it opens. */
export interface ConnectorContext<S extends SettingSpecs = SettingSpecs> {
  readonly profile: ProfileName;
  /** The values of the connector's own settings. */
  readonly settings: SettingValues<S>;
  readonly schemas: SchemaRegistry;
  /** The log that holds the profile's topics and, in the same transactions, its checkpoints. */
  readonly log: {
    readonly source: SourceDriver;
    readonly sink: SinkDriver;
    producer(): TopicProducer;
    /** Nothing where the log goes with its folder. */
    deleteTopic(topic: string): Promise<void>;
  };
  /** Hashes that change with the checkpoint; only where the profile keeps them itself. */
  readonly hashes?:
    | {
        readonly sink: SinkDriver;
        readonly lookup: LookupDriver;
        /** All keys that begin so. */
        keys(prefix: string): readonly string[];
        /** The fields of a hash. */
        read(key: string): Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  /** The folder in which the embedded profile keeps its data; a connector takes a folder of its own name in it. */
  readonly data?: string | undefined;
  onWarning(message: string): void;
}

interface Drivers {
  readonly source: SourceDriver;
  readonly sink: SinkDriver;
  readonly lookup: LookupDriver;
}

/** A connector that is open: a driver for each of its kinds. Drivers connect when they are first used. */
export interface OpenConnector<K extends KindSpecs = KindSpecs> {
  readonly drivers: { readonly [N in keyof K]: Drivers[K[N]['role']] };
  /** For `millrace verify`, by kind: of sinks that it can lead elsewhere. */
  readonly written?: { readonly [N in keyof K]?: WrittenOutput } | undefined;
  close?(): Promise<void>;
}

/** Output that a sink has begun, such as a file, and readers do not see. */
export interface UnfinishedOutput {
  /** Such as its name, and how much is in it. */
  readonly what: string;
  /** Only the sink itself, opened again, can end it. */
  readonly isOpen: boolean;
}

/** What a connector is: `defineConnector` makes one of it. */
export interface ConnectorSpec<K extends KindSpecs, S extends SettingSpecs, O extends OpenConnector<K>> {
  /** One word in lower case: it begins the name of each kind. */
  readonly name: string;
  readonly kinds: K;
  /** How its world is reached; none by default. Names in `millrace.config.ts` are the keys. */
  readonly settings?: S | undefined;
  /**
   * What a sink has left unfinished, going by the committable of its last checkpoint: `plan` asks for sinks that a topology has no
   * longer. It is given committables of every connector, and answers nothing to those of others.
   */
  unfinished?(committable: unknown): readonly UnfinishedOutput[];
  /** Called once a profile, before a topology that uses the connector runs. Clients are loaded here: `await import('./open.js')`. */
  open(context: ConnectorContext<S>): Promise<O>;
}

/** Everything that is known of a connector, as inert data: the runtime and the commands ask it and nothing else. */
export interface ConnectorDefinition<
  K extends KindSpecs = KindSpecs,
  S extends SettingSpecs = SettingSpecs,
  O extends OpenConnector<K> = OpenConnector<K>,
> extends Omit<ConnectorSpec<K, S, O>, 'kinds' | 'settings' | 'open'> {
  readonly kinds: { readonly [N in keyof K]: KindDefinition<K[N]> };
  readonly settings: S;
  open(context: ConnectorContext<S>): Promise<O>;
}

/**
 * Defines a connector: what its sources, sinks and lookups are called, take, promise, and how they are opened. Importing it opens
 * nothing. What it makes carries the definition, so a topology that imports it runs, and the commands know it.
 *
 * @throws TypeError for a name that is no word in lower case.
 * @example
 * const lines = defineConnector({
 *   name: 'lines',
 *   kinds: {
 *     sink: { role: 'sink', doc: 'Appends lines of JSON.', writes: 'append', options: { file: required(is.text, 'Made where it is missing.') } },
 *   },
 *   open: async () => ({ drivers: { sink: (await import('./open.js')).linesSink() } }),
 * });
 * export const linesSink = <T>(options: { file: string }): Sink<T> => sinkOf(lines.kinds.sink, options);
 */
export function defineConnector<
  const K extends KindSpecs,
  S extends SettingSpecs = Record<never, never>,
  O extends OpenConnector<K> = OpenConnector<K>,
>(spec: ConnectorSpec<K, S, O>): ConnectorDefinition<K, S, O> {
  if (!/^[a-z][a-z0-9]*$/.test(spec.name)) throw new TypeError(`'${spec.name}' is not a valid name of a connector`);
  const kinds: Record<string, unknown> = {};
  const definition = { ...spec, settings: Object.freeze(spec.settings ?? {}), kinds };
  for (const [name, kind] of Object.entries(spec.kinds)) {
    kinds[name] = Object.freeze({ ...kind, kind: `${spec.name}.${name}`, connector: definition });
  }
  Object.freeze(kinds);
  return Object.freeze(definition) as unknown as ConnectorDefinition<K, S, O>;
}

/** Whether a value, such as an export of a module, is the definition of a connector. */
export function isConnectorDefinition(value: unknown): value is ConnectorDefinition {
  const { name, kinds, open } = (value ?? {}) as Partial<ConnectorDefinition>;
  if (typeof name !== 'string' || typeof open !== 'function' || typeof kinds !== 'object') return false;
  return Object.values(kinds).every(({ connector }) => (connector as unknown) === value);
}

/** The connector of a source, a sink or a lookup that carries its definition. */
export const connectorOf = ({ connector }: KindDefinition): ConnectorDefinition => connector as ConnectorDefinition;
