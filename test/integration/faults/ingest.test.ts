import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { RawRecord } from '../../../src/core/record.js';
import { range } from '../../../src/testing/sink-task.js';
import { lastingPorts } from '../../ports.js';
import { openWorld } from '../../profiles/embedded/world.js';

const script = new URL('./ingest-child.ts', import.meta.url).pathname;
const CLIENTS = 4;
const RECORDS = 3;

/** Sends batch after batch, each until it is acknowledged, as the guide tells clients to. */
async function send(client: number, port: number, signal: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let batch = 0; !signal.aborted; batch++) {
    const ids = range(batch * RECORDS, RECORDS).map((n) => `${client}-${n}`);
    const body = JSON.stringify(ids.map((id) => ({ id })));
    for (;;) {
      const status = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body }).then(
        (answer) => answer.status,
        () => undefined, // nobody is there, or died before it answered
      );
      if (status === 202) break;
      await sleep(20);
    }
    acknowledged.push(...ids);
    await sleep(5);
  }
  return acknowledged;
}

const idOf = ({ value }: RawRecord) => (JSON.parse(Buffer.from(value ?? []).toString()) as { id: string }).id;

it('what http.ingest has acknowledged is there whenever the process is killed, and once behind dedupe', async () => {
  const world = await openWorld();
  await world.embedded.close();
  const [port = 0] = await lastingPorts(1);
  const run = (point: string, count: number): ChildProcess => {
    const args = [script, world.path, String(port), point, String(count)].map(String);
    return spawn(process.execPath, ['--import', 'tsx', '--conditions', 'millrace-source', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
  const enough = new AbortController();
  const clients = range(0, CLIENTS).map((client) => send(client, port, enough.signal));
  for (const [at, point] of ['pushed', 'stored', 'never'].entries()) {
    const child = run(point, 4 + at);
    const ended = once(child, 'exit');
    if (point === 'never') {
      await expect
        .poll(() => fetch(`http://127.0.0.1:${port}/`).catch(() => undefined), { timeout: 20_000 })
        .toBeDefined();
      await sleep(150);
      child.kill('SIGKILL'); // whatever it is at
    }
    expect(await ended).toEqual([null, 'SIGKILL']);
  }
  const last = run('never', 0);
  const ended = once(last, 'exit');
  enough.abort();
  const acknowledged = (await Promise.all(clients)).flat();
  await sleep(500); // some epochs
  last.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  await world.restart();
  const idsIn = (topic: string) => [...world.embedded.scan(topic, 0)].map(idOf);
  expect(acknowledged.length).toBeGreaterThan(20 * RECORDS);
  expect([...new Set(idsIn('in'))].sort()).toEqual([...acknowledged].sort());
  expect(idsIn('out').sort()).toEqual([...acknowledged].sort());
  await world.close();
});
