import { describe, expect, it } from 'vitest';
import { bears, foreignness, isLoopback, refusalOf } from '../../src/util/http-access.js';

describe('access to a server of ours', () => {
  it.each(['127.0.0.1', '127.3.2.1', '::1', '[::1]', 'localhost', 'LOCALHOST', 'a.localhost'])(
    '%s is loopback',
    (host) => expect(isLoopback(host)).toBe(true),
  );
  it.each(['0.0.0.0', '::', '10.0.0.1', '127.evil.com', 'localhost.evil.com', ''])('%s is not', (host) =>
    expect(isLoopback(host)).toBe(false),
  );

  it('takes requests of this machine, and refuses those of a page elsewhere', () => {
    for (const host of ['127.0.0.1:8123', 'localhost', '[::1]:9'])
      for (const headers of [{ host }, { host, origin: `http://${host}` }])
        expect(foreignness(headers)).toBeUndefined();
    expect(foreignness({ host: 'evil.example:8123' })).toContain('localhost');
    expect(foreignness({})).toContain('localhost');
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1'])
      expect(foreignness({ host: '127.0.0.1:8123', origin })).toContain('other origins');
  });

  it('knows the token as a bearer and as a password', () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const authorization of ['Bearer secret', 'bearer secret', basic('any:secret'), basic(':secret')])
      expect(bears({ authorization }, 'secret')).toBe(true);
    for (const authorization of ['', 'secret', 'Bearer', 'Bearer secre', basic('secret:'), basic('a:b:secret')])
      expect(bears({ authorization }, 'secret')).toBe(false);
  });

  it('a token is asked of everybody; without one, being of this machine is', () => {
    const here = { host: '127.0.0.1' };
    expect(refusalOf(here, undefined)).toBeUndefined();
    expect(refusalOf({ host: 'evil.example' }, undefined)).toMatchObject({ status: 403 });
    expect(refusalOf(here, 'secret')).toMatchObject({ status: 401 });
    expect(refusalOf({ host: 'node-1', authorization: 'Bearer secret' }, 'secret')).toBeUndefined();
  });
});
