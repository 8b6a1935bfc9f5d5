import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { confluentRegistry } from '../../src/schema/index.js';

// The routes of Confluent's API that are called; the real server is met in the integration tests.

interface Request {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

const long = { format: 'avro', text: '"long"', references: [] } as const;

describe('confluent registry', () => {
  const requests: Request[] = [];
  let answer: (request: Request, body: string) => { status: number; body: unknown };
  let server: Server;
  let url: string;

  beforeEach(async () => {
    requests.length = 0;
    answer = () => ({ status: 500, body: { error_code: 500, message: 'no' } });
    server = createServer((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk) => {
        body += chunk;
      });
      incoming.on('end', () => {
        const { method = '', url: path = '', headers } = incoming;
        const request = { method, url: path, authorization: headers.authorization };
        requests.push(request);
        const { status, body: reply } = answer(request, body);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('registers and looks up, each once, with the credentials', async () => {
    answer = ({ method }, body) =>
      method === 'POST'
        ? { status: 200, body: { id: JSON.parse(body).schema === '"long"' ? 7 : 8 } }
        : { status: 200, body: { schema: '"int"' } };
    const registry = confluentRegistry({ url: `${url}/`, auth: { username: 'ada', password: 'secret' } });
    expect(await registry.idOf('s-value', long)).toBe(7);
    expect(await registry.idOf('s-value', long)).toBe(7);
    expect((await registry.schemaOf(12))?.text).toBe('"int"');
    expect((await registry.schemaOf(12))?.text).toBe('"int"');
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(requests[0]?.url).toMatch(/^\/subjects\/s-value\/versions/);
    expect(requests[1]?.url).toMatch(/^\/schemas\/ids\/12/);
    expect(requests[0]?.authorization).toBe(`Basic ${Buffer.from('ada:secret').toString('base64')}`);
  });

  it('takes a schema that another process registered at the same moment', async () => {
    answer = ({ url: path }) =>
      path.includes('/versions')
        ? { status: 409, body: { error_code: 409, message: 'already exists' } }
        : { status: 200, body: { id: 7, version: 1 } };
    expect(await confluentRegistry({ url }).idOf('s-value', long)).toBe(7);
  });

  it('refuses a schema that is incompatible with the one of its subject', async () => {
    answer = ({ url: path }) =>
      path.includes('/versions')
        ? { status: 409, body: { error_code: 409, message: 'incompatible' } }
        : { status: 404, body: { error_code: 40403, message: 'not there' } };
    await expect(confluentRegistry({ url }).idOf('s-value', long)).rejects.toMatchObject({
      code: 'schema',
      hint: expect.stringContaining('incompatible version'),
    });
  });

  it('sends a token as it is given', async () => {
    answer = () => ({ status: 200, body: { schema: '"int"' } });
    await confluentRegistry({ url, auth: { token: 't0ken' } }).schemaOf(1);
    expect(requests[0]?.authorization).toBe('Bearer t0ken');
  });

  it('registers what a schema refers to first, and refers to it by version', async () => {
    const bodies: { readonly url: string; readonly body: unknown }[] = [];
    answer = ({ url: path }, body) => {
      bodies.push({ url: path, body: JSON.parse(body) });
      return { status: 200, body: path.endsWith('/versions') ? { id: 3 } : { version: 4 } };
    };
    const inner = { format: 'protobuf', text: 'inner', references: [] } as const;
    const outer = {
      format: 'protobuf',
      text: 'outer',
      references: [{ name: 'i.proto', subject: 'inner', schema: inner }],
    } as const;
    expect(await confluentRegistry({ url }).idOf('outer', outer)).toBe(3);
    expect(bodies).toEqual([
      { url: '/subjects/inner/versions', body: { schema: 'inner', schemaType: 'PROTOBUF', references: [] } },
      { url: '/subjects/inner', body: { schema: 'inner', schemaType: 'PROTOBUF', references: [] } },
      {
        url: '/subjects/outer/versions',
        body: {
          schema: 'outer',
          schemaType: 'PROTOBUF',
          references: [{ name: 'i.proto', subject: 'inner', version: 4 }],
        },
      },
    ]);
  });

  it('tells what is known here from what is not, without asking', async () => {
    answer = () => ({ status: 200, body: { id: 5 } });
    const registry = confluentRegistry({ url });
    expect(await registry.knownIdOf('s', long)).toBeUndefined();
    expect(requests).toEqual([]);
    await registry.idOf('s', long);
    expect(await registry.knownIdOf('s', long)).toBe(5);
    expect(await registry.schemaOf(5)).toEqual(long); // what was registered need not be looked up
    expect(requests).toHaveLength(1);
  });

  it('takes an answer for a schema, an id or a version only where it is one', async () => {
    const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);
    for (const body of ['<html>', { schema: 5 }, { schema: 'x', references: [{ name: 'x' }] }, null]) {
      answer = () => ({ status: 200, body });
      const registry = confluentRegistry({ url });
      expect(await failure(registry.schemaOf(1))).toMatchObject({
        code: 'schema',
        message: expect.stringMatching(/look up schema 1: the answer/),
      });
      expect(await failure(registry.idOf('s', long))).toMatchObject({
        code: 'schema',
        message: expect.stringMatching(/the answer holds no id/),
      });
    }
    answer = () => ({ status: 200, body: { id: 2 ** 31 } }); // what the wire format has no room for
    expect(await failure(confluentRegistry({ url }).idOf('s', long))).toMatchObject({ code: 'schema' });
  });

  it('does not follow references in a circle', async () => {
    const references = [{ name: 'E', subject: 'e', version: 1 }];
    answer = () => ({ status: 200, body: { schema: '"int"', references } });
    await expect(confluentRegistry({ url }).schemaOf(1)).rejects.toMatchObject({
      code: 'schema',
      permanent: true,
      message: expect.stringContaining('refers to more than 1000 others'),
    });
  });

  it('answers undefined where the server knows no such id', async () => {
    answer = () => ({ status: 404, body: { error_code: 40_403, message: 'Schema 9 not found' } });
    expect(await confluentRegistry({ url }).schemaOf(9)).toBeUndefined();
  });

  it('tells an outage and an incompatible schema apart, without secrets', async () => {
    const auth = { username: 'ada', password: 'secret' };
    answer = () => ({ status: 409, body: { error_code: 409, message: 'incompatible' } });
    const conflict = await confluentRegistry({ url, auth })
      .idOf('s', long)
      .catch((error: unknown) => error);
    expect(conflict).toMatchObject({ code: 'schema', permanent: true, hint: expect.stringContaining('incompatible') });
    const gone = await confluentRegistry({ url: 'http://ada:secret@127.0.0.1:1' })
      .schemaOf(1)
      .catch((error: unknown) => error);
    expect(gone).toMatchObject({ code: 'schema', permanent: false, hint: expect.stringContaining('running') });
    for (const error of [conflict, gone]) {
      const { message, where, hint, cause } = error as Error & { where: string; hint: string };
      expect(`${message} ${where} ${hint} ${JSON.stringify(cause)}`).not.toMatch(/secret|YWRh/);
    }
  });

  it('tells whether a subject takes a schema, and why it does not', async () => {
    const registry = confluentRegistry({ url });
    const asked = async (status: number, body: unknown) => {
      answer = () => ({ status, body });
      return registry.compatibility?.('a/b', long);
    };
    expect(await asked(200, { is_compatible: true })).toEqual({ compatible: true, reasons: [] });
    expect(await asked(200, { is_compatible: false, messages: ['a', 'b'] })).toEqual({
      compatible: false,
      reasons: ['a', 'b'],
    });
    expect(await asked(200, { is_compatible: false, reason: 'c' })).toEqual({ compatible: false, reasons: ['c'] });
    // A subject without versions takes any.
    expect(await asked(404, { error_code: 40401 })).toEqual({ compatible: true, reasons: [] });
    expect(requests.at(-1)?.url).toBe('/compatibility/subjects/a%2Fb/versions?verbose=true');
    await expect(asked(422, { error_code: 42201, message: 'no schema' })).rejects.toMatchObject({
      ...{
        code: 'schema',
        where: `${url}/`,
        permanent: true,
        message: expect.stringContaining('ask whether a/b takes the schema'),
      },
      hint: expect.stringContaining('does not accept this schema'),
    });
  });

  it('knows the newest version of a subject, if it has one', async () => {
    const registry = confluentRegistry({ url });
    answer = () => ({ status: 200, body: { version: 3, schema: '"int"' } });
    expect(await registry.latest('a/b')).toEqual({
      version: 3,
      schema: { format: 'avro', text: '"int"', references: [] },
    });
    expect(requests.at(-1)?.url).toBe('/subjects/a%2Fb/versions/latest');
    answer = () => ({ status: 404, body: { error_code: 40401 } });
    expect(await registry.latest('a')).toBeUndefined();
    expect(await registry.schemaOf(99)).toBeUndefined();
    for (const status of [401, 403, 409])
      await (async () => {
        answer = () => ({ status, body: { error_code: status, message: 'no' } });
        await expect(registry.latest('a')).rejects.toMatchObject({ code: 'schema', permanent: true });
      })();
  });
});
