import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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

describe.each([
  ['avro', { schema: avro }, 'count', 'redis'],
  ['json-schema', { schema: jsonSchema, schemaType: 'JSON' }, 'learn', 'kafka'],
  ['protobuf', { schema: protobuf, schemaType: 'PROTOBUF' }, 'route', 'clickhouse'],
])('init from a topic whose schema is registered as %s', (format, body, task, to) => {
  const topic = `visits-${format}-${randomUUID().slice(0, 8)}`;

  it('writes what has types that hold, and runs', { timeout: 180_000 }, async () => {
    await register(`${topic}-value`, body);
    const call = (args: readonly string[], folder = user.folder, input = '') =>
      millrace(args, { folder, env: env(), input });
    const args = ['init', format, '--from', `kafka:${topic}`, '--schema', 'registry', '--do', task, '--to', to];
    const written = await call([...args, '--json']);
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

    const steps = nextSteps.filter((step) => step.startsWith('npx millrace '));
    expect(steps.length).toBeGreaterThan(2);
    for (const step of steps) {
      const [line = '', input] = step.slice('npx millrace '.length).split(' < ');
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
      if (words[0] === 'run') words.push('--json');
      const outcome = await call(words, folder, input === undefined ? '' : readFileSync(join(folder, input), 'utf8'));
      expect([step, outcome.code, outcome.err], outcome.out).toEqual([step, 0, '']);
      if (words[0] !== 'run') continue;
      const summary = JSON.parse(outcome.out);
      expect(summary).toMatchObject({ read: { [topic]: 500 }, deadLetters: {} });
      expect(Math.max(...Object.values<number>(summary.written))).toBeGreaterThan(0);
    }
  });
});
