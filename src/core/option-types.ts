import { type Duration, formatDuration } from './duration.js';
import type { SchemaData } from './schema.js';

declare const TYPE: unique symbol;

/** What an option takes: how its type reads, which values are of it, how a value reads in descriptions and messages. */
export interface OptionType<out T> {
  /** As it stands in tables and in "give ...". */
  readonly text: string;
  accepts(value: unknown): boolean;
  /** `undefined` where the value itself must not, or cannot, be shown. */
  show(value: never): string | number | boolean | undefined;
  readonly [TYPE]?: T;
}

const type = <T>(
  text: string,
  accepts: (value: unknown) => boolean,
  show: (value: T) => string | number | boolean | undefined,
): OptionType<T> => Object.freeze({ text, accepts, show });

const itself = <T>(value: T) => value;
const hidden = () => undefined;

export const text: OptionType<string> = type('text', (value) => typeof value === 'string' && value !== '', itself);

export const flag: OptionType<boolean> = type('`true` or `false`', (value) => typeof value === 'boolean', itself);

/** A whole number, `min` and `max` included. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER): OptionType<number> =>
  type(
    max === Number.MAX_SAFE_INTEGER ? `whole number from ${min}` : `whole number, ${min} to ${max}`,
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    itself,
  );

export const positive: OptionType<number> = type(
  'number above 0',
  (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
  itself,
);

/** A length of time above zero. */
export const duration: OptionType<Duration> = type(
  'duration',
  (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
  formatDuration,
);

/** A length of time, which may be none. */
export const durationFromZero: OptionType<Duration> = type(
  'duration, or 0',
  (value) => value === 0 || duration.accepts(value),
  formatDuration,
);

export const oneOf = <const T extends string>(...values: readonly T[]): OptionType<T> =>
  type(
    values.map((value) => `\`'${value}'\``).join(' or '),
    (value) => values.some((known) => known === value),
    itself as (value: T) => string,
  );

export const listOf = <T>(item: OptionType<T>): OptionType<readonly T[]> =>
  type(
    `list: ${item.text}`,
    (value) => Array.isArray(value) && value.every((each) => item.accepts(each)),
    (value) => value.map((each) => item.show(each as never)).join(', '),
  );

/** An object by names that the user chooses, such as columns; its names are shown. */
export const recordOf = <T>(item: OptionType<T>): OptionType<Readonly<Record<string, T>>> =>
  type(
    `object of ${item.text}`,
    (value) => isObject(value) && Object.values(value).every((each) => each === undefined || item.accepts(each)),
    (value) => Object.keys(value).join(', '),
  );

/** An address of http or https that names no user. Its query may hold secrets and is not shown. */
export const url: OptionType<string> = type(
  'URL of http or https, without a user',
  (value) => {
    if (typeof value !== 'string' || !URL.canParse(value)) return false;
    const { protocol, username } = new URL(value);
    return /^https?:$/.test(protocol) && username === '';
  },
  (value) => {
    const { protocol, host, pathname } = new URL(value);
    return `${protocol}//${host}${pathname}`;
  },
);

/**
 * A function; `signature` is how it reads in tables. Name the value that it takes `never` in `F`: the interface of a kind's
 * options narrows it to the type of its stream.
 */
export const callback = <F>(signature: string): OptionType<F> =>
  type(`\`${signature}\``, (value) => typeof value === 'function', hidden);

/** The interface of a kind's options says what it is a schema of. */
export const schema: OptionType<SchemaData> = type(
  'schema',
  (value) => isObject(value) && 'format' in value && 'subject' in value,
  (value) => value.subject,
);

/** Whatever none of the others is: `accepts` says whether a value is of it. */
export const custom = <T>(
  text: string,
  accepts: (value: unknown) => boolean,
  show: (value: T) => string | number | boolean | undefined = hidden,
): OptionType<T> => type(text, accepts, show);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
