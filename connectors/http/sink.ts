import { MillraceError } from '../../src/core/errors.js';
import type { SinkDriver } from '../../src/core/sink.js';
import { secretFrom } from '../../src/util/secret-from.js';
import type { Webhook } from './kinds.js';
import { isSecret, WebhookWriter } from './webhook-writer.js';

export interface HttpSinkOptions {
  /** Tries of one request in all, with growing pauses: 10 by default, about twenty seconds if nothing answers. */
  readonly attemptsMax?: number;
}

/** The driver of `http.webhookSink`. After a crash, requests since the last checkpoint are sent again with the same ids. */
export const httpSink = ({ attemptsMax = 10 }: HttpSinkOptions = {}): SinkDriver => ({
  mode: 'append',
  async open(sink, context) {
    const options = sink.options as Webhook;
    const secret = options.secretFrom === undefined ? undefined : secretFrom(options.secretFrom, context.step);
    if (secret !== undefined && !isSecret(secret)) {
      throw new MillraceError(
        'config',
        `the secret in ${options.secretFrom} begins with whsec_, but the rest is not base64`,
        {
          where: context.step,
          hint: 'copy the whole secret again; give a secret that is not base64 without whsec_',
          permanent: true,
        },
      );
    }
    return new WebhookWriter(options, context, secret, attemptsMax);
  },
});
