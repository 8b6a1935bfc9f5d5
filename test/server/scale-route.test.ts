import { afterEach, expect, it } from 'vitest';
import type { TaskElsewhere } from '../../src/runtime/index.js';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import { type ScaleSignal, signalOf } from '../../src/server/scale-route.js';
import { someSnapshot } from '../cli/snapshot.js';
import { lastingPorts } from '../ports.js';
import { orders } from './orders.js';

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A process that reads 100 records more each time that it is looked at, and is 5 behind. */
async function served(
  elsewhere: readonly Omit<TaskElsewhere, 'subtopology'>[] = [],
  { token, port = 0 }: { readonly token?: string; readonly port?: number } = {},
): Promise<Monitoring> {
  let value = 0;
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port, token, topology: orders, profile: 'cluster' as const, isReady: () => true },
    running: {
      snapshot() {
        value += 100;
        const usual = someSnapshot();
        const counters = [{ step: 'orders', name: 'read', value, restored: 0 }];
        return { ...usual, tasks: usual.tasks.map((task) => ({ ...task, counters })) };
      },
      query: async () => ({ kind: 'retry', why: 'not now' }),
      elsewhere: () => elsewhere.map((each) => ({ ...each, subtopology: 'orders' })),
    },
  });
  open.push(monitoring);
  return monitoring;
}

async function asked(url: string, token?: string) {
  const answer = await fetch(
    `${url}/scale`,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  return {
    status: answer.status,
    after: answer.headers.get('retry-after'),
    body: (await answer.json()) as ScaleSignal & { readonly retry?: string },
  };
}

it('is the signal of all processes, whichever is asked', async () => {
  const [port = 0] = await lastingPorts(1);
  const other = await served([], { port });
  const first = await served([1, 2].map((partition) => ({ partition, address: other.url })));
  const alone = await asked(other.url);
  expect(alone).toMatchObject({ status: 200, body: { recordsBehind: 5, processes: 1 } });
  const { status, body } = await asked(first.url);
  expect(status).toBe(200);
  expect(body).toMatchObject({ recordsBehind: 10, processes: 2 });
  expect(body.secondsBehind).toBeCloseTo(10 / body.recordsPerSecond, 9);
});

it('is not known while a process does not answer, or has no address to be believed', async () => {
  const [port = 0] = await lastingPorts(1);
  const address = `http://127.0.0.1:${port}`;
  const silent = { status: 503, after: '5', body: { retry: 'a process of the group does not answer' } };
  const nowhere = {
    status: 503,
    body: { retry: expect.stringMatching(/^tasks move, or run in a process without --port/) },
  };
  expect(await asked((await served([{ partition: 1, address }])).url)).toEqual(silent);
  expect(await asked((await served([{ partition: 1, address: undefined }])).url)).toMatchObject(nowhere);
  expect(await asked((await served([{ partition: 1, address }], { token: 'secret' })).url, 'secret')).toMatchObject(
    nowhere,
  );
});

it('needs the token, as state does', async () => {
  expect((await asked((await served([], { token: 'secret' })).url)).status).toBe(401);
});

it('adds up processes; without lag it is 0, and without a rate it is not known', () => {
  const process = (recordsBehind: number | null, recordsPerSecond: number | null) => ({
    recordsBehind,
    recordsPerSecond,
  });
  expect(signalOf([process(900, 100), process(100, 400), process(null, 0)])).toEqual({
    ...{ secondsBehind: 2, recordsBehind: 1_000, recordsPerSecond: 500, processes: 3 },
  });
  expect(signalOf([process(0, 0)])).toMatchObject({ secondsBehind: 0 });
  expect(signalOf([process(5, 0)])).toBe('records are behind, and none was read lately');
  expect(signalOf([process(5, 100), process(5, null)])).toBe(
    'a process restores tasks, or measures its rate from now on',
  );
  expect(signalOf([process(null, 10)])).toBe('no source tells how many records are behind');
  expect(signalOf([process(5, 10), undefined])).toBe('a process of the group does not answer');
});
