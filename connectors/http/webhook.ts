import { type Duration, seconds } from '../../src/core/duration.js';
import type { Sink } from '../../src/core/io.js';
import { publicPartOf } from './public-part.js';

export interface WebhookOptions<T> {
  readonly url: string;
  /** What is sent, as JSON; the value itself by default. */
  readonly body?: (value: T) => unknown;
  /** Values of one key are sent one after another, in order; by default those with the key of their record. */
  readonly key?: (value: T) => string;
  /** The variable that has the secret which requests are signed with; they are not signed without it. */
  readonly secretFrom?: string;
  /** Further headers, asked for each time: for tokens. They are in no description, message or log. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Requests under way at the same time, in a task; 8 by default. */
  readonly concurrencyMax?: number;
  /** How long an answer may take; 30 s by default. */
  readonly timeout?: Duration;
}

/** As the driver sees it. */
export interface Webhook {
  readonly url: string;
  readonly body: (value: unknown) => unknown;
  readonly key: ((value: unknown) => string) | undefined;
  readonly secretFrom: string | undefined;
  readonly headers: (() => Readonly<Record<string, string>>) | undefined;
  readonly concurrencyMax: number;
  readonly timeoutMs: number;
}

/**
 * Sends every value to a service, one request each, as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` and, with
 * a secret, `webhook-signature` over both and the body.
 *
 * At least once. The id (also as `idempotency-key`) is the identity of the record that the value comes from, the same in every
 * try and replay: with a receiver that heeds it, each value counts once. A value is answered for before its checkpoint.
 *
 * @example
 * alerts.to('pager', http.webhook({ url: 'https://pager.example/alerts', key: (a) => a.account, secretFrom: 'PAGER_SECRET' }));
 */
export function webhook<T>(options: WebhookOptions<T>): Sink<T> {
  const { url, body, key, secretFrom, headers, concurrencyMax = 8, timeout = seconds(30) } = options;
  const problem = { message: `concurrencyMax is ${concurrencyMax}`, hint: 'give a whole number from 1' };
  const driven: Webhook = {
    url,
    body: (body as Webhook['body'] | undefined) ?? ((value) => value),
    key: key as Webhook['key'],
    secretFrom,
    headers,
    concurrencyMax,
    timeoutMs: timeout,
  };
  return Object.freeze({
    connector: 'http',
    kind: 'http.webhook',
    settings: Object.freeze({ url: publicPartOf(url), ...(secretFrom === undefined ? {} : { secretFrom }) }),
    problems: Object.freeze(Number.isInteger(concurrencyMax) && concurrencyMax >= 1 ? [] : [problem]),
    options: Object.freeze(driven),
  });
}
