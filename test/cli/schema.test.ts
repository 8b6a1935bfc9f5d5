import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemaOf } from '../../src/cli/schema-file.js';
import { callMain } from './millrace.js';

const files = {
  'v1.avsc': '{"type":"record","name":"E","fields":[{"name":"x","type":"int"}]}',
  'v2.avsc': '{"type":"record","name":"E","fields":[{"name":"x","type":"string"}]}',
  'bad.avsc': '{"type":"record","name":"E","fields":[{"name":"x","type":"Nothing"}]}',
  'order.proto':
    'syntax = "proto3"; package shop; import "money.proto"; message Order { Money total = 1; } message Line { int32 n = 1; }',
  'money.proto': 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }',
  'bad.proto': 'syntax = "proto3"; message {',
  'payment.json': '{"title":"Payment","type":"object","properties":{"id":{"type":"string"}},"required":["id"]}',
};

describe('millrace schema', () => {
  let folder: string;
  let server: Server;
  let registry: string;
  const requests: string[] = [];
  const at = (file: string) => join(folder, file);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-schema-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
    // A registry that has one version of one subject, and refuses another.
    server = createServer((incoming, response) => {
      requests.push(`${incoming.method} ${incoming.url}`);
      incoming.resume().on('end', () => {
        const { url = '', method } = incoming;
        const [status, body] = url.includes('/subjects/new-value')
          ? [404, { error_code: 40_401, message: 'no such subject' }]
          : url.startsWith('/compatibility/')
            ? [200, { is_compatible: false, messages: ['x: int is no string'] }]
            : url.endsWith('/versions/latest')
              ? [200, { schema: files['v1.avsc'], version: 1, id: 7 }]
              : method === 'POST'
                ? [200, { id: 7 }]
                : [500, {}];
        response.writeHead(status as number, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('check: finds what is wrong with each file, and asks no registry without a subject', async () => {
    const good = await callMain('schema', 'check', at('v1.avsc'), at('order.proto'), at('payment.json'));
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(good.out.match(/no problems found/g)).toHaveLength(3);
    const bad = await callMain(
      'schema',
      'check',
      at('v1.avsc'),
      at('bad.avsc'),
      at('bad.proto'),
      at('none.avsc'),
      '--json',
    );
    expect(bad.code).toBe(1);
    const { schemas } = JSON.parse(bad.out);
    expect(schemas.map(({ problems }: { problems: unknown[] }) => problems.length)).toEqual([0, 1, 1, 1]);
    expect(schemas[1].problems[0].message).toMatch(/not valid Avro.*Nothing/);
    expect(schemas[3].problems[0]).toMatchObject({ message: 'no such file', hint: expect.stringContaining('.avsc') });
    expect(requests).toEqual([]);
  });

  it("check: gives the registry's reasons, and takes a new subject", async () => {
    const refused = await callMain('schema', 'check', at('v2.avsc'), '--topic', 'events', '--registry', registry);
    expect(refused.code).toBe(1);
    expect(refused.out).toBe(
      `${at('v2.avsc')} as events-value: x: int is no string\n  hint: add only fields with defaults and keep existing fields, or use a new subject\n`,
    );
    const taken = await callMain('schema', 'check', at('v2.avsc'), '--topic', 'new', '--registry', registry);
    expect(taken).toMatchObject({ code: 0, out: `${at('v2.avsc')} as new-value: no problems found\n` });
    const two = await callMain('schema', 'check', at('v1.avsc'), at('v2.avsc'), '--topic', 'new');
    expect(two).toMatchObject({ code: 1, err: expect.stringContaining('one by one') });
  });

  it('check: a registry that cannot be reached is no finding', async () => {
    const away = await callMain(
      'schema',
      'check',
      at('v2.avsc'),
      '--topic',
      'events',
      '--registry',
      'http://ada:pw@127.0.0.1:1',
    );
    expect(away.code).toBe(1);
    expect(away.err).toMatch(/^error \(schema\): cannot ask whether events-value takes the schema/);
    expect(away.err).toContain('that the registry is running');
    expect(away.err).not.toContain('pw');
  });

  it('register: prints the id', async () => {
    const done = await callMain(
      'schema',
      'register',
      at('v1.avsc'),
      '--subject',
      'e',
      '--registry',
      registry,
      '--json',
    );
    expect(done).toMatchObject({ code: 0, out: '{"subject":"e","id":7}\n' });
    expect(requests.at(-1)).toBe('POST /subjects/e/versions');
    expect(await callMain('schema', 'register', at('v1.avsc'))).toMatchObject({
      code: 1,
      err: 'error (config): no subject is given\n  hint:  give --topic or --subject\n',
    });
  });

  it('diff: between files, and against the registry', async () => {
    const { code, out } = await callMain('schema', 'diff', at('v1.avsc'), at('v2.avsc'));
    expect(code).toBe(1);
    expect(out).toMatchInlineSnapshot(`
      "~ x: int  ->  string
      backward compatible (the new version can read data of the old one): no
        x: the writer's int cannot be read as string
      forward compatible (the old version can read data of the new one): no
        x: the writer's string cannot be read as int
      "
    `);
    const same = await callMain('schema', 'diff', at('v1.avsc'), '--topic', 'events', '--registry', registry, '--json');
    expect(same).toMatchObject({ code: 0, out: '{"changes":[],"backward":[],"forward":[]}\n' });
    const none = await callMain('schema', 'diff', at('v1.avsc'), '--topic', 'new', '--registry', registry);
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining('has no subject new-value') });
    const mixed = await callMain('schema', 'diff', at('v1.avsc'), at('payment.json'));
    expect(mixed).toMatchObject({ code: 1, err: expect.stringContaining('cannot be compared') });
  });

  it('types: of the first message, of one that is named, as what is asked for', async () => {
    expect((await callMain('schema', 'types', at('order.proto#shop.Line'))).out).toBe(
      'export interface Line {\n  readonly n: number;\n}\n',
    );
    const { out } = await callMain('schema', 'types', at('order.proto'), '--long', 'bigint');
    expect(out).toContain('readonly cents: bigint;');
    expect(JSON.parse((await callMain('schema', 'types', at('payment.json'), '--json')).out).types).toContain(
      'Payment',
    );
    expect(await callMain('schema', 'types', at('order.proto'), '--long', 'text')).toMatchObject({ code: 2 });
  });

  it("files' endings say what other commands read and write", async () => {
    expect(await schemaOf('t', undefined)).toMatchObject({ format: 'json', subject: 't-value' });
    expect(await schemaOf('t', at('v1.avsc'))).toMatchObject({ format: 'avro', subject: 't-value' });
    expect(await schemaOf('t', at('payment.json'))).toMatchObject({ format: 'json-schema' });
    expect(await schemaOf('t', at('order.proto'))).toMatchObject({ options: { message: 'shop.Order' } });
    expect(await schemaOf('t', `${at('order.proto')}#shop.Line`)).toMatchObject({ options: { message: 'shop.Line' } });
  });
});
