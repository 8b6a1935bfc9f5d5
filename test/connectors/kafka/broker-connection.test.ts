import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import type { API } from '@platformatic/kafka';
import { afterEach, expect, it } from 'vitest';
import { BrokerConnection } from '../../../connectors/kafka/connection/broker-connection.js';
import { Throttle } from '../../../connectors/kafka/connection/throttle.js';

let server: Server | undefined;
let connection: BrokerConnection | undefined;
afterEach(async () => {
  await connection?.close();
  server?.close();
});

/** A request whose answer the test gives. */
function request() {
  let answer: (given: object) => void = () => {};
  const answered = new Promise<object>((resolve) => {
    answer = resolve;
  });
  return { api: { async: () => answered } as unknown as API<[], object>, answer };
}

it('is idle when all of its requests are answered, and is held as long as their answers say', async () => {
  const listening = createServer().listen(0, '127.0.0.1');
  server = listening;
  await new Promise((resolve) => listening.once('listening', resolve));
  const { port } = listening.address() as AddressInfo;
  const throttle = new Throttle(() => {});
  connection = await BrokerConnection.open({ host: '127.0.0.1', port }, { clientId: 'test', security: {}, throttle });

  await connection.idle();
  const [first, second] = [request(), request()];
  const sent = [connection.send(first.api), connection.send(second.api)];
  let idle = false;
  const becameIdle = connection.idle().then(() => {
    idle = true;
  });
  first.answer({});
  await sent[0];
  expect(idle).toBe(false);
  second.answer({ throttleTimeMs: 60_000 });
  await becameIdle;
  expect(await sent[1]).toEqual({ throttleTimeMs: 60_000 });
  expect(connection.heldForMs).toBeGreaterThan(1_000);
  expect(throttle.totalMs).toBeGreaterThan(1_000);
});
