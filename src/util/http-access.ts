import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

// Who may use a server of ours. A web page can make a user's browser send requests to loopback, under a host name that resolves to
// it. Such requests have another Host, or an Origin.

/** Whether an address can be reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/i.test(host) || host.toLowerCase().endsWith('.localhost');

/** The URL of a host and port; an address of IPv6 stands in brackets. */
export const urlOf = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Why a request did not come from a client of this machine; `undefined` if it did. For servers on loopback. */
export function foreignness({ host = '', origin }: IncomingHttpHeaders): string | undefined {
  const name = host.replace(/:\d+$/, '');
  if (!isLoopback(name)) return 'this server is asked for as localhost or by an address of loopback';
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return 'pages of other origins may not ask here';
  return undefined;
}

/** Whether a request has the token: as `Authorization: Bearer TOKEN`, or as the password of `Basic`. */
export function bears({ authorization = '' }: IncomingHttpHeaders, token: string): boolean {
  const [, scheme = '', given = ''] = /^(Bearer|Basic) +(.+)$/i.exec(authorization) ?? [];
  const isBasic = scheme.toLowerCase() === 'basic';
  return isSame(
    isBasic
      ? Buffer.from(given, 'base64')
          .toString()
          .replace(/^[^:]*:/, '')
      : given,
    token,
  );
}

/** Compares in constant time. */
export function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

export interface Refusal {
  readonly status: 401 | 403 | 415;
  readonly message: string;
}

/**
 * Why a request that a page of another site makes is refused. A browser that knows the token as a password would send it along. To follow a
 * link from another site is no such request.
 */
export function crossSiteRefusal(headers: IncomingHttpHeaders): Refusal | undefined {
  const { 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = headers;
  const isOwn = site === 'none' || site === 'same-origin' || mode === 'navigate';
  return isOwn ? undefined : { status: 403, message: 'pages of other origins may not ask here' };
}

/**
 * Why a request that changes something is refused, besides. A browser says which page sends it, and asks before it sends JSON elsewhere:
 * nobody answers it.
 */
export function actionRefusal(headers: IncomingHttpHeaders): Refusal | undefined {
  const { host = '', origin, 'sec-fetch-site': site = 'same-origin', 'content-type': type = '' } = headers;
  const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  if (!isOwn || site !== 'same-origin') return { status: 403, message: 'only the own page may act here' };
  return /^application\/json\b/i.test(type) ? undefined : { status: 415, message: 'an action is sent as JSON' };
}

/** The name that a request with `Basic` gives. */
export function userOf({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  const [, given = ''] = /^Basic +(.+)$/i.exec(authorization) ?? [];
  return Buffer.from(given, 'base64').toString().split(':')[0] || undefined;
}

/** Why a request is refused. With the token it is accepted; without a configured token, clients of this machine are accepted. */
export function refusalOf(headers: IncomingHttpHeaders, token: string | undefined): Refusal | undefined {
  if (token !== undefined)
    return bears(headers, token) ? undefined : { status: 401, message: 'the bearer token is missing or wrong' };
  const message = foreignness(headers);
  return message === undefined ? undefined : { status: 403, message };
}
