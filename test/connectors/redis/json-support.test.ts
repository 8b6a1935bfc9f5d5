import { describe, expect, it } from 'vitest';
import { requireJson } from '../../../connectors/redis/server/json-support.js';
import { Server } from '../../../connectors/redis/server/server.js';

/** A server that answers the probe with these, one after another, the last one for ever. */
function answering(...answers: unknown[]): { readonly server: Server; readonly asked: () => number } {
  let asked = 0;
  const server = new Server({ url: 'redis://127.0.0.1:1', attemptsMax: 4 });
  const connection = { send: async () => [answers[Math.min(asked++, answers.length - 1)]] };
  return { server: Object.assign(server, { connection: async () => connection }) as Server, asked: () => asked };
}
const HAS_JSON = [['json.set', -4]];

describe('whether Redis has JSON', () => {
  it.each(['LOADING Redis is loading the dataset in memory', 'BUSY Redis is busy', 'CLUSTERDOWN', 'READONLY'])(
    'is asked again while it answers %s',
    async (words) => {
      const { server, asked } = answering(new Error(words), new Error(words), HAS_JSON);
      await requireJson(server, 'out');
      expect(asked()).toBe(3);
    },
  );

  it('is no no where it cannot be asked', async () => {
    const { server } = answering(new Error('LOADING Redis is loading'));
    await expect(requireJson(server, 'out')).rejects.toMatchObject({ code: 'sink', permanent: false });
    await expect(requireJson(answering(new Error('ERR something')).server, 'out')).rejects.toMatchObject({
      code: 'sink',
    });
  });

  it('is left to the first write where the probe is forbidden or renamed', async () => {
    await requireJson(answering(new Error('NOPERM this user has no permissions')).server, 'out');
    await requireJson(answering(new Error("ERR unknown command 'command'")).server, 'out');
  });

  it('is a no where the server does not know the command', async () => {
    const refused = { code: 'config', permanent: true, message: 'Redis at redis://127.0.0.1:1 has no JSON' };
    await expect(requireJson(answering([null]).server, 'out')).rejects.toMatchObject(refused);
    await expect(requireJson(answering([]).server, 'out')).rejects.toMatchObject(refused);
  });
});
