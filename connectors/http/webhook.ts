import { sinkOf } from '../../src/connect/make.js';
import { type OptionsOf, resolve } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';
import { definition } from './definition.js';
import type { Webhook } from './kinds.js';
import { webhookKind } from './kinds.js';

/** Options of `http.webhookSink`. */
export interface WebhookOptions<T> extends OptionsOf<typeof webhookKind.options> {
  readonly body?: (value: T) => unknown;
  readonly key?: (value: T) => string;
}

/**
 * Sends every value to a service, one request each, by Standard Webhooks: `webhook-id`, `webhook-timestamp` and, with a secret,
 * `webhook-signature` over both and the body.
 *
 * At least once. The id (also sent as `idempotency-key`) identifies the record that the value comes from and is the same in every
 * try and replay. If the receiver ignores repeated ids, each value counts once. Values are sent before their checkpoint is stored.
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
  return sinkOf(definition.kinds.webhookSink, options, {
    options: driven,
  });
}
