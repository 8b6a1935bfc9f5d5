import { afterAll, beforeAll, expect, it } from 'vitest';
import { examinePostgres } from '../../../connectors/postgres/examine.js';
import { openPostgres, type Postgres } from '../../../connectors/postgres/open.js';
import { PostgresServer } from './server.js';

let server: PostgresServer;
let postgres: Postgres;
beforeAll(async () => {
  server = await PostgresServer.start();
  postgres = openPostgres({ url: server.url });
});
afterAll(async () => {
  await postgres?.close();
  await server?.stop();
});

it('tells version, clock and what a crash would lose', async () => {
  const said = async () => (await examinePostgres(postgres)).map(({ state, said }) => `${state}: ${said}`);
  const [version, ...rest] = await said();
  expect(version).toMatch(/^fine: Postgres \d+/);
  expect(rest[0]).toBe('fine: its clock agrees');
  await postgres.query('ALTER SYSTEM SET synchronous_commit = off');
  await postgres.query('SELECT pg_reload_conf()');
  await expect.poll(said).toContain('warning: synchronous_commit is off');
});
