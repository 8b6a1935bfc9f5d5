import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dockerFiles } from '../../../src/cli/init/docker.js';
import { millrace, userFolder } from '../millrace.js';

// scripts/packed.mjs runs the commands of the Dockerfile.

const { folder, remove } = userFolder({ 'My Orders.v2.ts': 'export {};' });
afterAll(remove);

describe('init --docker FILE', () => {
  it('writes files for containers only, and says what to do with them', async () => {
    const { code, out } = await millrace(['init', '--docker', 'My Orders.v2.ts', '--json'], { folder });
    expect(code).toBe(0);
    const { written, nextSteps } = JSON.parse(out);
    expect(written).toEqual(['Dockerfile', '.dockerignore', 'compose.yaml']);
    expect(nextSteps.at(-1)).toBe('MILLRACE_TOKEN=secret docker compose up --build');
    expect(readFileSync(join(folder, 'Dockerfile'), 'utf8')).toContain('"run", "My Orders.v2.ts"]');
    expect(readFileSync(join(folder, 'compose.yaml'), 'utf8')).toContain('\n  my-orders-v2:\n    build: .\n');
  });

  it('refuses a topology that is not there, and files that are', async () => {
    const missing = await millrace(['init', 'other', '--docker', 'payments.ts'], { folder });
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('no such file')]);
    expect(existsSync(join(folder, 'other'))).toBe(false);
    const taken = await millrace(['init', '--docker', 'My Orders.v2.ts'], { folder });
    expect([taken.code, taken.err]).toEqual([1, expect.stringContaining('Dockerfile, .dockerignore, compose.yaml')]);
  });
});

it('names the services of the stack as the docker-compose.yml of the package does', () => {
  const compose = dockerFiles('payments.ts').get('compose.yaml') ?? '';
  const services = readFileSync('docker-compose.yml', 'utf8');
  expect(compose).toContain('include: [node_modules/millrace/docker-compose.yml]');
  for (const service of ['kafka', 'registry', 'redis', 'clickhouse'])
    expect(services).toMatch(new RegExp(`^  ${service}:$`, 'm'));
  // The names and logins that the services have inside.
  expect(services).toContain('INTERNAL://kafka:29092');
  expect(services).toContain('CLICKHOUSE_PASSWORD: millrace-secret');
  expect(compose).toContain('MILLRACE_KAFKA: kafka:29092');
  expect(compose).toContain('http://millrace:millrace-secret@clickhouse:8123');
});
