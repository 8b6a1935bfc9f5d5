import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpGetOptions, http } from '../../../connectors/http/index.js';
import { openHttp } from '../../../connectors/http/open.js';
import type { Lookup, LookupAnswer } from '../../../src/core/index.js';

// A real server on loopback, which does whatever a key tells it to.

interface Seen {
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
let origin: string;
let seen: Seen[];
let behave: (response: ServerResponse, request: Seen) => void;

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const { method, url: path = '', headers } = request;
      const one = { method, path, headers, body };
      seen.push(one);
      behave(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (response: ServerResponse, value: unknown, status = 200, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

async function ask(
  lookup: Lookup<unknown>,
  keys: readonly string[],
  signal = AbortSignal.timeout(5_000),
): Promise<readonly LookupAnswer[]> {
  const reader = await openHttp().lookup.open(lookup, 'customer');
  return reader.get(keys, signal);
}
const get = (options: Partial<HttpGetOptions<unknown>> = {}) =>
  http.getLookup({ url: `${origin}/people/{key}`, ...options });

describe('http.getLookup', () => {
  it('asks for one key a request, escaped, with headers as they are then', async () => {
    behave = (response, { path }) => json(response, { path });
    let token = 0;
    const lookup = get({ headers: () => ({ authorization: `Bearer ${++token}` }) });
    const keys = ['ann', 'a/b?c=d&e#f', 'ü €'];
    const answers = [];
    for (const key of keys) answers.push(...(await ask(lookup, [key])));
    expect(answers).toEqual(
      keys.map((key) => ({ kind: 'found', value: { path: `/people/${encodeURIComponent(key)}` } })),
    );
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2', 'Bearer 3']);
    expect((await openHttp().lookup.open(lookup, 's')).keysMax).toBe(1);
    expect(await ask(lookup, ['..', '.'])).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
    expect(seen).toHaveLength(3);
  });

  it('tells what is missing, what is worth another try, and what is refused', async () => {
    behave = (response, { path }) => {
      const status = Number(path.split('/').at(-1));
      json(response, { status }, status, status === 429 ? { 'retry-after': '3' } : { location: 'http://127.0.0.1:1/' });
    };
    const kinds: Record<string, string> = {};
    for (const status of [200, 204, 404, 410, 400, 422, 301, 302, 408, 425, 429, 500, 502, 503]) {
      const [answer] = await ask(get(), [String(status)]);
      kinds[status] = answer?.kind ?? '';
      if (status === 429) expect(answer).toMatchObject({ retryAfterMs: 3_000, detail: 'status 429' });
    }
    expect(kinds).toEqual({
      200: 'found',
      204: 'missing',
      301: 'refused',
      302: 'refused',
      400: 'refused',
      404: 'missing',
      408: 'failed',
      410: 'missing',
      422: 'refused',
      425: 'failed',
      429: 'failed',
      500: 'failed',
      502: 'failed',
      503: 'failed',
    });
    for (const status of [401, 403])
      await expect(ask(get(), [String(status)])).rejects.toMatchObject({ code: 'lookup', permanent: true });
  });

  it('refuses what it cannot read, and what is too long', async () => {
    behave = (response, { path }) => {
      if (path.endsWith('html')) response.end('<html>Sorry</html>');
      else if (path.endsWith('long')) response.end(`"${'x'.repeat(5_000)}"`);
      else if (path.endsWith('empty')) response.end();
      else json(response, { age: 'many' });
    };
    const lookup = get({
      bytesMax: 1_000,
      decode: ({ age }: { age: string }) => {
        if (Number.isNaN(Number(age))) throw new Error(`no age: ${age}`);
        return Number(age);
      },
    });
    expect(await ask(lookup, ['html'])).toMatchObject([
      { kind: 'refused', detail: expect.stringContaining('not JSON') },
    ]);
    expect(await ask(lookup, ['long'])).toEqual([{ kind: 'refused', detail: 'an answer of more than 1000 bytes' }]);
    expect(await ask(lookup, ['empty'])).toEqual([{ kind: 'missing' }]);
    expect(await ask(lookup, ['ann'])).toEqual([
      { kind: 'refused', detail: 'the value cannot be decoded: no age: many' },
    ]);
  });

  it('has another try where the connection is cut, before the answer or in the middle of it', async () => {
    behave = (response, { path }) => {
      if (path.endsWith('before')) return response.destroy();
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"half":');
      setTimeout(() => response.destroy(), 20);
    };
    expect(await ask(get(), ['before'])).toMatchObject([{ kind: 'failed' }]);
    expect(await ask(get(), ['middle'])).toMatchObject([{ kind: 'failed' }]);
  });

  it('ends a request when told to', async () => {
    behave = () => undefined;
    const startedMs = performance.now();
    expect(await ask(get(), ['slow'], AbortSignal.timeout(50))).toMatchObject([{ kind: 'failed' }]);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('is known to answer where it answers at all', async () => {
    behave = (response) => json(response, {}, 404);
    const reader = await openHttp().lookup.open(get(), 'customer');
    await reader.ping();
    behave = (response) => json(response, {}, 503);
    await expect(reader.ping()).rejects.toMatchObject({ code: 'lookup' });
    const gone = await openHttp().lookup.open(http.getLookup({ url: 'http://127.0.0.1:9/{key}' }), 'customer');
    await expect(gone.ping()).rejects.toMatchObject({ code: 'lookup', where: 'http://127.0.0.1:9/{key}' });
  });
});

describe('http.postLookup', () => {
  const post = () => http.postLookup({ url: `${origin}/batch`, decode: (found) => `<${found}>` });

  it('asks for several keys at once and takes each answer from its own property', async () => {
    behave = (response, { body }) => {
      const { keys } = JSON.parse(body) as { keys: string[] };
      json(response, Object.fromEntries(keys.filter((key) => key !== 'nobody').map((key) => [key, `of ${key}`])));
    };
    const answers = await ask(post(), ['ann', 'nobody', 'toString', '__proto__']);
    expect(answers).toEqual([
      { kind: 'found', value: '<of ann>' },
      { kind: 'missing' },
      { kind: 'found', value: '<of toString>' },
      { kind: 'found', value: '<of __proto__>' },
    ]);
    expect(seen).toMatchObject([{ method: 'POST', headers: { 'content-type': 'application/json' } }]);
    behave = (response) => json(response, {});
    expect(await ask(post(), ['toString', '__proto__', 'constructor'])).toEqual(new Array(3).fill({ kind: 'missing' }));
  });

  it('speaks whatever the service speaks', async () => {
    behave = (response, { body }) =>
      json(response, { rows: (JSON.parse(body) as { ids: number[] }).ids.map((id) => ({ id, name: `n${id}` })) });
    const lookup = http.postLookup({
      url: `${origin}/batch`,
      body: (keys) => ({ ids: keys.map(Number) }),
      pick: ({ rows }: { rows: { id: number; name: string }[] }, key) => rows.find(({ id }) => id === Number(key)),
      decode: ({ name }: { name: string }) => name,
      keysMax: 50,
    });
    expect(await ask(lookup, ['1', '2'])).toEqual(['n1', 'n2'].map((value) => ({ kind: 'found', value })));
    expect((await openHttp().lookup.open(lookup, 's')).keysMax).toBe(50);
  });

  it('finds the key that spoils a request for all, and answers the rest', async () => {
    behave = (response, { body }) => {
      const { keys } = JSON.parse(body) as { keys: string[] };
      if (keys.includes('poison')) json(response, {}, 400);
      else json(response, Object.fromEntries(keys.map((key) => [key, key])));
    };
    const keys = ['a', 'b', 'c', 'poison', 'd', 'e', 'f', 'g'];
    const answers = await ask(post(), keys);
    expect(answers).toEqual(
      keys.map((key) =>
        key === 'poison' ? { kind: 'refused', detail: 'status 400' } : { kind: 'found', value: `<${key}>` },
      ),
    );
    expect(seen.length).toBe(7);
  });

  it('has another try for all where the service is busy, and stops where it is not there', async () => {
    behave = (response) => json(response, {}, 503);
    expect(await ask(post(), ['a', 'b'])).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }]);
    behave = (response) => json(response, {}, 404);
    await expect(ask(post(), ['a'])).rejects.toMatchObject({
      permanent: true,
      hint: 'is the address that of the service?',
    });
  });
});

describe('the address of a lookup', () => {
  it('is described and named without what may be secret', async () => {
    const url = 'https://crm.example:8443/people/{key}?token=secret';
    const { settings } = http.getLookup({ url, headers: () => ({ authorization: 'secret' }) });
    expect(settings).toEqual({ url: 'https://crm.example:8443/people/{key}' });
    for (const bad of ['secret', 'https://user:secret@crm.example/{key}']) {
      const { settings, problems } = http.getLookup({ url: bad });
      expect([settings, problems]).toEqual([
        {},
        [{ message: 'url is of type string', hint: 'give URL of http or https, without a user, with {key} in it' }],
      ]);
    }
  });
});
