import { type Duration, formatDuration, seconds } from '../../src/core/duration.js';
import type { Source } from '../../src/core/io.js';
import type { Schema } from '../../src/core/schema.js';
import { identityOf, publicPartOf } from './public-part.js';

export interface PollOptions<T> {
  readonly url: string;
  /** Of one item, as JSON: `json()`, for example. */
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
  /** The items of an answer, oldest first; the answer itself by default. The same page has the same items in every request. */
  readonly items?: (answer: never) => readonly unknown[];
  /** The parameter that says from where on, and its value behind an answer: `undefined` while there is no more. */
  readonly cursor?: { readonly param: string; readonly next: (answer: never) => string | number | null | undefined };
  /** How often to ask where there is nothing new; 10 s by default. */
  readonly every?: Duration;
  /** Requests a second at most; 10 by default. */
  readonly perSecondMax?: number;
  /** Further headers, asked for each time: for tokens. They are in no description, message or log. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** The longest answer, in bytes; 16 MiB by default. */
  readonly bytesMax?: number;
  readonly disorderMax?: Duration;
  readonly idleMax?: Duration;
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
 * t.source('orders', http.poll({
 *   url: 'https://shop.example/orders',
 *   schema: json<Order>(),
 *   eventTime: (o) => o.at,
 *   items: (page: Page) => page.orders,
 *   cursor: { param: 'after', next: (page: Page) => page.orders.at(-1)?.id },
 * }));
 */
export function poll<T>(options: PollOptions<T>): Source<T> {
  const { url, schema, eventTime, items, cursor, every = seconds(10), perSecondMax = 10, headers } = options;
  const { bytesMax = 16 * 2 ** 20, disorderMax, idleMax } = options;
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
    kind: 'http.poll',
    topic: identityOf(url),
    schema: schema as Schema<unknown>,
    settings: Object.freeze({
      url: publicPartOf(url),
      every: formatDuration(every),
      ...(idleMax === undefined ? {} : { idleMax: formatDuration(idleMax) }),
      ...(disorderMax === undefined ? {} : { disorderMax: formatDuration(disorderMax) }),
    }),
    problems: Object.freeze([
      ...(isJson ? [] : [{ message: `${schema.format} where items are JSON`, hint: 'pass json<Item>()' }]),
      ...(perSecondMax > 0 ? [] : [{ message: `perSecondMax is ${perSecondMax}`, hint: 'give a number above 0' }]),
    ]),
    options: Object.freeze(driven),
    idleMax,
    disorderMax,
    eventTimeOf: eventTime as (value: unknown) => number,
  });
}
