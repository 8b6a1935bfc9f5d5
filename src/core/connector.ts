import type { KindDefinition, KindSpec, ProfileName } from './kind.js';
import type { LookupDriver } from './lookup.js';
import type { TopicProducer } from './profile.js';
import type { SchemaRegistry } from './schema.js';
import type { SinkDriver } from './sink.js';
import type { SourceDriver } from './source.js';
import type { WrittenOutput } from './written.js';

/**
 * A setting of a profile or a connector: how its text is parsed, and the message for a wrong one. Its key is its name in
 * `millrace.config.ts`; the environment variable of `kafkaClientId` is `MILLRACE_KAFKA_CLIENT_ID`.
 */
export interface Setting<out T> {
  /** The name of its type in tables. */
  readonly type: string;
  readonly fallback: T;
  readonly description: string;
  /** The value may contain a password: messages name the setting and never print the value. */
  readonly secret: boolean;
  /** The setting is a password: only the environment may hold it, not a configuration file and not the command line. */
  readonly sealed?: true;
  /** Returns the value, or what is wrong with it. */
  parse(value: string | number): T | Mistake;
}

/** The environment variable of a setting. */
export const variableOf = (setting: string): string =>
  `MILLRACE_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

export class Mistake {
  constructor(readonly expected: string) {}
}

/** The kinds of a connector, by name. */
export type KindSpecs = Readonly<Record<string, KindSpec>>;

export type SettingSpecs = Readonly<Record<string, Setting<unknown>>>;
export type SettingValues<S extends SettingSpecs> = {
  readonly [N in keyof S]: S[N] extends Setting<infer T> ? T : never;
};

/** What a profile gives to a connector that it opens. */
export interface ConnectorContext<S extends SettingSpecs = SettingSpecs> {
  readonly profile: ProfileName;
  /** The values of the connector's own settings. */
  readonly settings: SettingValues<S>;
  readonly schemas: SchemaRegistry;
  /** The log that stores the profile's topics and, in the same transactions, its checkpoints. */
  readonly log: {
    readonly source: SourceDriver;
    readonly sink: SinkDriver;
    producer(): TopicProducer;
    /** Does nothing if the log is deleted with its folder. */
    deleteTopic(topic: string): Promise<void>;
  };
  /** Hashes that change in the checkpoint's transaction; only on profiles that store them. */
  readonly hashes?:
    | {
        readonly sink: SinkDriver;
        readonly lookup: LookupDriver;
        /** All keys with this prefix. */
        keys(prefix: string): readonly string[];
        /** The fields of a hash. */
        read(key: string): Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  /** The folder of the embedded profile's data; a connector uses a subfolder with its own name. */
  readonly data?: string | undefined;
  /**
   * Set if another process has the folder open and this one is a command beside it: calls `shared` of the connector there. Only one
   * process may open an engine or a store in the folder.
   */
  readonly owner?: ((call: string, ...args: readonly unknown[]) => Promise<unknown>) | undefined;
  onWarning(message: string): void;
}

interface Drivers {
  readonly source: SourceDriver;
  readonly sink: SinkDriver;
  readonly lookup: LookupDriver;
}

/** An open connector: one driver for each of its kinds. A driver connects at its first use. */
export interface OpenConnector<K extends KindSpecs = KindSpecs> {
  readonly drivers: { readonly [N in keyof K]: Drivers[K[N]['role']] };
  /** For `millrace verify`, by kind: how to read what an isolated sink wrote. */
  readonly written?: { readonly [N in keyof K]?: WrittenOutput } | undefined;
  /** For commands beside this process: see `ConnectorContext.owner`. Arguments and results must be structured-cloneable. */
  readonly shared?: Readonly<Record<string, (...args: never[]) => Promise<unknown>>> | undefined;
  /**
   * For `millrace doctor`: the version of the server, its clock, and settings of it that break a guarantee. Changes nothing. Throws what a
   * run would throw where the server does not answer.
   */
  examine?(): Promise<readonly Finding[]>;
  close?(): Promise<void>;
}

/** What `millrace doctor` found out about a part of what a run stands on. */
export interface Finding {
  /** What it is about, such as `Redis at 127.0.0.1:6379`. */
  readonly of: string;
  /** `problem`: a run would fail or lose its guarantees. `warning`: it may, one day. */
  readonly state: 'fine' | 'warning' | 'problem';
  readonly said: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Output that a sink has begun and that readers do not see yet, such as a temporary file. */
export interface UnfinishedOutput {
  /** For messages: such as its name and its size. */
  readonly what: string;
  /** Only the sink can complete it, after it is opened again. */
  readonly isOpen: boolean;
}

/** The argument of `defineConnector`. */
export interface ConnectorSpec<K extends KindSpecs, S extends SettingSpecs, O extends OpenConnector<K>> {
  /** One lower-case word: the first part of each kind's name. */
  readonly name: string;
  readonly kinds: K;
  /** Settings of the connector, such as addresses; none by default. The keys are their names in `millrace.config.ts`. */
  readonly settings?: S | undefined;
  /**
   * The unfinished output of a sink, according to the committable of its last checkpoint. `plan` calls it for sinks that were
   * removed from the topology. It also gets committables of other connectors and returns an empty array for them.
   */
  unfinished?(committable: unknown): readonly UnfinishedOutput[];
  /** Called once per profile, before a topology that uses the connector runs. Load clients here: `await import('./open.js')`. */
  open(context: ConnectorContext<S>): Promise<O>;
}

/** All that the runtime and the commands know about a connector, as inert data. */
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
 * Defines a connector: the names, options and guarantees of its sources, sinks and lookups, and how they are opened. An import
 * opens nothing. Every source, sink and lookup carries its definition, so the runtime and the commands need no list of connectors.
 *
 * @throws TypeError if the name is not one lower-case word.
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
  const kinds = {} as { [N in keyof K]: KindDefinition<K[N]> };
  const settings = Object.freeze(spec.settings ?? ({} as S));
  const definition: ConnectorDefinition<K, S, O> = { ...spec, settings, kinds };
  for (const name of Object.keys(spec.kinds) as (keyof K & string)[]) {
    const kind: KindDefinition<K[typeof name]> = {
      ...spec.kinds[name],
      kind: `${spec.name}.${name}`,
      connector: definition,
    };
    Object.freeze(kind);
    kinds[name] = kind;
  }
  Object.freeze(kinds);
  return Object.freeze(definition);
}

/** Whether a value, such as an export of a module, is the definition of a connector. */
export function isConnectorDefinition(value: unknown): value is ConnectorDefinition {
  const { name, kinds, open } = (value ?? {}) as Partial<ConnectorDefinition>;
  if (typeof name !== 'string' || typeof open !== 'function' || typeof kinds !== 'object') return false;
  return Object.values(kinds).every(({ connector }) => (connector as unknown) === value);
}

/** The connector of a source, sink or lookup that carries its definition. */
export const connectorOf = ({ connector }: KindDefinition): ConnectorDefinition => connector as ConnectorDefinition;
