import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../connectors/redis/server/address.js';

describe('addressOf', () => {
  it('takes a URL apart, with what is escaped in it', () => {
    expect(addressOf('rediss://al%40ice:p%3Aw@cache.example:6380/3')).toEqual({
      hosts: [{ host: 'cache.example', port: 6380 }],
      user: 'al@ice',
      password: 'p:w',
      database: 3,
      tls: true,
      where: 'rediss://cache.example:6380',
    });
    expect(addressOf('redis://[::1]')).toMatchObject({
      hosts: [{ host: '::1', port: 6379 }],
      user: undefined,
      database: 0,
      tls: false,
    });
  });

  it('takes several hosts, some without a port', () => {
    expect(addressOf('redis://:secret@a:7000,b,[::1]:7002/')).toMatchObject({
      hosts: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
        { host: '::1', port: 7002 },
      ],
      password: 'secret',
      where: 'redis://a:7000,b,[::1]:7002',
    });
  });

  it('refuses what is no URL, without saying it', () => {
    for (const url of ['cache:secret', 'redis://user:secret@a:port', 'redis://a:1,b:secret']) {
      expect(() => addressOf(url)).toThrowError(
        expect.objectContaining({ code: 'config', message: expect.not.stringContaining('secret') }),
      );
    }
  });
});
