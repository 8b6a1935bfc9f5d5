import { Command } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { cluster, type Keyed, single } from '../../../connectors/redis/server/connection.js';
import { slotOf } from '../../../connectors/redis/server/hash-slot.js';

type Sent = { readonly name: string; readonly args: readonly unknown[]; readonly replyEncoding?: string | null };
type Answer = (command: Sent) => unknown;

/** A client whose pipelines and transactions are answered like this. */
function clientOf(answer: Answer, port = 1, failure?: Error) {
  const sent: Sent[] = [];
  const ended: string[] = [];
  const pipeline = () => {
    const queue: Sent[] = [];
    return {
      sendCommand: (command: Sent) => void queue.push(command),
      async exec() {
        sent.push(...queue);
        if (failure) throw failure;
        return queue.map((command) => {
          const answered = answer(command);
          return answered instanceof Error ? [answered, null] : [null, answered];
        });
      },
    };
  };
  const client = {
    options: { host: 'node', port },
    ...{ pipeline, multi: pipeline, disconnect: () => void ended.push('disconnect') },
    quit: async () => void ended.push('quit'),
  };
  return { client, sent, ended };
}
const get = (key: string, binary = false): Keyed => ({ key, command: ['get', key], ...(binary ? { binary } : {}) });

describe('a connection to one server', () => {
  it('sends commands in one pipeline, with their answers and failures in order', async () => {
    const { client, sent } = clientOf(({ args }) => (args[0] === 'b' ? new Error('WRONGTYPE') : `of ${args[0]}`));
    const on = single(client as never, Command);
    expect(await on.send([get('a'), get('b'), get('c', true)])).toEqual(['of a', new Error('WRONGTYPE'), 'of c']);
    expect(sent.map(({ replyEncoding }) => replyEncoding)).toEqual(['utf8', 'utf8', null]);
    expect(on.isCluster).toBe(false);
    expect(on.masters()).toEqual([client]);
  });

  it('says which command spoils a transaction', async () => {
    const spoilt = Object.assign(new Error('EXECABORT'), { previousErrors: [new Error('NOPERM')] });
    await expect(single(clientOf(() => 1, 1, spoilt).client as never, Command).transact([get('a')])).rejects.toThrow(
      'NOPERM',
    );
    await expect(
      single(clientOf(() => 1, 1, new Error('gone')).client as never, Command).transact([get('a')]),
    ).rejects.toThrow('gone');
  });

  it('waits for answers where it quits, and closes at once where it cannot', async () => {
    const { client, ended } = clientOf(() => 1);
    await single(client as never, Command).quit();
    expect(ended).toEqual(['quit']);
    await single({ ...client, quit: () => Promise.reject(new Error('gone')) } as never, Command).quit();
    single(client as never, Command).disconnect();
    expect(ended).toEqual(['quit', 'disconnect', 'disconnect']);
  });
});

describe('a connection to a cluster', () => {
  /** Two nodes, of which the second has the slots of keys that begin with `b`. */
  function nodesOf(answer: (port: number) => Answer, alone: Answer = () => 'found elsewhere') {
    const clients = [1, 2].map((port) => clientOf(answer(port), port));
    let refreshed = 0;
    const aside: Sent[] = [];
    const ended: string[] = [];
    const slots: Record<number, string[]> = {
      [slotOf('a')]: ['node:1'],
      [slotOf('b')]: ['node:2'],
      [slotOf('c')]: ['node:3'],
    };
    const nodes = {
      ...{ slots, nodes: () => clients.map(({ client }) => client), multi: clients[0]?.client.multi },
      refreshSlotsCache() {
        refreshed += 1;
      },
      sendCommand: (command: Sent & { resolve(answer: unknown): void; reject(error: Error): void }) => {
        aside.push(command);
        const answered = alone(command);
        if (answered instanceof Error) command.reject(answered);
        else command.resolve(answered);
      },
      quit: async () => void ended.push('quit'),
      disconnect: () => void ended.push('disconnect'),
    };
    return { on: cluster(nodes as never, Command), clients, refreshed: () => refreshed, aside, ended, nodes };
  }

  it('sends each command to the node of its key, one pipeline a node, and puts the answers in order', async () => {
    const { on, clients, refreshed } = nodesOf(
      (port) =>
        ({ args }) =>
          `${args[0]} of ${port}`,
    );
    expect(await on.send([get('b'), get('a'), get('{b}2'), get('{a}2')])).toEqual([
      'b of 2',
      'a of 1',
      '{b}2 of 2',
      '{a}2 of 1',
    ]);
    expect(clients.map(({ sent }) => sent.map(({ args }) => args[0]))).toEqual([
      ['a', '{a}2'],
      ['b', '{b}2'],
    ]);
    expect([on.isCluster, on.masters().length, refreshed()]).toEqual([true, 2, 0]);
  });

  it.each(['MOVED 1 node:2', 'ASK 1 node:2', 'TRYAGAIN later'])(
    'follows %s, and learns where slots are',
    async (text) => {
      const { on, aside, refreshed } = nodesOf(
        () =>
          ({ args }) =>
            args[0] === 'a' ? new Error(text) : 'here',
      );
      expect(await on.send([get('a'), get('b')])).toEqual(['found elsewhere', 'here']);
      expect([aside.map(({ args }) => args[0]), refreshed()]).toEqual([['a'], 1]);
    },
  );

  it('gives other errors as answers, also of the node that it was sent on to', async () => {
    const { on, aside } = nodesOf(() => () => new Error('WRONGTYPE'));
    expect(await on.send([get('a')])).toEqual([new Error('WRONGTYPE')]);
    expect(aside).toEqual([]);
    const again = nodesOf(
      () => () => new Error('MOVED 1 node:2'),
      () => new Error('LOADING'),
    );
    expect(await again.on.send([get('a')])).toEqual([new Error('LOADING')]);
  });

  it('fails as a lost connection does where nobody has a slot, or its node is unknown', async () => {
    for (const key of ['c', 'd']) {
      const { on, refreshed } = nodesOf(() => () => 'here');
      await expect(on.send([get(key)])).rejects.toThrow('Connection is closed.');
      expect(refreshed()).toBe(1);
    }
  });

  it('makes transactions, quits and closes', async () => {
    const { on, ended, nodes } = nodesOf(() => () => 'done');
    expect(await on.transact([get('a')])).toEqual(['done']);
    await on.quit();
    on.disconnect();
    await cluster({ ...nodes, quit: () => Promise.reject(new Error('gone')) } as never, Command).quit();
    expect(ended).toEqual(['quit', 'disconnect', 'disconnect']);
  });
});
