/**
 * What does `http.ingestSource` cost on `node:http`, and what on fastify?
 *
 * Eight clients of another process post JSON and wait for each answer; both doors check each record by its codec, and what
 * stores the records does nothing. Then 64 clients send 6 MiB of a body each and stop: what that takes is bounded, or is not.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { json, localRegistry, openCodec } from '../src/schema/index.js';
import type { Benchmark } from './benchmark.js';
import type { Order } from './http-ingest/client.js';
import { BYTES_MAX, type Door, openFastify, openIngest } from './http-ingest/doors.js';
import { cpuOf, measurePairs, ratioOf, type Spread, spreadOf } from './pairs.js';

export const options = { requests: 20_000, pairs: 5 };

const CLIENTS = 8;
const HANGING = 128;
const MIB = 2 ** 20;

const order = (n: number) => ({ id: n, customer: `customer ${n}`, price: n / 100, items: [n, n + 1, n + 2] });

/** Has a process of clients do its work, and resolves when all is answered. */
async function post(clients: ChildProcess, order: Order): Promise<void> {
  clients.send(order);
  await once(clients, 'message');
}

/** How many bytes of buffers the door holds, at most, while clients have sent most of a body and say no more, in MiB. */
async function heldBy({ port }: Door): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BYTES_MAX - 1}\r\n\r\n`;
  const part = Buffer.alloc(6 * MIB, ' ');
  const sockets = Array.from({ length: HANGING }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => undefined); // refused
    socket.write(head);
    socket.write(part);
  }
  let held = 0;
  for (let last = -1; held > last; ) {
    last = held;
    await sleep(1_500);
    held = Math.max(held, process.memoryUsage().arrayBuffers - before);
  }
  for (const socket of sockets) socket.destroy();
  await sleep(200);
  return held / MIB;
}

export const benchmark: Benchmark<typeof options> = async (progress, { requests, pairs }) => {
  const codec = await openCodec(json<unknown>(), localRegistry());
  const doors = { 'node:http': await openIngest(codec), fastify: await openFastify(codec) };
  const clients = fork(fileURLToPath(new URL('./http-ingest/client.ts', import.meta.url)), {
    execArgv: process.execArgv,
  });
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  try {
    for (const records of [1, 100]) {
      const body = JSON.stringify(records === 1 ? order(1) : Array.from({ length: records }, (_, n) => order(n)));
      const count = records === 1 ? requests : requests / 10;
      const contestant = (name: keyof typeof doors) => ({
        name,
        async work() {
          await post(clients, { port: doors[name].port, body, requests: count, clients: CLIENTS });
          return count;
        },
      });
      const pair = [contestant('node:http'), contestant('fastify')] as const;
      const { rates, cpuMicros, runs } = await measurePairs(pair, { pairs }, progress);
      for (const { name } of pair) {
        figures[`${records} a request, ${name}: requests/s`] = rates[name] as Spread;
        figures[`${records} a request, ${name}: us of CPU a request`] = cpuMicros[name] as Spread;
      }
      ratios[`${records} a request: CPU, fastify through node:http`] = ratioOf(runs, 'fastify', 'node:http', cpuOf);
    }
    for (const [name, door] of Object.entries(doors)) {
      const held = spreadOf([await heldBy(door)]);
      figures[`${HANGING} clients that stop within a body, ${name}: MiB held`] = held;
    }
  } finally {
    clients.disconnect();
    for (const door of Object.values(doors)) await door.close();
  }
  return { unit: 'as named', figures, ratios };
};
