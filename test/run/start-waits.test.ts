import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { defineConnector, MillraceError, type SinkDriver, sinkOf } from '../../src/connect.js';
import { json, topology } from '../../src/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { start } from '../../src/run.js';
import { lastingPorts } from '../ports.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-waits-'));
beforeAll(async () => {
  const profile = await openProfile(resolveConfig({ flags: { data: folder } }));
  await profile.producer().createTopic('events', 1);
  await profile.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A sink that can be down. */
let isDown = true;
const answer = async (): Promise<void> => {
  if (isDown) throw new MillraceError('sink', 'connect ECONNREFUSED');
};
const driver: SinkDriver = {
  mode: 'idempotent',
  setUp: answer,
  ping: answer,
  open: async () => ({ write: () => undefined, close: async () => undefined }),
};
const { kinds } = defineConnector({
  name: 'gate',
  kinds: { sink: { role: 'sink', doc: 'Takes rows while it is open.', writes: 'idempotent', options: {} } },
  open: async () => ({ drivers: { sink: driver } }),
});

const flow = topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('events', kafka.source({ topic: 'events', schema: json() })).to('rows', sinkOf(kinds.sink, {}));
});

it('a start that waits for a sink serves what it waits for, and goes on behind the same port', async () => {
  const [port = 0] = await lastingPorts(1);
  const url = `http://127.0.0.1:${port}`;
  const statusOf = (path: string) =>
    fetch(`${url}${path}`).then(
      ({ status }) => status,
      () => 0,
    );
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const starting = start(flow, { profile: 'embedded', data: folder, port, env: {}, onWarning });
  await expect.poll(() => statusOf('/health/live'), { timeout: 10_000 }).toBe(200);
  expect([await statusOf('/health/ready'), await statusOf('/health'), await statusOf('/')]).toEqual([503, 503, 200]);
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({
    status: 'degraded',
    sinksDown: [{ sink: 'rows', cause: 'connect ECONNREFUSED' }],
  });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('millrace_sink_down_seconds{sink="rows"');
  isDown = false;
  const app = await starting;
  try {
    expect(app.url).toBe(url);
    await expect.poll(() => statusOf('/health/ready'), { timeout: 10_000 }).toBe(200);
    expect(app.health()).toMatchObject({ status: 'ok', sinksDown: [] });
    expect(warnings).toContain(`${url} shows what the start waits for`);
  } finally {
    await app.stop();
  }
  expect(await statusOf('/health/live')).toBe(0);
});

it('a start that ends while it waits closes what it has served', async () => {
  isDown = true;
  const [port = 0] = await lastingPorts(1);
  const url = `http://127.0.0.1:${port}`;
  const starting = start(flow, { profile: 'embedded', data: folder, port, allowActions: 'on', env: {} });
  const isThere = () =>
    fetch(`${url}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isThere, { timeout: 10_000 }).toBe(true);
  const headers = { 'content-type': 'application/json' };
  const refused = expect(starting).rejects.toThrow('connect ECONNREFUSED');
  await fetch(`${url}/stop`, { method: 'POST', headers, body: '{}' });
  await refused;
  expect(await isThere()).toBe(false);
});
