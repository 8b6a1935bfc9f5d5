import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { millrace, userFolder } from '../../cli/millrace.js';
import { repository } from '../../import-graph.js';
import { address, clusterEnv } from '../address.js';

// Of a topic and what a real registry says of it: a topology that reads the topic.

const run = promisify(execFile);
const user = userFolder();
afterAll(() => user.remove());
const env = () => ({ MILLRACE_PROFILE: 'cluster', ...clusterEnv() });

async function register(subject: string, body: object): Promise<void> {
  const url = `${address('MILLRACE_REGISTRY')}/subjects/${subject}/versions`;
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.status, await answer.clone().text()).toBe(200);
}

const avro = JSON.stringify({
  type: 'record',
  name: 'Visit',
  namespace: 'shop',
  fields: [
    { name: 'visitId', type: 'string' },
    { name: 'customer', type: 'string' },
    { name: 'startedAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'pages', type: 'int' },
    { name: 'bought', type: 'boolean' },
  ],
});
const jsonSchema = JSON.stringify({
  title: 'Visit',
  type: 'object',
  properties: {
    visitId: { type: 'string' },
    customer: { type: 'string' },
    startedAt: { type: 'number' },
    pages: { type: 'integer' },
    bought: { type: 'boolean' },
  },
  required: ['visitId', 'customer', 'startedAt', 'pages', 'bought'],
});
const protobuf = `syntax = "proto3";
package shop;
message Visit { string visit_id = 1; string customer = 2; int64 started_at = 3; int32 pages = 4; bool bought = 5; }`;

const EVENTS = 500;

/** What others write into the topic, with the unit of time of the schema. */
const events = (perMs: number): string =>
  Array.from({ length: EVENTS }, (_, n) => {
    const ms = Date.UTC(2026, 0, 1) + n * 60_000;
    const visit = { visitId: `v${n}`, customer: `c${n % 9}`, startedAt: ms * perMs, pages: n % 7, bought: n % 3 === 0 };
    return `${JSON.stringify(visit)}\n`;
  }).join('');

describe.each([
  ['avro', { schema: avro }, 'count', 'redis', events(1_000)],
  ['json-schema', { schema: jsonSchema, schemaType: 'JSON' }, 'learn', 'kafka', events(1)],
  ['protobuf', { schema: protobuf, schemaType: 'PROTOBUF' }, 'route', 'clickhouse', events(1)],
])('init from a topic whose schema is registered as %s', (format, body, task, to, input) => {
  const topic = `visits-${format}-${randomUUID().slice(0, 8)}`;

  it('writes what has types that hold, and runs', { timeout: 180_000 }, async () => {
    await register(`${topic}-value`, body);
    const call = (args: readonly string[], folder: string, given = '') =>
      millrace(args, { folder, env: env(), input: given });
    const args = ['init', format, '--from', `kafka:${topic}`, '--schema', 'registry', '--do', task, '--to', to];
    const written = await call([...args, '--json'], user.folder);
    expect(written.err).toBe('');
    const { nextSteps } = JSON.parse(written.out) as { nextSteps: string[] };
    const folder = join(user.folder, format);

    if (!existsSync(join(folder, 'node_modules')))
      symlinkSync(join(user.folder, 'node_modules'), join(folder, 'node_modules'));
    const types = join(user.folder, 'node_modules/@types');
    if (!existsSync(types)) symlinkSync(join(repository, 'node_modules/@types'), types);
    const config = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8'));
    const lib = ['es2023', 'es2024.string']; // that of our sources, which users do not compile
    config.compilerOptions = { ...config.compilerOptions, customConditions: ['millrace-source'], lib, rootDir: '/' };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch((error) => error as { stdout: string });
    expect(stdout).toBe('');

    const [schema = ''] = readdirSync(join(folder, 'schemas')).filter((name) => !name.endsWith('.ts'));
    const produced = await call(
      ['produce', topic, '--schema', `schemas/${schema}`, '--key', 'customer'],
      folder,
      input,
    );
    expect([produced.code, produced.err]).toEqual([0, '']);

    const steps = nextSteps.filter((step) => step.startsWith('npx millrace '));
    expect(steps.map((step) => step.split(' ')[2]).slice(0, 2)).toEqual(['check', 'run']);
    for (const step of steps) {
      const words = [...step.slice('npx millrace '.length).matchAll(/"([^"]*)"|(\S+)/g)];
      const line = words.map(([, quoted, plain]) => quoted ?? plain ?? '');
      const outcome = await call(line[0] === 'run' ? [...line, '--json'] : line, folder);
      expect([step, outcome.code, outcome.err], outcome.out).toEqual([step, 0, '']);
      if (line[0] !== 'run') continue;
      const summary = JSON.parse(outcome.out);
      expect(summary).toMatchObject({ read: { [topic]: EVENTS }, deadLetters: {} });
      expect(Math.max(...Object.values<number>(summary.written))).toBeGreaterThan(0);
    }
  });
});
