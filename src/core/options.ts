import { duration, type OptionType, schema } from './option-types.js';

/** Options and facts as `describe` prints them: plain values only. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A mistake in the options of an operator, source, sink or lookup, for `check`, which adds the step. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** One option as data: its type, its purpose and its default. */
export interface OptionSpec<
  out T = unknown,
  out Need extends 'required' | 'optional' | 'defaulted' = 'required' | 'optional' | 'defaulted',
> {
  readonly type: OptionType<T>;
  /** One or two sentences. They state what happens without the option, unless `fallback` does. */
  readonly doc: string;
  readonly need: Need;
  readonly fallback: T | undefined;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/**
 * The type of a kind's options. An interface that extends it narrows the callbacks to the type of the stream:
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

/** Options with their defaults filled in. */
export type Resolved<S extends OptionSpecs, O> = Omit<O, keyof S> & {
  readonly [K in keyof S]: K extends keyof O
    ? S[K] extends OptionSpec<unknown, 'defaulted'>
      ? Exclude<O[K], undefined>
      : O[K]
    : never;
};

type TypeOf<Spec> = Spec extends OptionSpec<infer T> ? T : never;

/**
 * A required option.
 *
 * @example required(option.text, 'The file to append to.')
 */
export const required = <T>(type: OptionType<T>, doc: string): OptionSpec<T, 'required'> =>
  Object.freeze({ type, doc, need: 'required', fallback: undefined });

/**
 * An optional option without a default; its text says what happens without it.
 *
 * @example optional(option.text, 'Only rows of this tenant; all by default.')
 */
export const optional = <T>(type: OptionType<T>, doc: string): OptionSpec<T, 'optional'> =>
  Object.freeze({ type, doc, need: 'optional', fallback: undefined });

/**
 * An option with a default.
 *
 * @example defaulted(option.integer(1), 10_000, 'Lines that an epoch keeps in memory before it writes them.')
 */
export const defaulted = <T>(type: OptionType<T>, fallback: NoInfer<T>, doc: string): OptionSpec<T, 'defaulted'> =>
  Object.freeze({ type, doc, need: 'defaulted', fallback });

/** Anything with options: a kind of source, sink or lookup. */
interface HasOptions<S extends OptionSpecs = OptionSpecs> {
  readonly options: S;
}

/**
 * Fills in the defaults of the options that were left out.
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

/** Checks options: missing ones, wrong types or sizes, unknown names. */
export function problemsOf({ options: specs }: HasOptions, options: object): Problem[] {
  const given = options as Readonly<Record<string, unknown>>;
  return [
    ...unknownOptions(options, Object.keys(specs)),
    ...Object.entries(specs).flatMap(([name, spec]) => problemOf(name, spec, given[name])),
  ];
}

/**
 * Options that there are not: typed code cannot give them, JavaScript and casts can, and a misspelt one would have no effect.
 * `near` finds the option that was meant; the problem has its path as `meant`, for `oncePerMistake`.
 */
export const unknownOptions = (
  options: object,
  known: readonly string[],
  { within = '', near = (_name: string): string | undefined => undefined } = {},
): Problem[] =>
  Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const message = `there is no option ${within}${name}`;
      const hint = `there are: ${known.join(', ')}`;
      const meant = near(name);
      return meant === undefined
        ? { message, hint }
        : { message, hint: `did you mean ${meant}? ${hint}`, meant: within + meant };
    });

/** A misspelt option and the one that was meant, which is missing, are one mistake: what says that it is missing is left out. */
export function oncePerMistake(problems: readonly Problem[]): readonly Problem[] {
  const repeated = problems.flatMap((problem) => {
    const meant = 'meant' in problem ? problem.meant : undefined;
    return meant === undefined ? [] : [`${meant} is missing`, `the ${meant} is missing`, `${meant} is undefined`];
  });
  return problems.filter(({ message }) => !repeated.includes(message));
}

function problemOf(name: string, { type, need, doc }: OptionSpec, value: unknown): Problem[] {
  const hint = `give ${wanted(type)}`;
  if (value === undefined)
    return need === 'required' ? [{ message: `${name} is missing`, hint: `${hint}: ${doc}` }] : [];
  return type.accepts(value) ? [] : [{ message: `${name} is ${plain(value, type)}`, hint }];
}

function wanted(type: OptionType<unknown>): string {
  if (type === duration) return 'a duration, such as hours(24)';
  return type === schema ? 'a schema, such as json() or avro({ ... })' : type.text.replaceAll('`', '');
}

/** The options as `describe` prints them, without those that cannot or must not be shown. */
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

/** A wrong text may be a secret, and is shown only where none is expected. */
const plain = (value: unknown, { showsWrongText = false }: OptionType<unknown>): string =>
  showsWrongText && typeof value === 'string' ? `'${value}'` : shownWrong(value);

/** A wrong value in a message: numbers, `true`, `false` and `null` as they are, of all others the type. */
export const shownWrong = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : `of type ${typeof value}`;
