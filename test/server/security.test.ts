import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function served(token?: string): Promise<number> {
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port: 0, token, topology: orders, profile: 'embedded' as const, isReady: () => true },
    running: { snapshot: someSnapshot, query: async () => ({ kind: 'retry', why: 'not now' }) },
    records: { find: async () => ({ isCut: false, topics: [] }) },
  });
  open.push(monitoring);
  return Number(new URL(monitoring.url).port);
}

interface Answer {
  readonly status: number;
  readonly head: string;
}

/** Bytes over a socket: no client that mends or refuses a header is in between. */
async function ask(port: number, method: string, path: string, headers: readonly string[]): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`${[`${method} ${path} HTTP/1.1`, ...headers, 'connection: close', '', ''].join('\r\n')}`);
  let text = '';
  socket.setEncoding('utf8');
  for await (const piece of socket) {
    text += piece;
    if (text.includes('\r\n\r\n')) break;
  }
  socket.destroy();
  const [, status = ''] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  return { status: Number(status), head: text.split('\r\n\r\n')[0] ?? '' };
}

const routes = [
  '/',
  '/page.js',
  '/page.css',
  '/dom.js',
  '/lines.js',
  '/drawer.js',
  '/graph.js',
  '/letters.js',
  '/notices.js',
  '/panels.js',
  '/record.js',
  '/record?id=a',
  '/graph',
  '/live',
  '/live/process',
  '/history?span=10m',
  '/history/process?span=2h',
  '/alerts/process',
  '/metrics',
  '/health',
  '/state/dedupe/a',
];
const probes = ['/health/live', '/health/ready'];
/** What the routes answer to those who may ask. */
const usual: Readonly<Record<string, number>> = { '/health': 503, '/state/dedupe/a': 503 };
const basic = (password: string) => `authorization: Basic ${Buffer.from(`any:${password}`).toString('base64')}`;

describe('requests without a token', () => {
  const hosts: readonly (readonly [string, boolean])[] = [
    ['127.0.0.1:PORT', true],
    ['localhost:PORT', true],
    ['LOCALHOST', true],
    ['[::1]:PORT', true],
    ['run.localhost:PORT', true],
    // Through a tunnel or a container the port is another one.
    ['127.0.0.1:8443', true],
    ['evil.example', false],
    ['evil.example:PORT', false],
    ['127.0.0.1.evil.example:PORT', false],
    ['localhost.evil.example', false],
    ['169.254.169.254', false],
    ['0.0.0.0:PORT', false],
    ['', false],
  ];
  it.each(hosts)('are taken from Host %j: %s', async (host, isTaken) => {
    const port = await served();
    for (const route of [...routes, ...probes]) {
      const { status } = await ask(port, 'GET', route, [`host: ${host.replace('PORT', String(port))}`]);
      expect([route, status]).toEqual([route, isTaken ? (usual[route] ?? 200) : 403]);
    }
  });

  const origins: readonly (readonly [string, readonly string[], boolean])[] = [
    ['its own page', ['origin: http://127.0.0.1:PORT', 'sec-fetch-site: same-origin', 'sec-fetch-mode: cors'], true],
    ['a link on another site', ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate'], true],
    ['the address bar', ['sec-fetch-site: none', 'sec-fetch-mode: navigate'], true],
    [
      'a page of another site',
      ['origin: https://evil.example', 'sec-fetch-site: cross-site', 'sec-fetch-mode: cors'],
      false,
    ],
    [
      'a page of another port',
      ['origin: http://127.0.0.1:1', 'sec-fetch-site: same-site', 'sec-fetch-mode: cors'],
      false,
    ],
    ['an image of another site', ['sec-fetch-site: cross-site', 'sec-fetch-mode: no-cors'], false],
    ['a sandboxed page', ['origin: null', 'sec-fetch-site: cross-site', 'sec-fetch-mode: cors'], false],
    ['an old browser', ['origin: https://evil.example'], false],
  ];
  it.each(origins)('of %s', async (_, headers, isTaken) => {
    const port = await served();
    for (const route of routes) {
      const sent = ['host: 127.0.0.1:PORT', ...headers].map((header) => header.replace('PORT', String(port)));
      const { status } = await ask(port, 'GET', route, sent);
      expect([route, status]).toEqual([route, isTaken ? (usual[route] ?? 200) : 403]);
    }
  });
});

describe('requests with a token', () => {
  const bearers: readonly (readonly [string, readonly string[], boolean])[] = [
    ['Bearer', ['authorization: Bearer secret'], true],
    ['the password of Basic', [basic('secret')], true],
    ['another token', ['authorization: Bearer secret2'], false],
    ['another password', [basic('')], false],
    ['a longer password', [basic('secret:secret')], false],
    ['another scheme', ['authorization: Digest secret'], false],
    ['a cookie', ['cookie: token=secret; millrace=secret'], false],
    ['nothing', [], false],
  ];
  it.each(bearers)('as %s', async (_, headers, isTaken) => {
    const port = await served('secret');
    for (const route of routes) {
      const { status } = await ask(port, 'GET', route, ['host: node-1:9464', ...headers]);
      expect([route, status]).toEqual([route, isTaken ? (usual[route] ?? 200) : 401]);
    }
    expect((await ask(port, 'GET', '/?token=secret', ['host: node-1:9464', ...headers])).status).toBe(
      isTaken ? 200 : 401,
    );
  });

  it('that a page of another site makes are refused, although the browser adds the password', async () => {
    const port = await served('secret');
    for (const route of routes) {
      const headers = ['host: node-1', basic('secret'), 'sec-fetch-site: cross-site', 'sec-fetch-mode: no-cors'];
      expect((await ask(port, 'GET', route, headers)).status).toBe(403);
    }
  });
});

describe('every route', () => {
  it('takes GET only', async () => {
    const port = await served();
    for (const route of [...routes, ...probes])
      for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
        const { status, head } = await ask(port, method, route, [`host: 127.0.0.1:${port}`, 'content-length: 0']);
        expect([method, route, [400, 404, 405].includes(status)]).toEqual([method, route, true]);
        expect(head.toLowerCase()).not.toContain('access-control-allow');
      }
  });

  it('says what a browser may do with its answer, and lets no other origin read it', async () => {
    const port = await served();
    for (const route of [...routes, '/nowhere']) {
      const { head } = await ask(port, 'GET', route, [`host: 127.0.0.1:${port}`]);
      for (const header of [
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
        'cross-origin-resource-policy: same-origin',
        'referrer-policy: no-referrer',
        'x-content-type-options: nosniff',
      ])
        expect(head.toLowerCase(), route).toContain(header);
      expect(head.toLowerCase()).not.toContain('access-control-allow');
    }
  });
});
