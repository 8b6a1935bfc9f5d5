import { request as ask, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { type ClickHouse, openClickHouse } from '../../../connectors/clickhouse/open.js';
import type { Sink } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { address } from '../address.js';

// The server takes an insert and the connection breaks before its answer arrives: nobody can know, so it is sent again.

let server: Server;
let tables: ClickHouse;
let answersToLose = 0;
let lost = 0;

beforeAll(async () => {
  const url = new URL(address('MILLRACE_CLICKHOUSE'));
  server = createServer((request, response) => {
    const isInsert = request.url?.includes('INSERT') ?? false;
    const onwards = ask(
      { host: url.hostname, port: url.port, path: request.url, method: request.method, headers: request.headers },
      (answer) => {
        if (isInsert && answersToLose > 0) {
          answersToLose--;
          lost++;
          answer.resume().once('end', () => request.socket.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onwards);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  tables = await openClickHouse({ url: Object.assign(new URL(url), { port: String(port) }).href });
});
afterAll(async () => {
  await tables?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const values = Array.from({ length: 500 }, (_, n) => ({ n }));
const origins = values.map(({ n }) => originAt(n));

it('an insert whose answer was lost is stored once, and so is what a dead process had on its way', async () => {
  const table = `lost_answers_${Date.now().toString(36)}_${process.pid}`;
  const sink = clickhouse.tableSink<{ n: number }>({
    table,
    columns: { n: 'UInt32' },
    exactlyOnce: true,
  }) as Sink<unknown>;
  const context = { step: 'history', task: { topology: 'lost', partition: 0 }, incarnation: 0 };
  await tables.tableSink.setUp?.(sink, { topology: 'lost', step: 'history', partitions: 1 });
  await tables.command(`SYSTEM STOP MERGES ${table}_rows`);
  const counted = () =>
    tables.query(`SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(n)) AS different FROM ${table}_rows`);

  answersToLose = 2;
  const writer = await tables.tableSink.open(sink, context);
  await writer.write(values, origins);
  await writer.prepare?.();
  expect(lost).toBe(2);
  expect(await counted()).toEqual([{ rows: 500, different: 500 }]);

  // The rows of a checkpoint are written by its next owner too, before the first one's insert has arrived.
  const later = values.map(({ n }) => ({ n: n + 500 }));
  const laterOrigins = later.map(({ n }) => originAt(n));
  const owner = await tables.tableSink.open(sink, context);
  await owner.recover?.(later, laterOrigins);
  const dead = await tables.tableSink.open(sink, context);
  await dead.write(later, laterOrigins);
  await Promise.all([owner.prepare?.(), dead.prepare?.()]);
  expect(await counted()).toEqual([{ rows: 1_000, different: 1_000 }]);
  await tables.command(`DROP VIEW ${table}`);
  await tables.command(`DROP TABLE ${table}_rows`);
});
