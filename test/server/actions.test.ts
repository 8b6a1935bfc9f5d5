import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.js';
import type { DeadLetterDesk, Replay } from '../../src/server/actions/dead-letter-desk.js';
import type { Caller, RunControl } from '../../src/server/actions/run-control.js';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const replay: Replay = {
  ...{ id: 'replay-1', state: 'counting', what: 'all dead letters', by: 'ada', startedMs: 0 },
  ...{ found: 0, sent: 0, read: 0, records: [], error: null },
};

async function served({ token, isAllowed = true }: { token?: string; isAllowed?: boolean } = {}) {
  const calls: unknown[] = [];
  const called = (name: string) => (what: unknown, by: string) => {
    calls.push([name, what, by]);
    return replay;
  };
  const deadLetters: DeadLetterDesk = {
    look: async (selection, by) => {
      calls.push(['look', selection, by]);
      return { topic: 'orders.dead', entries: 0, scanned: 0, groups: [], letters: [] };
    },
    count: called('count'),
    send: called('send'),
    stop: async (id) => {
      throw new MillraceError('config', `${id} is sent`, { hint: 'only what counts or sends can be stopped' });
    },
    replays: () => [replay],
  };
  const controlled = (name: string) => async (caller: Caller) => {
    calls.push([name, caller]);
    return { atRest: {}, missing: [] };
  };
  const control: RunControl = {
    ...{ pause: controlled('pause'), resume: controlled('resume'), stop: controlled('end') },
    savepoint: async (name, by) => {
      calls.push(['savepoint', name, by]);
      return { topology: 'orders', file: `${name}.mrsp`, bytes: 1, partitions: 1 };
    },
  };
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port: 0, token, topology: orders, profile: 'embedded' as const, isReady: () => true },
    running: { snapshot: someSnapshot, query: async () => ({ kind: 'retry', why: 'not now' }) },
    actions: { isAllowed, deadLetters, control },
  });
  open.push(monitoring);
  return { port: Number(new URL(monitoring.url).port), calls };
}

/** Bytes over a socket: no client that mends or refuses a header is in between. */
async function post(port: number, path: string, body: string, headers: readonly string[] = own) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = [`POST ${path} HTTP/1.1`, ...headers, `content-length: ${body.length}`, 'connection: close', '', body];
  socket.write(head.join('\r\n').replaceAll('PORT', String(port)));
  let text = '';
  socket.setEncoding('utf8');
  for await (const piece of socket) text += piece;
  const [, status = ''] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  return { status: Number(status), body: text.split('\r\n\r\n')[1] ?? '' };
}

const json = 'content-type: application/json';
const id = 'x-request-id: r-1';
const own = [id, 'host: 127.0.0.1:PORT', 'origin: http://127.0.0.1:PORT', 'sec-fetch-site: same-origin', json];
const basic = (user: string) => `authorization: Basic ${Buffer.from(`${user}:secret`).toString('base64')}`;
const actions = [
  ['/replays', '{}'],
  ['/replays/send', '{"id":"replay-1"}'],
  ['/replays/stop', '{"id":"replay-1"}'],
  ['/stop', '{}'],
  ['/pause', '{}'],
  ['/resume', '{}'],
  ['/savepoints', '{"name":"before-v2"}'],
] as const;

describe('an action', () => {
  const senders: readonly (readonly [string, readonly string[], number])[] = [
    ['the own page', own, 200],
    ['a program of this machine', ['host: localhost:PORT', json], 200],
    ['a page of another site', ['host: 127.0.0.1:PORT', 'origin: https://evil.example', json], 403],
    [
      'a page of another port',
      [...own.filter((each) => !each.startsWith('origin')), 'origin: http://127.0.0.1:1'],
      403,
    ],
    ['a sandboxed page', ['host: 127.0.0.1:PORT', 'origin: null', json], 403],
    ['a rebound name', ['host: evil.example', 'origin: http://evil.example', json], 403],
    ['a link', ['host: 127.0.0.1:PORT', 'sec-fetch-site: none', 'sec-fetch-mode: navigate', json], 403],
    [
      'a page of another site, as a link',
      ['host: 127.0.0.1:PORT', 'sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', json],
      403,
    ],
    ['a form', ['host: 127.0.0.1:PORT', 'content-type: application/x-www-form-urlencoded'], 415],
    ['a form of plain text', ['host: 127.0.0.1:PORT', 'content-type: text/plain'], 415],
    ['nobody who says what it is', ['host: 127.0.0.1:PORT'], 415],
  ];
  it.each(senders)('of %s', async (_, headers, expected) => {
    const { port, calls } = await served();
    for (const [path, body] of actions) {
      const { status } = await post(port, path, body, headers);
      // This replay has ended.
      expect([path, status]).toEqual([path, expected === 200 && path === '/replays/stop' ? 409 : expected]);
    }
    expect(calls.length).toBe(expected === 200 ? 6 : 0);
  });

  const bearers: readonly (readonly [string, readonly string[], number])[] = [
    ['Bearer', ['authorization: Bearer secret'], 200],
    ['the password of Basic', [basic('ada')], 200],
    ['another token', ['authorization: Bearer secret2'], 401],
    ['nothing', [], 401],
    ['the password, from a page of another site', [basic('ada'), 'origin: https://evil.example'], 403],
    ['the password, from another site of the same host', [basic('ada'), 'sec-fetch-site: same-site'], 403],
  ];
  it.each(bearers)('with a token, by %s', async (_, headers, expected) => {
    const { port, calls } = await served({ token: 'secret' });
    for (const [path, body] of actions.filter(([each]) => each !== '/replays/stop'))
      expect([path, (await post(port, path, body, ['host: node-1:9464', json, ...headers])).status]).toEqual([
        path,
        expected,
      ]);
    expect(calls.length).toBe(expected === 200 ? 6 : 0);
  });

  it('is refused unless the run allows it, and says how', async () => {
    const { port, calls } = await served({ isAllowed: false });
    for (const [path, body] of actions)
      expect(await post(port, path, body)).toEqual({
        status: 403,
        body: JSON.stringify({ error: 'actions are not allowed', hint: 'start the run with --allow-actions' }),
      });
    expect(calls).toEqual([]);
    expect((await fetch(`http://127.0.0.1:${port}/dead-letters`)).status).toBe(200);
  });

  it('is a POST', async () => {
    const { port, calls } = await served();
    for (const [path] of actions)
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
        expect((await fetch(`http://127.0.0.1:${port}${path}`, { method })).status).toBe(404);
    expect(calls).toEqual([]);
  });

  it('says who asks for what, and refuses what it does not know', async () => {
    const { port, calls } = await served({ token: 'secret' });
    const headers = [id, 'host: node-1', json, basic('ada')];
    const letters = { reason: 'range:at', step: 'dedupe', again: true, places: ['0/12'] };
    expect(JSON.parse((await post(port, '/replays', JSON.stringify(letters), headers)).body)).toEqual(replay);
    const by = '"ada" at 127.0.0.1 (request r-1)';
    expect(calls).toEqual([['count', letters, by]]);
    for (const body of ['{"places":["0"]}', '{"places":"0/1"', '[]', '{"again":"perhaps"}', '"x"'])
      expect([body, (await post(port, '/replays', body, headers)).status]).toEqual([body, 400]);
    expect((await post(port, '/replays/send', '{}', headers)).status).toBe(400);
    expect((await post(port, '/replays', JSON.stringify({ reason: 'x'.repeat(70_000) }), headers)).status).toBe(413);
    expect(JSON.parse((await post(port, '/replays/stop', '{"id":"replay-1"}', headers)).body)).toEqual({
      error: 'replay-1 is sent',
      hint: 'only what counts or sends can be stopped',
    });
    expect(calls.length).toBe(1);
  });
  it('on the run names who asked, and whether for all processes', async () => {
    const { port, calls } = await served();
    const from = 'millrace-passed-on: %22zo%C3%AB%22%20at%2010.0.0.4%0A';
    for (const [path, body] of [
      ['/pause', '{}'],
      ['/stop', '{}'],
      ['/stop', '{"group":true}'],
    ] as const)
      for (const headers of [own, [...own, from]]) expect((await post(port, path, body, headers)).status).toBe(200);
    const here = '127.0.0.1 (request r-1)';
    const passedOn = { by: '"zoë" at 10.0.0.4\\n by way of 127.0.0.1 (request r-1)', alone: true };
    expect(calls).toEqual([
      ['pause', { by: here, alone: false }],
      ['pause', passedOn],
      ['end', { by: here, alone: true }],
      ['end', passedOn],
      ['end', { by: here, alone: false }],
      ['end', passedOn],
    ]);
    for (const body of ['{}', '[]', `{"name":"${'x'.repeat(301)}"}`])
      expect([body, (await post(port, '/savepoints', body)).status]).toEqual([body, 400]);
    expect((await post(port, '/pause', '{}', [...own, 'millrace-passed-on: %'])).status).toBe(200);
    expect(calls.at(-1)).toEqual(['pause', { by: '% by way of 127.0.0.1 (request r-1)', alone: true }]);
  });
});
