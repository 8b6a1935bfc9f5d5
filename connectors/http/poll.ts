import { sourceOf } from '../../src/connect/make.js';
import * as is from '../../src/core/option-types.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import type { Source } from '../../src/core/source.js';
import { definition } from './definition.js';
import type { Poll } from './kinds.js';
import { pollKind } from './kinds.js';
import { identityOf } from './public-part.js';

/** Options of `http.pollSource`. */
export interface PollOptions<T> extends Omit<OptionsOf<typeof pollKind.options>, 'schema' | 'eventTime'> {
  readonly schema: Schema<T>;
  readonly eventTime: (value: T) => number;
}

/**
 * Reads the pages of a service one after another by a cursor, and polls the last page for more. The checkpoint stores the cursor of
 * the page, the number of its items that were read, and their digest. A restart requests that page again and continues after them.
 *
 * A page may grow at its end. If its beginning has changed, the run ends, because lost items cannot be counted.
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
  return sourceOf(definition.kinds.pollSource, options, {
    topic: is.url.accepts(url) ? identityOf(url) : '', // `problems` reports a wrong one
    schema: schema as Schema<unknown>,
    problems: isJson ? [] : [{ message: `${schema.format} for items of JSON`, hint: 'pass json<Item>()' }],
    options: driven,
    idleTimeout,
    outOfOrdernessMax,
    eventTimeOf: eventTime as (value: unknown) => number,
  });
}
