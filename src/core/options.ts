import type { OptionType } from './option-types.js';

/** Options and facts that `describe` prints: plain values only. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** What an operator, a source, a sink or a lookup finds wrong with its options, for `check`; where it is, is added there. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** One option, as data: what it takes, what it is for, and what it is where it is left out. */
export interface OptionSpec<
  out T = unknown,
  out Need extends 'required' | 'optional' | 'defaulted' = 'required' | 'optional' | 'defaulted',
> {
  readonly type: OptionType<T>;
  /** A sentence or two; what happens where it is left out, unless `fallback` says it. */
  readonly doc: string;
  readonly need: Need;
  readonly fallback: T | undefined;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/**
 * The type of a kind's options. An interface that extends it narrows the callbacks to the type of its stream:
 *
 * @example
 * export interface WebhookOptions<T> extends OptionsOf<typeof webhookKind.options> {
 *   readonly key?: (value: T) => string;
 * }
 */
export type OptionsOf<S extends OptionSpecs> = {
  readonly [K in keyof S as S[K] extends OptionSpec<unknown, 'required'> ? K : never]: TypeOf<S[K]>;
} & {
  readonly [K in keyof S as S[K] extends OptionSpec<unknown, 'required'> ? never : K]?: TypeOf<S[K]>;
};

/** Options with the defaults in the place of what was left out. */
export type Resolved<S extends OptionSpecs, O> = Omit<O, keyof S> & {
  readonly [K in keyof S]: K extends keyof O
    ? S[K] extends OptionSpec<unknown, 'defaulted'>
      ? Exclude<O[K], undefined>
      : O[K]
    : never;
};

type TypeOf<Spec> = Spec extends OptionSpec<infer T> ? T : never;

/**
 * An option that must be given.
 *
 * @example required(option.text, 'The file to append to.')
 */
export const required = <T>(type: OptionType<T>, doc: string): OptionSpec<T, 'required'> =>
  Object.freeze({ type, doc, need: 'required', fallback: undefined });

/**
 * An option that may be left out; its text says what happens then.
 *
 * @example optional(option.text, 'Only rows of this tenant; all by default.')
 */
export const optional = <T>(type: OptionType<T>, doc: string): OptionSpec<T, 'optional'> =>
  Object.freeze({ type, doc, need: 'optional', fallback: undefined });

/**
 * An option that has a default.
 *
 * @example defaulted(option.integer(1), 10_000, 'Lines that an epoch keeps in memory before it writes them.')
 */
export const defaulted = <T>(type: OptionType<T>, fallback: NoInfer<T>, doc: string): OptionSpec<T, 'defaulted'> =>
  Object.freeze({ type, doc, need: 'defaulted', fallback });

/** A kind whose connector has no definition yet. */
export interface ConnectorKind<S extends OptionSpecs = OptionSpecs> {
  readonly kind: string;
  readonly role: 'source' | 'sink' | 'lookup';
  readonly doc: string;
  readonly options: S;
}

export const connectorKind = <const S extends OptionSpecs>(kind: ConnectorKind<S>): ConnectorKind<S> =>
  Object.freeze({ ...kind, options: Object.freeze(kind.options) });

/** What has options: a kind of source, sink or lookup. */
interface HasOptions<S extends OptionSpecs = OptionSpecs> {
  readonly options: S;
}

/**
 * The options with the defaults in the place of what was left out.
 *
 * @example
 * resolve(lines.kinds.sink, { file: 'orders.ndjson' }); // { file: 'orders.ndjson', linesMax: 10_000 }
 */
export function resolve<S extends OptionSpecs, O extends object>(
  { options: specs }: HasOptions<S>,
  options: O,
): Resolved<S, O> {
  const given = options as Readonly<Record<string, unknown>>;
  const names = new Set([...Object.keys(specs), ...Object.keys(given)]);
  return Object.fromEntries([...names].map((name) => [name, given[name] ?? specs[name]?.fallback])) as Resolved<S, O>;
}

/** What is wrong with options, for `check`: what is missing, what has the wrong type or size, and names that there are not. */
export function problemsOf({ options: specs }: HasOptions, options: object): Problem[] {
  const given = options as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(specs, name))
    .map((name) => ({ message: `there is no option ${name}`, hint: `there are: ${Object.keys(specs).join(', ')}` }));
  return [...unknown, ...Object.entries(specs).flatMap(([name, spec]) => problemOf(name, spec, given[name]))];
}

function problemOf(name: string, { type, need }: OptionSpec, value: unknown): Problem[] {
  const hint = `give ${type.text.replaceAll('`', '')}`;
  if (value === undefined) return need === 'required' ? [{ message: `${name} is missing`, hint }] : [];
  return type.accepts(value) ? [] : [{ message: `${name} is ${plain(value)}`, hint }];
}

/** What was said of a kind's options, as `describe` prints it: without what cannot or must not be shown. */
export function settingsOf({ options: specs }: HasOptions, options: object): Settings {
  const given = options as Readonly<Record<string, unknown>>;
  return Object.freeze(
    Object.fromEntries(
      Object.entries(specs).flatMap(([name, { type, fallback }]) => {
        const value = given[name];
        if (value === undefined || value === fallback || !type.accepts(value)) return [];
        const shown = type.show(value as never);
        return shown === undefined ? [] : [[name, shown]];
      }),
    ),
  );
}

/** Texts are not repeated: a wrong one may hold a secret. */
const plain = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : `of type ${typeof value}`;
