import { MillraceError, messageOf } from '../../src/core/errors.js';
import {
  getInHalves,
  type LookupAnswer,
  type LookupDriver,
  type LookupReader,
  MISSING,
  readAnswer,
} from '../../src/core/lookup.js';
import { causeOf, mayPass, retryAfterMs, textOf } from './answer.js';
import type { HttpLookup } from './kinds.js';
import { publicPartOf } from './public-part.js';

/** The outcome of a request: its JSON, no answer, a status that may change with a retry, or one that stays. */
type Outcome =
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAfterMs: number | undefined };

const PING_MS = 5_000;

/** The driver of `http.getLookup` and `http.postLookup`, with the HTTP client of Node. */
export const openHttp = (): { readonly lookup: LookupDriver } => ({
  lookup: {
    async open({ options }, step) {
      return readerOf(options as HttpLookup, step);
    },
  },
});

function readerOf(options: HttpLookup, step: string): LookupReader {
  const { url, batch, decode } = options;
  const where = publicPartOf(url);
  const read = (part: unknown): LookupAnswer =>
    readAnswer(() => (part === undefined || decode === undefined ? part : decode(part)));

  const askOne = async (key: string, signal: AbortSignal): Promise<LookupAnswer> => {
    // An escaped key stays within its path segment, except a key of dots.
    if (key === '.' || key === '..') return { kind: 'refused', detail: 'it cannot be part of an address' };
    const outcome = await request(url.replaceAll('{key}', encodeURIComponent(key)), undefined, options, step, signal);
    if (outcome.kind === 'none') return MISSING;
    return outcome.kind === 'json' ? read(outcome.json) : outcome;
  };

  const getAll = async (keys: readonly string[], signal: AbortSignal): Promise<readonly LookupAnswer[] | string> => {
    const body = JSON.stringify(batch?.body(keys));
    const outcome = await request(url, body, options, step, signal);
    if (outcome.kind === 'refused') return outcome.detail;
    return keys.map((key) => {
      if (outcome.kind === 'failed') return outcome;
      return outcome.kind === 'none' ? MISSING : readAnswer(() => unwrap(read(batch?.pick(outcome.json, key))));
    });
  };

  return {
    keysMax: batch?.keysMax ?? 1,
    async get(keys, signal) {
      if (batch) return getInHalves(keys, (some) => getAll(some, signal));
      return Promise.all(keys.map((key) => askOne(key, signal)));
    },
    // Any response counts: the status of an address without a key means nothing.
    async ping() {
      const init = { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(PING_MS) } as const;
      const response = await fetch(new URL(url).origin, init).catch((error: unknown) => {
        throw new MillraceError('lookup', `cannot reach it: ${causeOf(error)}`, { where });
      });
      await response.body?.cancel();
      if (response.status === 502 || response.status === 503 || response.status === 504)
        throw new MillraceError('lookup', `it answered with status ${response.status}`, { where });
    },
    close: async () => undefined,
  };
}

/** An error of `pick` is reported like one of `decode`. */
function unwrap(answer: LookupAnswer): unknown {
  if (answer.kind === 'found') return answer.value;
  if (answer.kind === 'missing') return undefined;
  throw new Error(answer.detail);
}

async function request(
  address: string,
  body: string | undefined,
  { headers, bytesMax }: HttpLookup,
  step: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const posted: Pick<RequestInit, 'method' | 'body'> = body === undefined ? {} : { method: 'POST', body };
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  let response: Response;
  let text: string | undefined;
  try {
    const init = { ...posted, headers: { accept: 'application/json', ...type, ...headers?.() }, signal };
    response = await fetch(address, { ...init, redirect: 'manual' });
    text = response.ok ? await textOf(response, bytesMax) : undefined;
    if (!response.ok) await response.body?.cancel();
  } catch (error) {
    return { kind: 'failed', detail: `no answer: ${causeOf(error)}`, retryAfterMs: undefined };
  }
  const { status } = response;
  if (status === 204) return { kind: 'none' };
  if (response.ok) return text === undefined ? tooLong(bytesMax) : parsed(text);
  if (body === undefined && (status === 404 || status === 410)) return { kind: 'none' };
  if (mayPass(status)) return { kind: 'failed', detail: `status ${status}`, retryAfterMs: retryAfterMs(response) };
  if (permanent.has(status) || (body !== undefined && (status === 404 || status === 405)))
    throw new MillraceError('lookup', `the service answered with status ${status}`, {
      where: step,
      hint: permanent.has(status) ? 'check the credentials in the headers' : 'is the address that of the service?',
      permanent: true,
    });
  return { kind: 'refused', detail: `status ${status}` };
}

/** Unauthorized, forbidden. */
const permanent = new Set([401, 403]);

const tooLong = (bytesMax: number): Outcome => ({
  kind: 'refused',
  detail: `an answer of more than ${bytesMax} bytes`,
});

function parsed(text: string): Outcome {
  if (text === '') return { kind: 'none' };
  try {
    return { kind: 'json', json: JSON.parse(text) };
  } catch (error) {
    return { kind: 'refused', detail: `the answer is not JSON: ${messageOf(error).slice(0, 100)}` };
  }
}
