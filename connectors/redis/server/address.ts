import { MillraceError, messageOf } from '../../../src/core/errors.js';

/** The parts of a Redis URL. */
export interface Address {
  /** Several hosts are nodes of a cluster. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: boolean;
  /** The URL without user and password, for messages. */
  readonly where: string;
}

/**
 * Parses `redis://user:password@host:6379/2`; `rediss` for TLS, several hosts with commas.
 *
 * @throws MillraceError `config`, without the URL, which may contain a password.
 */
export function addressOf(url: string): Address {
  const [, others = ''] = /^[a-z]+:\/\/[^/?#,]*,([^/?#]*)/.exec(url) ?? [];
  try {
    const first = new URL(others === '' ? url : url.replace(`,${others}`, ''));
    const rest = others.split(',').flatMap((host) => (host === '' ? [] : [new URL(`redis://${host}`)]));
    const hosts = [first, ...rest].map(({ hostname, port }) => ({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 6379 : Number(port),
    }));
    const { protocol, username, password, pathname, host } = first;
    if (!/^rediss?:$/.test(protocol)) throw new Error(`it begins with ${protocol}`);
    return {
      hosts,
      user: username === '' ? undefined : decodeURIComponent(username),
      password: password === '' ? undefined : decodeURIComponent(password),
      database: Number(pathname.slice(1)) || 0,
      tls: protocol === 'rediss:',
      where: `${protocol}//${[host, ...rest.map((other) => other.host)].join(',')}`,
    };
  } catch (cause) {
    throw new MillraceError('config', `the address of Redis is not a URL: ${messageOf(cause)}`, {
      hint: 'for example redis://host:6379, or for several nodes of a cluster redis://host-1:6379,host-2:6379',
    });
  }
}
