import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Running } from '../../src/runtime/index.js';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import { addressInGroup, believedUrl, provenAddress } from '../../src/server/owner-address.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const retry: Running['query'] = async () => ({ kind: 'retry', why: 'not now' });
async function serve(token: string | undefined, query = retry, host = '127.0.0.1'): Promise<Monitoring> {
  const running = { snapshot: someSnapshot, query };
  const served = await serveMonitoring({
    host,
    port: 0,
    token,
    topology: orders,
    profile: 'embedded',
    running,
    isReady: () => true,
  });
  open.push(served);
  return served;
}

/** `fetch` does not let a Host be set. */
const statusOf = (url: string, headers: Record<string, string> = {}): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('access to metrics, health and state', () => {
  const paths = [
    '/metrics',
    '/health',
    '/state/count/a',
    '/scale',
    '/scale/process',
    '/',
    '/page.js',
    '/record.js',
    '/record?id=a',
    '/graph',
    '/nowhere',
  ];

  it.each(paths)('without a token, %s is for clients of this machine', async (path) => {
    const { url } = await serve(undefined);
    expect(await statusOf(url + path, { host: 'evil.example' })).toBe(403);
    expect(await statusOf(url + path, { origin: 'https://evil.example' })).toBe(403);
    expect(await statusOf(url + path)).not.toBe(403);
  });

  it.each(paths)('with one, %s is for whoever bears it', async (path) => {
    const { url } = await serve('secret');
    expect(await statusOf(url + path)).toBe(401);
    expect(await statusOf(url + path, { authorization: 'Bearer other' })).toBe(401);
    expect(await statusOf(url + path, { authorization: 'Bearer secret', host: 'node-1:9464' })).not.toBe(401);
  });

  it('probes need no token', async () => {
    const { url } = await serve('secret');
    expect(await statusOf(`${url}/health/live`, { host: '10.1.2.3' })).toBe(200);
    expect(await statusOf(`${url}/health/ready`, { host: '10.1.2.3' })).toBe(200);
  });

  it('does not listen beyond loopback without a token', async () => {
    await expect(serve(undefined, retry, '0.0.0.0')).rejects.toMatchObject({
      code: 'config',
      hint: expect.stringContaining('MILLRACE_TOKEN'),
    });
    expect(await statusOf((await serve('secret', retry, '0.0.0.0')).url.replace('0.0.0.0', '127.0.0.1'))).toBe(401);
  });
});

it('is told to the group only where others can reach it', () => {
  const told = (host: string, port: number) => addressInGroup({ host, port }, 'orders', undefined);
  expect(told('10.0.0.4', 9464)).toBe('http://10.0.0.4:9464');
  expect(told('fd00::4', 9464)).toBe('http://[fd00::4]:9464');
  for (const host of ['0.0.0.0', '::']) expect(told(host, 9464)).toBeUndefined();
  expect(told('10.0.0.4', 0)).toBeUndefined();
});

describe('the owner of a key', () => {
  async function owner() {
    const asked: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      asked.push(request);
      response.end('{"value":1}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(server);
    return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }
  const elsewhere =
    (address: string): Running['query'] =>
    async () => ({ kind: 'elsewhere', address, partition: 3 });
  const authorization = 'Bearer secret';

  it('is asked, with the token, where it has proven its address', async () => {
    const { asked, url } = await owner();
    const served = await serve('secret', elsewhere(provenAddress(url, 'orders', 'secret')));
    expect(await statusOf(`${served.url}/state/count/a`, { authorization })).toBe(200);
    expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/state/count/a?partition=3', authorization],
    ]);
  });

  it('is not asked, and not told the token, where it has not', async () => {
    const { asked, url } = await owner();
    const stolen = provenAddress('http://127.0.0.1:1', 'orders', 'secret').split('#')[1];
    for (const address of [
      url,
      `${url}#${stolen}`,
      provenAddress(url, 'orders', 'other'),
      provenAddress(url, 'payments', 'secret'),
      'no url',
    ]) {
      const served = await serve('secret', elsewhere(address));
      expect(await statusOf(`${served.url}/state/count/a`, { authorization })).toBe(503);
    }
    expect(asked).toEqual([]);
  });

  it('without a token, is asked on loopback only', () => {
    expect(believedUrl('http://127.0.0.1:9464', 'orders', undefined)).toBe('http://127.0.0.1:9464');
    expect(believedUrl('http://[::1]:9464', 'orders', undefined)).toBe('http://[::1]:9464');
    expect(believedUrl('http://169.254.169.254', 'orders', undefined)).toBeUndefined();
    expect(believedUrl('http://127.0.0.1@evil.example', 'orders', undefined)).toBeUndefined();
  });
});
