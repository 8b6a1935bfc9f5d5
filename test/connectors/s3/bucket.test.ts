import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Buckets } from '../../../connectors/s3/bucket.js';

describe('Buckets', () => {
  it('gives an answer its time once it has begun, and no longer before', async () => {
    const server = createServer(async ({ url }, response) => {
      if (url?.endsWith('silent')) return;
      response.write('first ');
      await sleep(3_000);
      response.end('last');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://key:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
    const buckets = new Buckets({ url, attemptsMax: 1, timeoutMs: 1_500 }, 'source');
    expect(await (await buckets.stream('lake/slow')).text()).toBe('first last');
    const failure = await buckets.stream('lake/silent').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'source', lasting: false });
    expect(String((failure as Error).message)).toContain('no answer within 1500 ms');
    server.closeAllConnections();
    server.close();
  });
});
