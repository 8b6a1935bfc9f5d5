import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Fault, FaultProxy } from '../../src/testing/fault-proxy.js';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A service that answers every byte with two, and remembers what it was asked. */
async function world(...script: readonly Fault[]) {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const index = heard.push('') - 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard[index] += bytes.toString();
      socket.write(bytes.toString().replaceAll(/./g, '$&$&'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.open((server.address() as AddressInfo).port);
  ended.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  ended.push(() => proxy.close());
  proxy.play(...script);
  return { heard, proxy };
}

/** Says something; resolves with what came back when the connection ended, or when enough came. */
function say({ port }: FaultProxy, text: string, enough = 2 * text.length) {
  return new Promise<{ readonly back: string; readonly end: string }>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    ended.push(() => socket.destroy());
    let back = '';
    const done = (end: string) => resolve({ back, end });
    socket.on('data', (bytes) => {
      back += bytes.toString();
      if (back.length >= enough) done('open');
    });
    socket.on('end', () => done('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(String(error.code)));
    socket.write(text);
  });
}

describe('FaultProxy', () => {
  it('passes everything on where nothing is played, and counts it', async () => {
    const { heard, proxy } = await world();
    expect(await say(proxy, 'abc')).toEqual({ back: 'aabbcc', end: 'open' });
    expect(heard).toEqual(['abc']);
    expect(proxy.passed).toEqual({ request: 3, answer: 6 });
  });

  it.each(['cut', 'reset'] as const)(
    '%ss a request after a byte, of which the service hears the half',
    async (does) => {
      const { heard, proxy } = await world({ does, in: 'request', afterBytes: 4 });
      expect((await say(proxy, 'abc')).end).toBe('open');
      expect((await say(proxy, 'def', 99)).end).toBe(does === 'cut' ? 'end' : 'ECONNRESET');
      expect((await say(proxy, 'ghi')).back).toBe('gghhii');
      expect(heard).toEqual(['abc', 'd', 'ghi']);
      expect(proxy.struck).toBe(1);
    },
  );

  it('loses an answer after the service has heard the request', async () => {
    const { heard, proxy } = await world({ does: 'cut', in: 'answer', afterBytes: 0 });
    expect(await say(proxy, 'abc')).toEqual({ back: '', end: 'end' });
    expect(heard).toEqual(['abc']);
  });

  it('cuts an answer in the middle', async () => {
    const { proxy } = await world({ does: 'cut', in: 'answer', afterBytes: 3 });
    expect(await say(proxy, 'abc')).toEqual({ back: 'aab', end: 'end' });
  });

  it('lets one connection hang for ever, and no other', async () => {
    const { heard, proxy } = await world({ does: 'hang', in: 'answer', afterBytes: 2 });
    let heardMore = false;
    void say(proxy, 'abc', 99).then(() => {
      heardMore = true;
    });
    expect((await say(proxy, 'def', 2)).back.length).toBeGreaterThan(1);
    await proxy.heal();
    expect(await say(proxy, 'ghi')).toEqual({ back: 'gghhii', end: 'open' });
    expect(heard.length).toBe(3);
    expect(heardMore).toBe(false);
  });

  it('plays one fault after another', async () => {
    const { heard, proxy } = await world(
      { does: 'cut', in: 'request', afterBytes: 1 },
      { does: 'refuse', connections: 2 },
      { does: 'cut', in: 'answer', afterBytes: 0 },
    );
    const ends: string[] = [];
    for (const text of ['ab', 'cd', 'ef', 'gh', 'ij']) ends.push((await say(proxy, text)).end);
    expect(ends).toEqual(['end', 'ECONNRESET', 'ECONNRESET', 'end', 'open']);
    expect(heard).toEqual(['a', 'gh', 'ij']);
    expect(proxy.struck).toBe(3);
  });

  it('is slow until it is healed', async () => {
    const { proxy } = await world({ does: 'slow', pieceBytes: 10, everyMs: 5, totalMs: 10_000 });
    const text = 'x'.repeat(100);
    const before = performance.now();
    expect((await say(proxy, text)).back.length).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(70);
    await proxy.heal();
    expect((await say(proxy, text)).back.length).toBe(200);
  });

  it('is slow no longer than it is told, however long a busy machine makes a pause', async () => {
    const { proxy } = await world({ does: 'slow', pieceBytes: 1, everyMs: 50, totalMs: 60 });
    const before = performance.now();
    expect((await say(proxy, 'x'.repeat(1_000))).back.length).toBe(2_000); // 150 s of pauses
    expect(performance.now() - before).toBeGreaterThan(50);
  });

  it('is shut: connections are refused until it is healed, on the same port', async () => {
    const { proxy } = await world();
    const { port } = proxy;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const gone = once(socket, 'error');
    await proxy.shut();
    expect((await gone)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect((await say(proxy, 'a')).end).toBe('ECONNREFUSED');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    expect((await say(proxy, 'a')).back).toBe('aa');
  });
});
