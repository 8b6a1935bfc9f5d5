import { NetworkError } from '@platformatic/kafka';
import { MillraceError, messageOf } from '../../../src/core/errors.js';
import type { Credential } from './security.js';

export interface ClientCredentials {
  /** The token endpoint. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: Credential;
  readonly scope?: string | undefined;
}

interface Token {
  readonly text: string;
  readonly untilMs: number;
}

/** The endpoint returned no token; as with a lost connection, a retry may succeed. */
export class NoToken extends NetworkError {}

const TIMEOUT_MS = 10_000;
/** The part of a token's lifetime for which it is used: it must still be valid when it reaches the broker. */
const USED_PART = 0.8;

/**
 * Tokens for OAUTHBEARER by the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4). A token is requested on demand and
 * kept for four fifths of its lifetime.
 *
 * Errors: an endpoint that refuses the client gives `MillraceError('config')`; one that does not answer counts as a lost connection
 * to Kafka and is retried.
 *
 * @example
 * const token = clientCredentials({ url: 'https://login.example/token', clientId: 'millrace', clientSecret });
 * await openKafka({ brokers, registry, tls: {}, sasl: { mechanism: 'oauthbearer', token } });
 */
export function clientCredentials(options: ClientCredentials): () => Promise<string> {
  let asked: Promise<Token> | undefined;
  return async () => {
    const before = asked;
    const kept = await before?.catch(() => undefined);
    // Unless another connection has asked meanwhile: they share its answer.
    if (asked === before && (kept === undefined || Date.now() >= kept.untilMs)) asked = undefined;
    asked ??= ask(options);
    return (await asked).text;
  };
}

async function ask({ url, clientId, clientSecret, scope }: ClientCredentials): Promise<Token> {
  const secret = typeof clientSecret === 'string' ? clientSecret : await clientSecret();
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) });
  const headers = { authorization: `Basic ${basic}`, accept: 'application/json' };
  const askedAtMs = Date.now();
  let status: number;
  let answer: Readonly<Record<string, unknown>>;
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    status = response.status;
    answer = (await response.json().catch(() => ({}))) as typeof answer;
  } catch (cause) {
    throw new NoToken(`${placeOf(url)} gives no token: ${messageOf(cause)}`, { cause: cause as Error });
  }
  const { access_token: text, expires_in: seconds, error } = answer;
  if (status >= 500 || status === 429) throw new NoToken(`${placeOf(url)} gives no token: status ${status}`);
  if (status !== 200 || typeof text !== 'string') {
    const reason = typeof error === 'string' ? `: ${error}` : '';
    throw new MillraceError('config', `the token endpoint refuses the client (status ${status}${reason})`, {
      where: placeOf(url),
      hint: 'check the client id, its secret and the scope',
    });
  }
  const lifeMs = (typeof seconds === 'number' ? seconds : 0) * 1_000;
  return { text, untilMs: askedAtMs + lifeMs * USED_PART };
}

/** An address without its secret parts. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'the token endpoint';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
