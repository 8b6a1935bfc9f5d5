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
import type { Sink } from '../../src/core/sink.js';

export const webhookKind = connectorKind({
  kind: 'http.webhookSink',
  role: 'sink',
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
});

/** Options of `http.webhookSink`. */
export interface WebhookOptions<T> extends OptionsOf<typeof webhookKind.options> {
  readonly body?: (value: T) => unknown;
  readonly key?: (value: T) => string;
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
 * alerts.to('pager', http.webhookSink({ url: 'https://pager.example/alerts', key: (a) => a.account, secretFrom: 'PAGER_SECRET' }));
 */
export function webhookSink<T>(options: WebhookOptions<T>): Sink<T> {
  const { url, body, key, secretFrom, headers, concurrencyMax, timeout } = resolve(webhookKind, options);
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
    kind: webhookKind.kind,
    settings: settingsOf(webhookKind, options),
    problems: problemsOf(webhookKind, options),
    options: Object.freeze(driven),
  });
}
