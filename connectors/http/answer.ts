import { messageOf } from '../../src/core/errors.js';

/** Request timeout, too early, too many requests. */
const passing = new Set([408, 425, 429]);

/** Whether a retry may get another answer. */
export const mayPass = (status: number): boolean => status >= 500 || passing.has(status);

/** Why there is no answer: the message of `fetch` only says that it failed, the reason is in its cause. */
export const causeOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);

/** The text of a response, or `undefined` if it is too long; the rest is not read into memory. */
export async function textOf({ body }: Response, bytesMax: number): Promise<string | undefined> {
  if (body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > bytesMax) return undefined; // leaving the loop cancels the request
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** `Retry-After` in milliseconds, given as seconds or a date; `undefined` if missing. */
export function retryAfterMs({ headers }: Pick<Response, 'headers'>): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : undefined;
}
