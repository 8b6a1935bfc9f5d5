import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { lagOf } from '../../../src/checkpoints/offsets.js';
import { INTERNAL, millis } from '../../../src/core/index.js';
import { map } from '../../../src/operators/index.js';
import type { OpenProfile } from '../../../src/profiles/profiles.js';
import { runTopology } from '../../../src/runtime/index.js';
import { localRegistry } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { kafkaJars } from '../../../stack/services/kafka.js';
import { cacheFolder } from '../../../stack/stack.js';
import { noInference } from '../../memory.js';
import { broker, fresh, json, librdkafka, open } from './world.js';

const name = fresh('hanging');
const warnings: string[] = [];
let kafka: Kafka;
const profile = () =>
  ({
    name: 'test',
    sources: { kafka: kafka.source, [INTERNAL]: kafka.internal.source },
    sinks: { kafka: kafka.topicSink, [INTERNAL]: kafka.internal.sink },
    openLedger: kafka.openLedger,
    schemas: localRegistry(),
    close: async () => undefined,
    checkpoints: kafka.checkpoints,
    offsetsAt: kafka.offsetsAt,
    logEnds: kafka.logEnds,
  }) as unknown as OpenProfile;

/** Kafka's own tool for transactions, as `kafka-transactions.sh` starts it; what it prints. */
async function kafkaTransactions(args: readonly string[]): Promise<string> {
  const jars = await kafkaJars(cacheFolder(), () => undefined);
  const main = 'org.apache.kafka.tools.TransactionsCommand';
  return (await promisify(execFile)('java', ['-cp', `${jars}/*`, main, ...args])).stdout;
}

const flow = topology(name, { deadLetters: specs.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
  t.source('in', specs.source({ topic: `${name}.in`, schema: json }))
    .via(
      'same',
      map(({ n }) => ({ n })),
    )
    .to('out', specs.sink({ topic: `${name}.out`, schema: json }));
});

async function append(from: number, to: number): Promise<void> {
  const producer = kafka.producer();
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  const records = numbers.map((n) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n }));
  await producer.send(`${name}.in`, records);
  await producer.close();
}

beforeAll(async () => {
  kafka = await open({
    prefix: name,
    openTransactionWarnAfter: millis(500),
    onWarning: (message) => warnings.push(message),
  });
  await kafka.createTopic(`${name}.in`, 1);
  await append(0, 10);
  await librdkafka(
    `
import os
producer = Producer({'bootstrap.servers': broker, 'transactional.id': args[0], 'transaction.timeout.ms': 600000})
producer.init_transactions(30)
producer.begin_transaction()
producer.produce(args[0] + '.in', value=b'{"n":-1}', on_delivery=fail)
producer.flush(30)
print(1, flush=True)
os._exit(0)`,
    name,
  );
  await append(10, 1_011);
});
afterAll(async () => {
  for (const topic of ['in', 'out', 'dead']) await kafka.deleteTopic(`${name}.${topic}`);
  await kafka.forget(name);
  await kafka.close();
});

it('a transaction that nobody ends is lag and a warning, with its producer id and the command that ends it', async () => {
  const described = await kafkaTransactions(
    `--bootstrap-server ${broker()} describe-producers --topic ${name}.in --partition 0`.split(' '),
  );
  // One producer a row; the last column is the offset at which its open transaction starts.
  const rows = described.split('\n').map((line) => line.trim().split(/\s+/));
  const producerId = rows.find((columns) => columns.at(-1) === '10')?.[0] as string;
  const held = new RegExp(
    `last stable offset 10 only, 1,002 entries before its end: the open transaction of producer id ${producerId} .*transactional id '${name}'`,
  );

  // A run to the end says at once what it does not read.
  const bounded = await runTopology(flow, { profile: profile(), inference: noInference, bounded: true });
  await bounded.finished;
  expect(warnings).toEqual([expect.stringMatching(held)]);
  expect(bounded.snapshot().tasks[0]?.lag).toEqual({ in: 1_002 });
  expect(await lagOf(profile(), flow)).toMatchObject([{ position: 10, end: 1_012, lag: 1_002 }]);
  expect((await kafka.logEnds(`${name}.in`))[0]).toMatchObject({
    stableEnd: 10,
    heldBy: expect.stringContaining(producerId),
  });

  // One that waits says so when the offset has stood still for a while.
  warnings.splice(0);
  const running = await runTopology(flow, { profile: profile(), inference: noInference });
  const counted = (counter: string) => running.snapshot().counters.find(({ name: each }) => each === counter)?.value;
  await vi.waitFor(() => expect(warnings).toEqual([expect.stringMatching(held)]), { timeout: 60_000, interval: 100 });
  expect(running.snapshot().tasks[0]?.lag).toEqual({ in: 1_002 });

  const [command = ''] = /kafka-transactions\.sh .*$/.exec(warnings[0] ?? '') ?? [];
  await kafkaTransactions(command.split(' ').slice(1));
  await vi.waitFor(() => expect(counted('read')).toBe(1_011), { timeout: 60_000, interval: 100 });
  await vi.waitFor(() => expect(running.snapshot().tasks[0]?.lag.in).toBeLessThan(2), {
    timeout: 60_000,
    interval: 100,
  });
  await running.stop();
  expect(warnings).toHaveLength(1);
});
