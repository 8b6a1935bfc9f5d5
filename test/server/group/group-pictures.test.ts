import { createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { GroupPicture } from '../../../src/server/group/group-pictures.js';
import { readPictures } from '../../../src/server/group/read-pictures.js';
import type { SeenHistory } from '../../../src/server/history.js';
import { type Monitoring, serveMonitoring } from '../../../src/server/http.js';
import { provenAddress } from '../../../src/server/owner-address.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { lastingPorts } from '../../ports.js';
import { orders } from '../orders.js';

const open: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A process that runs one task, and knows where others are. */
async function served(
  partition: number,
  others: () => readonly { readonly partition: number; readonly address: string | undefined }[],
  { token, port = 0 }: { readonly token?: string; readonly port?: number } = {},
): Promise<Monitoring> {
  const snapshot = () => {
    const usual = someSnapshot();
    const own = <T>(each: T) => ({ ...each, partition });
    return { ...usual, outages: [], tasks: usual.tasks.map(own), health: usual.health.map(own) };
  };
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port, token, topology: orders, profile: 'cluster' as const, isReady: () => true },
    running: {
      snapshot,
      query: async () => ({ kind: 'retry', why: 'not now' }),
      elsewhere: () => others().map((each) => ({ ...each, subtopology: 'orders' })),
    },
  });
  open.push(monitoring);
  return monitoring;
}

/** Looks at a process until its picture is as wanted. */
async function seen(url: string, isWanted: (picture: GroupPicture) => boolean, token?: string): Promise<GroupPicture> {
  const ends = new AbortController();
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/live`, {
    headers,
    signal: AbortSignal.any([ends.signal, AbortSignal.timeout(20_000)]),
  });
  let last: GroupPicture | undefined;
  try {
    for await (const picture of readPictures<GroupPicture>(answer)) {
      last = picture;
      if (isWanted(picture)) return picture;
    }
  } catch (error) {
    throw new Error(`the last picture: ${JSON.stringify(last)}`, { cause: error });
  } finally {
    ends.abort();
  }
  throw new Error('the stream ended');
}

const answers = (count: number) => (picture: GroupPicture) =>
  picture.processes.filter(({ state }) => state === 'here' || state === 'answers').length === count;

describe.concurrent('the picture of a group', () => {
  it('is that of all its processes, whichever is asked', async () => {
    const [a = 0, b = 0] = await lastingPorts(2);
    const at = (port: number) => provenAddress(`http://127.0.0.1:${port}`, 'orders', 'secret');
    const options = (port: number) => ({ token: 'secret', port });
    const first = await served(0, () => [{ partition: 1, address: at(b) }], options(a));
    const second = await served(1, () => [{ partition: 0, address: at(a) }], options(b));
    for (const url of [first.url, second.url]) {
      const picture = await seen(url, answers(2), 'secret');
      expect(picture).toMatchObject({ status: 'ok', lag: 10, missing: [], nodes: { orders: { in: 240 } } });
      expect(picture.inputs.map(({ task }) => task)).toEqual([0, 1]);
      expect(picture.processes.map(({ url: at, tasks }) => [at, tasks])).toEqual([
        [null, 1],
        [url === first.url ? second.url : first.url, 1],
      ]);
      expect(JSON.stringify(picture)).not.toContain('#');
      const lags = async () => {
        const headers = { authorization: 'Bearer secret' };
        const { values } = (await (await fetch(`${url}/history?span=10m`, { headers })).json()) as SeenHistory;
        return values.lag.slice(-3);
      };
      await vi.waitFor(async () => expect(await lags()).toContain(10), { timeout: 5_000 });
    }
  });

  it('says which tasks are missing, and has them again when their process is back', async () => {
    const [port = 0] = await lastingPorts(1);
    const other = `http://127.0.0.1:${port}`;
    const first = await served(0, () => [1, 2].map((partition) => ({ partition, address: other })));
    const second = await served(1, () => [], { port });
    await seen(first.url, answers(2));
    const looking = seen(first.url, ({ status }) => status === 'partial');
    await second.close();
    const picture = await looking;
    expect(picture.missing).toEqual([
      expect.stringMatching(/^http:.* has not answered for \d s: tasks 1, 2 are missing here$/),
    ]);
    expect(picture).toMatchObject({ lag: 5, nodes: { orders: { in: 120 } } });
    await served(1, () => [], { port });
    expect(await seen(first.url, answers(2))).toMatchObject({ status: 'ok', missing: [], lag: 10 });
  });

  it('does not wait for a process that is suspended, or answers something else', async () => {
    const silent = await listening(createServer());
    const other = await listening(
      createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\ndata: nonsense\n\n')),
    );
    const old = await listening(
      createServer((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const timer = setInterval(() => socket.write('data: {"form":0}\n\n'), 200);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const first = await served(0, () => [
      { partition: 1, address: silent },
      { partition: 2, address: other },
      { partition: 3, address: old },
    ]);
    const picture = await seen(first.url, ({ missing }) => missing.length === 3);
    expect(picture.upSeconds).toBeLessThanOrEqual(4);
    expect(picture.missing).toEqual([
      expect.stringMatching(/not answered for \d s: task 1 is missing/),
      expect.stringMatching(/not answered for \d s: task 2 is missing/),
      `${old} runs another version of Millrace: task 3 is missing here`,
    ]);
    expect(picture).toMatchObject({ status: 'partial', nodes: { orders: { in: 120 } } });
  });

  it('asks nobody who has not proven that it knows the token, and says so', async () => {
    let isAsked = false;
    const spy = await listening(
      createServer((socket) => {
        isAsked = true;
        socket.destroy();
      }),
    );
    const first = await served(
      0,
      () => [
        { partition: 1, address: spy },
        { partition: 2, address: provenAddress(spy, 'orders', 'another') },
        { partition: 3, address: undefined },
      ],
      { token: 'secret' },
    );
    const picture = await seen(first.url, ({ upSeconds }) => upSeconds >= 2, 'secret');
    expect(picture.missing).toEqual([
      'tasks 1, 2, 3 are missing here: moving, or in a process without --port, or with another MILLRACE_TOKEN',
    ]);
    expect(isAsked).toBe(false);
  });

  it('leaves the others alone when nobody looks', async () => {
    let requests = 0;
    const refusing = createServer((socket) => {
      socket.on('data', () => {
        requests += 1;
        socket.destroy();
      });
    });
    const address = await listening(refusing);
    const first = await served(0, () => [{ partition: 1, address }]);
    await seen(first.url, () => requests > 1);
    await pause(1_000);
    const before = requests;
    await pause(1_500);
    expect(requests).toBe(before);
  });
});

async function listening(server: Server): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}
