import { createHmac } from 'node:crypto';
import { SequenceAssigner } from '../../src/connect/sequence-assigner.js';
import { MillraceError, messageOf } from '../../src/core/errors.js';
import type { Origin } from '../../src/core/record.js';
import type { SinkContext, SinkWriter } from '../../src/core/sink.js';
import { jsonText } from '../../src/util/json-text.js';
import { pause } from '../../src/util/pause.js';
import { backOffMs, requestBackOff } from '../../src/util/retry.js';
import { causeOf, mayPass, retryAfterMs } from './answer.js';
import { deadline } from './deadline.js';
import type { Webhook } from './kinds.js';
import { publicPartOf } from './public-part.js';

/** The longest pause between two tries that a service can request. */
const WAIT_MAX_MS = 30_000;
/** The most requests that wait before the writer returns a promise. */
const WAITING_MAX = 1_000;

/**
 * Sends values in one queue per key: values of a key one after another, different keys concurrently. Memory: `WAITING_MAX` requests
 * and one chunk.
 */
export class WebhookWriter implements SinkWriter {
  private readonly sequence = new SequenceAssigner();
  private readonly queues = new Map<string, Promise<void>>();
  private readonly closing = new AbortController();
  private waiting = 0;
  private underWay = 0;
  private readonly turns: (() => void)[] = [];
  private failure: unknown;

  constructor(
    private readonly options: Webhook,
    private readonly context: SinkContext,
    private readonly secret: string | undefined,
    private readonly attemptsMax: number,
  ) {}

  /** A body that JSON has not, or none; it is written again when it is sent. */
  unrepresentable(value: unknown): string | undefined {
    const body = this.options.body(value);
    try {
      return jsonText(body) === undefined && body !== undefined ? `a ${typeof body} has no JSON` : undefined;
    } catch (error) {
      return `the body has no JSON: ${messageOf(error)}`;
    }
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    for (let i = 0; i < values.length; i++) this.enqueue(values[i], origins[i] as Origin);
    if (this.waiting > WAITING_MAX) return this.drained();
  }

  async prepare(): Promise<undefined> {
    await this.drained();
    if (this.failure !== undefined) throw this.failure;
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.drained().catch(() => undefined); // requests in flight will be sent again
  }

  private async drained(): Promise<void> {
    await Promise.all(this.queues.values());
    if (this.failure !== undefined) throw this.failure;
  }

  private enqueue(value: unknown, origin: Origin): void {
    const id = this.idOf(origin);
    const body = jsonText(this.options.body(value)) ?? 'null';
    const queue = this.options.key?.(value) ?? (origin.key === null ? id : Buffer.from(origin.key).toString('base64'));
    this.waiting += 1;
    const before = this.queues.get(queue) ?? Promise.resolve();
    const sent = before
      .then(() => this.send(id, body))
      .finally(() => {
        this.waiting -= 1;
        if (this.queues.get(queue) === sent) this.queues.delete(queue);
      });
    sent.catch(() => undefined); // `failure` reports it
    this.queues.set(queue, sent);
  }

  private idOf(origin: Origin): string {
    const { task, step, incarnation } = this.context;
    const { topic, partition, offset } = origin;
    const id = [task.topology, step, incarnation, topic, partition, offset, this.sequence.next(origin)].join(':');
    return id.replace(/[^\x21-\x7e]/gu, encodeURIComponent); // file paths may contain characters that a header cannot
  }

  private async send(id: string, body: string): Promise<void> {
    await this.turn();
    try {
      if (this.failure !== undefined) return; // later values must not overtake one that could not be sent
      await this.sendUntilTaken(id, body);
    } catch (error) {
      this.failure ??= error;
    } finally {
      this.underWay -= 1;
      this.turns.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    while (this.underWay >= this.options.concurrencyMax) {
      await new Promise<void>((resolve) => this.turns.push(resolve));
    }
    this.underWay += 1;
  }

  private async sendUntilTaken(id: string, body: string): Promise<void> {
    const where = publicPartOf(this.options.url);
    for (let attempt = 1; ; attempt++) {
      const { detail, isTaken, isLasting, waitMs } = await this.attempt(id, body);
      if (isTaken) return;
      if (isLasting || attempt >= this.attemptsMax || this.closing.signal.aborted) {
        throw new MillraceError('sink', `a webhook was not accepted: ${detail}`, {
          where,
          hint: isLasting
            ? `the service refuses ${id}: filter such values first, or fix the service`
            : 'check that the service is up',
          permanent: isLasting,
        });
      }
      const ownMs = backOffMs(attempt, { ...requestBackOff, waitMs: 100 }, Math.random);
      const pauseMs = Math.min(WAIT_MAX_MS, waitMs ?? ownMs);
      await pause(pauseMs, this.closing.signal);
    }
  }

  private async attempt(id: string, body: string) {
    const { url, headers, timeoutMs } = this.options;
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const own: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'idempotency-key': id };
    if (this.secret !== undefined) own['webhook-signature'] = signature(this.secret, id, timestamp, body);
    const limit = deadline(timeoutMs, this.closing.signal);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers?.(), ...own },
        body,
        redirect: 'manual',
        signal: limit.signal,
      });
      await response.body?.cancel();
      const { ok, status } = response;
      return {
        detail: `status ${status}`,
        isTaken: ok,
        isLasting: !ok && !mayPass(status),
        waitMs: retryAfterMs(response),
      };
    } catch (error) {
      return { detail: `no answer: ${causeOf(error)}`, isTaken: false, isLasting: false, waitMs: undefined };
    } finally {
      limit.end();
    }
  }
}

const PREFIX = 'whsec_';

/** Whether a secret is valid base64: Node decodes any text as base64 and would sign with a wrong key. */
export const isSecret = (secret: string): boolean =>
  !secret.startsWith(PREFIX) || /^whsec_[A-Za-z0-9+/]{2,}={0,2}$/.test(secret);

/** Signs by Standard Webhooks: HMAC-SHA256 over id, time and body; a secret may be given as `whsec_` and base64. */
export function signature(secret: string, id: string, timestamp: string, body: string): string {
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
