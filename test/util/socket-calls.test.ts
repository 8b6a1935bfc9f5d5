import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.js';
import { connectSocketCalls, type SocketCalls, serveSocketCalls } from '../../src/util/socket-calls.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-socket-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lost = () => new MillraceError('source', 'lost');
let sockets = 0;

async function served(calls: SocketCalls) {
  const address = join(folder, `${sockets++}.sock`);
  const ends: number[] = [];
  const server = await serveSocketCalls(address, () => ({ calls, onEnd: () => ends.push(1) }));
  const caller = await connectSocketCalls(address, lost);
  if (caller === undefined) throw new Error('nobody listens');
  return { address, server, caller, ends };
}

describe('calls over a socket', () => {
  it('pass structured values both ways, and answer each call, whatever the order of the answers', async () => {
    const wait = async (ms: number, value: unknown) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return value;
    };
    const { server, caller } = await served({ wait });
    const values = [undefined, null, -0, 12n, new Map([['a', Buffer.from([0, 255])]]), new Date(5), '\ud800'];
    const answers = await Promise.all(values.map((value, i) => caller.call('wait', 5 * (values.length - i), value)));
    expect(
      answers.map((answer) => (answer instanceof Map ? [...answer].map(([k, v]) => [k, [...v]]) : answer)),
    ).toEqual(values.map((value) => (value instanceof Map ? [['a', [0, 255]]] : value)));
    const large = Buffer.alloc(20 * 2 ** 20, 7);
    expect(Buffer.compare((await caller.call('wait', 0, large)) as Uint8Array, large)).toBe(0);
    caller.close();
    await server.close();
  });

  it('pass errors with code, place and hint, and others as internal ones', async () => {
    const { server, caller } = await served({
      known() {
        throw new MillraceError('config', 'no', { where: 'here', hint: 'do', permanent: true });
      },
      unknown: async () => Promise.reject(new Error('oops')),
    });
    await expect(caller.call('known')).rejects.toMatchObject({
      code: 'config',
      message: 'no',
      where: 'here',
      hint: 'do',
      permanent: true,
    });
    await expect(caller.call('unknown')).rejects.toMatchObject({ code: 'internal', message: 'oops' });
    await expect(caller.call('toString')).rejects.toMatchObject({ code: 'internal' });
    caller.close();
    await server.close();
  });

  it('refuse what is too large or cannot be sent, and go on', async () => {
    const { server, caller } = await served({
      bytes: (n: number) => Buffer.alloc(n),
      echo: (x: unknown) => x,
      f: () => () => 1,
    });
    await expect(caller.call('bytes', 70 * 2 ** 20)).rejects.toMatchObject({ code: 'internal' });
    await expect(caller.call('f')).rejects.toMatchObject({ code: 'internal' });
    await expect(caller.call('echo', Buffer.alloc(70 * 2 ** 20))).rejects.toMatchObject({ code: 'internal' });
    expect(await caller.call('echo', 1)).toBe(1);
    caller.close();
    await server.close();
  });

  it('fail where the other process goes, and say so to it where this one goes', async () => {
    const { server, caller, ends } = await served({ never: () => new Promise(() => undefined) });
    const pending = expect(caller.call('never')).rejects.toThrow('lost');
    await server.close();
    await pending;
    await expect(caller.call('never')).rejects.toThrow('lost');
    expect(ends).toEqual([1]);
  });

  it('answer many calls at once, and are hung up on by bytes of another kind', async () => {
    const { address, server, caller } = await served({ add: (a: number, b: number) => a + b });
    const sums = await Promise.all(Array.from({ length: 1_000 }, (_, i) => caller.call('add', i, 1)));
    expect(sums).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      Buffer.from([3, 0, 0, 0, 1, 2, 3]),
      Buffer.from([4, 0, 0, 0, 255, 15, 48, 48]),
    ]) {
      const socket = connect(address);
      socket.on('error', () => undefined);
      socket.write(bytes);
      await new Promise((resolve) => socket.on('close', resolve));
    }
    expect(await caller.call('add', 1, 1)).toBe(2);
    caller.close();
    await server.close();
  });

  it('have nobody to connect to where nobody listens', async () => {
    expect(await connectSocketCalls(join(folder, 'none.sock'), lost)).toBeUndefined();
  });
});
