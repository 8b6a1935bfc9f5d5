import { messageOf } from '../../src/core/errors.js';

/** Request timeout, too early, too many requests. */
const passing = new Set([408, 425, 429]);

/** Whether another try may be answered otherwise. */
export const mayPass = (status: number): boolean => status >= 500 || passing.has(status);

/** Why no answer came: `fetch` says only that it failed, and why in the cause. */
export const causeOf = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);

/** The text of an answer, or `undefined` where it is too long; what is too long is not taken into memory. */
export async function textOf({ body }: Response, bytesMax: number): Promise<string | undefined> {
  if (body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > bytesMax) return undefined; // leaving the loop ends the request
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What a service says of when to ask again, in milliseconds: seconds or a date; `undefined` where it says nothing. */
export function retryAfterMs({ headers }: Pick<Response, 'headers'>): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : undefined;
}
