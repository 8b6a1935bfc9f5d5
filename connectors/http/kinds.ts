import { aheadMax, timing } from '../../src/connect/source-options.js';
import { seconds } from '../../src/core/duration.js';
import type { LookupKind, SinkKind, SourceKind } from '../../src/core/kind.js';
import * as is from '../../src/core/option-types.js';
import { defaulted, optional, required } from '../../src/core/options.js';
import type { Schema } from '../../src/core/schema.js';
import { publicPartOf } from './public-part.js';

// Every kind of source, sink and lookup of HTTP, with all options.

/** How the next page is requested. */
export interface Cursor {
  readonly param: string;
  readonly next: (answer: never) => string | number | null | undefined;
}

const isCursor = (value: unknown): boolean => {
  const { param, next } = (value ?? {}) as Partial<Cursor>;
  return is.text.accepts(param) && typeof next === 'function';
};

/** Paths of files. */
export interface Tls {
  readonly certificate: string;
  readonly key: string;
}

const isTls = (value: unknown): boolean => {
  const { certificate, key } = (value ?? {}) as Partial<Tls>;
  return is.text.accepts(certificate) && is.text.accepts(key);
};

const MEBIBYTE = 2 ** 20;

/** Shown with the placeholder of the key as it was written. */
const urlOfKey = is.custom<string>(
  'URL of http or https, without a user, with `{key}` in it',
  (value) => is.url.accepts(value) && (value as string).includes('{key}'),
  publicPartOf,
);

const asking = {
  headers: optional(
    is.callback<() => Readonly<Record<string, string>>>('() => headers'),
    'Headers of each request; called for each request, so tokens may change. They appear in no description, message or log.',
  ),
  decode: optional(
    is.callback<(found: never) => unknown>('(found) => unknown'),
    'Converts the parsed JSON to the value. If it throws, the key is refused.',
  ),
} as const;

export const pollKind = {
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
} satisfies SourceKind;

export const ingestKind = {
  role: 'source',
  readsLog: true,
  doc: 'Accepts records by POST, stores them in a topic and reads them from there.',
  options: {
    topic: required(is.text, 'The topic that stores accepted records; the first run creates it if missing.'),
    schema: required(
      is.schema,
      "Schema of a record: `json()` or `jsonSchema({ framing: 'none' })`. A request with an invalid record is refused.",
    ),
    port: required(is.integer(0, 65_535), 'The port to listen on.'),
    host: defaulted(is.text, '127.0.0.1', 'The address to listen on.'),
    tokenFrom: optional(is.text, 'Environment variable with the bearer token of clients; without it anyone may write.'),
    tls: optional(
      is.custom<Tls>('`{ certificate, key }`', isTls),
      'PEM files with the certificate chain and its key, read when the server starts (default: plain HTTP).',
    ),
    eventTime: optional(
      is.callback<(value: never) => number>('(value) => milliseconds'),
      'Event time in milliseconds since 1970 (default: when the record was accepted).',
    ),
    key: optional(
      is.callback<(value: never) => string>('(value) => string'),
      'The key of the record; it determines the partition (default: round robin).',
    ),
    partitions: defaulted(is.integer(1), 1, 'Partitions of the topic if it is created.'),
    pendingMax: defaulted(
      is.integer(1),
      10_000,
      'Maximum number of accepted records that are not yet durable, over all requests. Further requests get 429.',
    ),
    bytesMax: defaulted(
      is.integer(1),
      8 * 2 ** 20,
      'Maximum size of a request in bytes, before and after decompression.',
    ),
    ...timing,
    aheadMax,
  },
} satisfies SourceKind;

export const webhookKind = {
  role: 'sink',
  writes: 'append',
  verify: { sends: ({ body }: Webhook) => body },
  doc: 'Sends every value to a service, one request per value, signed by Standard Webhooks.',
  options: {
    url: required(is.url, 'URL of the receiver.'),
    body: optional(is.callback<(value: never) => unknown>('(value) => unknown'), 'The JSON body (default: the value).'),
    key: optional(
      is.callback<(value: never) => string>('(value) => string'),
      'Values with the same key are sent one after another, in order (default: the key of the record).',
    ),
    secretFrom: optional(is.text, 'Environment variable with the signing secret (default: requests are not signed).'),
    headers: optional(
      is.callback<() => Readonly<Record<string, string>>>('() => headers'),
      'Further headers; called for each request, so tokens may change. They appear in no description, message or log.',
    ),
    concurrencyMax: defaulted(is.integer(1), 8, 'Maximum number of concurrent requests per task.'),
    timeout: defaulted(is.duration, seconds(30), 'Timeout of a request.'),
  },
} satisfies SinkKind;

export const getKind = {
  role: 'lookup',
  doc: 'Looks up keys at a service, with one request per key.',
  options: {
    url: required(urlOfKey, 'URL of a key, with the placeholder `{key}`, which is escaped.'),
    ...asking,
    bytesMax: defaulted(is.integer(1), MEBIBYTE, 'Maximum size of a response in bytes.'),
  },
} satisfies LookupKind;

export const postKind = {
  role: 'lookup',
  doc: 'Looks up several keys with one request to a service; the request must have no side effect.',
  options: {
    url: required(is.url, 'URL of the service.'),
    ...asking,
    bytesMax: defaulted(is.integer(1), 16 * MEBIBYTE, 'Maximum size of a response in bytes.'),
    keysMax: optional(is.integer(1), 'Maximum number of keys per request (default: `batchMax` of the step).'),
    body: optional(
      is.callback<(keys: readonly string[]) => unknown>('(keys) => unknown'),
      'The JSON body (default: `{ keys: [...] }`).',
    ),
    pick: optional(
      is.callback<(answer: never, key: string) => unknown>('(answer, key) => unknown'),
      'The value of a key in a response, or `undefined` (default: the property with the name of the key).',
    ),
  },
} satisfies LookupKind;

/** The options as the driver gets them. */
export interface Poll {
  readonly url: string;
  readonly items: (answer: unknown) => readonly unknown[];
  readonly cursor: { readonly param: string; readonly next: (answer: unknown) => unknown } | undefined;
  readonly everyMs: number;
  readonly perSecondMax: number;
  readonly headers: (() => Readonly<Record<string, string>>) | undefined;
  readonly bytesMax: number;
}

/** The options as the driver gets them. */
export interface Ingest {
  readonly topic: string;
  readonly schema: Schema<unknown>;
  readonly key: ((value: unknown) => string) | undefined;
  readonly port: number;
  readonly host: string;
  readonly tokenFrom: string | undefined;
  readonly tls: Tls | undefined;
  readonly partitions: number;
  readonly pendingMax: number;
  readonly bytesMax: number;
}

/** The options as the driver gets them. */
export interface HttpLookup {
  readonly url: string;
  readonly headers: (() => Readonly<Record<string, string>>) | undefined;
  readonly decode: ((found: unknown) => unknown) | undefined;
  readonly bytesMax: number;
  /** Only if one request has several keys. */
  readonly batch:
    | {
        readonly keysMax: number;
        readonly body: (keys: readonly string[]) => unknown;
        readonly pick: (answer: unknown, key: string) => unknown;
      }
    | undefined;
}

/** The options as the driver gets them. */
export interface Webhook {
  readonly url: string;
  readonly body: (value: unknown) => unknown;
  readonly key: ((value: unknown) => string) | undefined;
  readonly secretFrom: string | undefined;
  readonly headers: (() => Readonly<Record<string, string>>) | undefined;
  readonly concurrencyMax: number;
  readonly timeoutMs: number;
}
