import type { SinkDriver } from '../../src/core/io.js';
import { secretFrom } from './secret.js';
import type { Webhook } from './webhook.js';
import { WebhookWriter } from './webhook-writer.js';

/** The driver of `http.webhook`: what came after the last checkpoint is sent again after a crash, under the same ids. */
export const httpSink = (): SinkDriver => ({
  mode: 'append',
  async open(sink, context) {
    const options = sink.options as Webhook;
    const secret = options.secretFrom === undefined ? undefined : secretFrom(options.secretFrom, context.step);
    return new WebhookWriter(options, context, secret);
  },
});
