import { timing } from '../../src/connect/source-options.js';
import { seconds } from '../../src/core/duration.js';
import * as is from '../../src/core/option-types.js';
import {
  connectorKind,
  defaulted,
  type OptionsOf,
  optional,
  problemsOf,
  required,
  resolve,
  settingsOf,
} from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { identityOf } from './public-part.js';

interface Cursor {
  readonly param: string;
  readonly next: (answer: never) => string | number | null | undefined;
}

const isCursor = (value: unknown): boolean => {
  const { param, next } = (value ?? {}) as Partial<Cursor>;
  return is.text.accepts(param) && typeof next === 'function';
};

export const pollKind = connectorKind({
  kind: 'http.pollSource',
  role: 'source',
  doc: 'Reads the pages of a service by a cursor, and polls for new ones.',
  options: {
    url: required(is.url, 'URL of the first page.'),
    schema: required(is.schema, 'Schema of an item as JSON, such as `json()`.'),
    eventTime: required(
      is.callback<(value: never) => number>('(value) => milliseconds'),
      'Event time in milliseconds since 1970.',
    ),
    items: optional(
      is.callback<(answer: never) => readonly unknown[]>('(answer) => items'),
      'The items of a response, oldest first (default: the response). A page must have the same items in every request.',
    ),
    cursor: optional(
      is.custom<Cursor>('`{ param, next: (answer) => value }`', isCursor),
      'The cursor parameter, and its next value after a response, or `undefined` if there is no next page.',
    ),
    every: defaulted(is.duration, seconds(10), 'Poll interval if there is nothing new.'),
    perSecondMax: defaulted(is.positive, 10, 'Maximum number of requests per second.'),
    headers: optional(
      is.callback<() => Readonly<Record<string, string>>>('() => headers'),
      'Further headers; called for each request, so tokens may change. They appear in no description, message or log.',
    ),
    bytesMax: defaulted(is.integer(1), 16 * 2 ** 20, 'Maximum size of a response in bytes.'),
    ...timing,
  },
});

/** Options of `http.pollSource`. */
export interface PollOptions<T> extends Omit<OptionsOf<typeof pollKind.options>, 'schema' | 'eventTime'> {
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
}

/** As the driver sees it. */
export interface Poll {
  readonly url: string;
  readonly items: (answer: unknown) => readonly unknown[];
  readonly cursor: { readonly param: string; readonly next: (answer: unknown) => unknown } | undefined;
  readonly everyMs: number;
  readonly perSecondMax: number;
  readonly headers: (() => Readonly<Record<string, string>>) | undefined;
  readonly bytesMax: number;
}

/**
 * Reads pages of a service, one behind the other by a cursor, and asks again where they end. The checkpoint has the cursor of the
 * page, how many of its items were read, and their digest: a restart asks for that page again and goes on behind them.
 *
 * A page may grow at its end. One whose beginning is another ends the run, since nobody can say what was lost.
 *
 * @example
 * t.source('orders', http.pollSource({
 *   url: 'https://shop.example/orders',
 *   schema: json<Order>(),
 *   eventTime: (o) => o.at,
 *   items: (page: Page) => page.orders,
 *   cursor: { param: 'after', next: (page: Page) => page.orders.at(-1)?.id },
 * }));
 */
export function pollSource<T>(options: PollOptions<T>): Source<T> {
  const {
    url,
    schema,
    eventTime,
    items,
    cursor,
    every,
    perSecondMax,
    headers,
    bytesMax,
    outOfOrdernessMax,
    idleTimeout,
  } = resolve(pollKind, options);
  const driven: Poll = {
    url,
    items: (items as Poll['items'] | undefined) ?? ((answer) => answer as readonly unknown[]),
    cursor: cursor as Poll['cursor'],
    everyMs: every,
    perSecondMax,
    headers,
    bytesMax,
  };
  const isJson = schema.format === 'json' || schema.format === 'json-schema';
  return Object.freeze({
    connector: 'http',
    kind: pollKind.kind,
    topic: is.url.accepts(url) ? identityOf(url) : '', // `problems` says what is wrong with one that is none
    schema: schema as Schema<unknown>,
    settings: settingsOf(pollKind, options),
    problems: Object.freeze([
      ...(isJson ? [] : [{ message: `${schema.format} where items are JSON`, hint: 'pass json<Item>()' }]),
      ...problemsOf(pollKind, options),
    ]),
    options: Object.freeze(driven),
    idleTimeout,
    outOfOrdernessMax,
    eventTimeOf: eventTime as (value: unknown) => number,
  });
}
