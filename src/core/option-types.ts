import { type Duration, formatDuration } from './duration.js';
import type { SchemaData } from './schema.js';

declare const TYPE: unique symbol;

/** The type of an option: its text, its check, and how a value is shown in descriptions and messages. */
export interface OptionType<out T> {
  /** As shown in tables and after "give". */
  readonly text: string;
  accepts(value: unknown): boolean;
  /** `undefined` if the value cannot or must not be shown. */
  show(value: never): string | number | boolean | undefined;
  /** Whether messages may show a text that is not accepted: nobody writes a secret there. */
  readonly showsWrongText?: boolean;
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

/** A whole number from `min` to `max`. */
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

/** A duration above zero. */
export const duration: OptionType<Duration> = type(
  'duration',
  (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
  formatDuration,
);

/** A duration of zero or more. */
export const durationFromZero: OptionType<Duration> = type(
  'duration, or 0',
  (value) => value === 0 || duration.accepts(value),
  formatDuration,
);

export const oneOf = <const T extends string>(...values: readonly T[]): OptionType<T> => ({
  ...type(
    values.map((value) => `\`'${value}'\``).join(' or '),
    (value) => values.some((known) => known === value),
    itself as (value: T) => string,
  ),
  showsWrongText: true,
});

export const listOf = <T>(item: OptionType<T>): OptionType<readonly T[]> =>
  type(
    `list: ${item.text}`,
    (value) => Array.isArray(value) && value.every((each) => item.accepts(each)),
    (value) => value.map((each) => item.show(each as never)).join(', '),
  );

/** An object whose names the user chooses, such as columns; the names are shown. */
export const recordOf = <T>(item: OptionType<T>): OptionType<Readonly<Record<string, T>>> =>
  type(
    `object of ${item.text}`,
    (value) => isObject(value) && Object.values(value).every((each) => each === undefined || item.accepts(each)),
    (value) => Object.keys(value).join(', '),
  );

/** An http or https URL without a user. Its query may contain secrets, so the URL is not shown. */
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
 * A function; `signature` is its text in tables. Give its argument the type `never` in `F`: the interface of the kind's options
 * narrows it to the type of the stream.
 */
export const callback = <F>(signature: string): OptionType<F> =>
  type(`\`${signature}\``, (value) => typeof value === 'function', hidden);

/** A schema. The interface of the kind's options narrows its type. */
export const schema: OptionType<SchemaData> = type(
  'schema',
  (value) => isObject(value) && 'format' in value && 'subject' in value,
  (value) => value.subject,
);

/** Any other type: `accepts` says whether a value belongs to it. */
export const custom = <T>(
  text: string,
  accepts: (value: unknown) => boolean,
  show: (value: T) => string | number | boolean | undefined = hidden,
): OptionType<T> => type(text, accepts, show);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
