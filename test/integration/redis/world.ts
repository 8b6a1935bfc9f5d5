import { Redis as Client } from 'ioredis';
import { afterAll } from 'vitest';
import { openRedis } from '../../../connectors/redis/open.js';
import type { Sink, SinkWriter } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { address } from '../address.js';

/** The server of the tests as a topology has it, and as another client sees it; both end with the file that asks for them. */
export function ownRedis(letter: string) {
  const url = address('MILLRACE_REDIS');
  const server = openRedis({ url });
  const client = new Client(url, { lazyConnect: true });
  afterAll(async () => {
    await server.close();
    client.disconnect();
  });
  let made = 0;
  return {
    server,
    client,
    /** A name of its own for each test: the server keeps what earlier runs wrote. */
    fresh: () => `${letter}${Date.now().toString(36)}.${process.pid}.${made++}`,
    open: <T>(sink: Sink<T>, topology: string, incarnation = 0): Promise<SinkWriter> =>
      server.sink.open(sink as Sink<unknown>, { step: 'out', task: { topology, partition: 0 }, incarnation }),
  };
}

/** Writes values of the records from one on, until they are there. */
export async function put(writer: SinkWriter, values: readonly unknown[], from = 0): Promise<void> {
  await writer.write(
    values,
    values.map((_, i) => originAt(from + i)),
  );
  await writer.prepare?.();
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
