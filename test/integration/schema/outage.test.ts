import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import { type Kafka, openKafka } from '../../../connectors/kafka/open.js';
import { profileProblems } from '../../../src/cli/run/profile-problems.js';
import type { Profile } from '../../../src/core/profile.js';
import { runTopology } from '../../../src/runtime/index.js';
import { avro, confluentRegistry, json } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { address } from '../address.js';
import { weWrite } from '../interop/our-client.js';
import { broker, fresh, readAll } from '../kafka/world.js';

// A registry that goes away while a topology runs: what is known is read on, what is new waits, and nothing of it becomes a
// dead letter.

let down = false;
let asked = 0;
let proxy: Server;
let kafka: Kafka;
let profile: Profile;

beforeAll(async () => {
  proxy = createServer(async (incoming, response) => {
    asked += 1;
    if (down) {
      incoming.socket.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const answer = await fetch(
      new URL(incoming.url ?? '', 'http://host').href.replace('http://host', address('MILLRACE_REGISTRY')),
      {
        method: incoming.method ?? 'GET',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      },
    );
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const registry = confluentRegistry({ url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  kafka = await openKafka({ brokers: [broker()], registry });
  profile = {
    name: 'kafka',
    sources: { kafka: kafka.source },
    sinks: { kafka: kafka.topicSink },
    openLedger: (task) => kafka.openLedger(task),
    schemas: registry,
    close: async () => undefined,
  };
});
afterAll(async () => {
  await kafka.close();
  await new Promise((resolve) => proxy.close(resolve));
});

const version = (topic: string, ...more: object[]) =>
  avro<{ readonly id: number }>({
    subject: `${topic}-value`,
    definition: JSON.stringify({ type: 'record', name: 'E', fields: [{ name: 'id', type: 'int' }, ...more] }),
  });

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await condition()) return;
    await sleep(100);
  }
  throw new Error('it did not come about within a minute');
}

it('reads on what it knows, retries what is new, and loses nothing', async () => {
  const [input, output, dead] = [fresh('outage-in'), fresh('outage-out'), fresh('outage-dead')];
  const first = version(input);
  const second = version(input, { name: 'note', type: 'string', default: '' });
  await weWrite(input, first, [{ id: 1 }]);

  const copy = topology(fresh('outage'), { deadLetters: specs.deadLetterSink({ topic: dead }) }, (t) => {
    t.source('in', specs.source({ topic: input, schema: first })).to(
      'out',
      specs.sink({ topic: output, schema: json<{ id: number }>() }),
    );
  });
  const warnings: string[] = [];
  const running = await runTopology(copy, {
    profile,
    inference: noInference,
    onWarning: (message) => warnings.push(message),
  });
  const read = async () =>
    (await readAll(kafka, output)).map(
      ({ value }) => (JSON.parse(Buffer.from(value as Uint8Array).toString()) as { id: number }).id,
    );
  const has = (count: number) => until(async () => (await read()).length >= count);
  try {
    await has(1);
    const askedBefore = asked;
    down = true;
    await weWrite(
      input,
      first,
      Array.from({ length: 100 }, (_, i) => ({ id: 2 + i })),
    );
    await has(101);
    expect(asked).toBe(askedBefore); // not once for records of a schema that is known

    await weWrite(input, second, [{ id: 102, note: 'n' } as { id: number }]);
    await weWrite(input, first, [{ id: 103 }]);
    await until(async () => warnings.some((message) => message.includes('cannot look up schema')));
    expect(await read()).toHaveLength(101);

    down = false;
    await has(103);
  } finally {
    down = false;
    running.stop();
    await running.finished;
  }
  expect(await read()).toEqual(Array.from({ length: 103 }, (_, i) => i + 1));
  expect(await readAll(kafka, dead)).toEqual([]);
});

it('starts to read without a registry, and refuses a sink whose schema it does not take before any record', async () => {
  const [input, output, dead] = [fresh('refused-in'), fresh('refused-out'), fresh('refused-dead')];
  await weWrite(input, version(input), [{ id: 1 }]);
  await weWrite(output, version(output, { name: 'x', type: 'int' }), []);
  const configured = await fetch(`${address('MILLRACE_REGISTRY')}/config/${output}-value`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: '{"compatibility":"FULL"}',
  });
  expect(configured.ok).toBe(true);
  const copy = topology(fresh('refused'), { deadLetters: specs.deadLetterSink({ topic: dead }) }, (t) => {
    t.source('in', specs.source({ topic: input, schema: version(input) })).to(
      'out',
      specs.sink({ topic: output, schema: version(output, { name: 'x', type: 'string' }) as never }),
    );
  });
  expect(await profileProblems(copy, profile)).toMatchObject([
    { code: 'schema', where: 'out', message: expect.stringContaining(`version 1 of ${output}-value: x`) },
  ]);
  await expect(runTopology(copy, { profile, inference: noInference, bounded: true })).rejects.toMatchObject({
    code: 'schema',
    permanent: true,
    message: expect.stringContaining(`cannot register schema ${output}-value`),
  });
});
