import { Kafka as Kafkajs, logLevel } from 'kafkajs';
import type { Kafka } from '../../connectors/kafka/open.js';
import type { Carrier, Reader } from './carrier.js';

const GOOD = 'good';

/** Writes two aborted transactions one after the other, two that overlap, and a committed record; its offset is the last of those returned. */
export async function abortedIn(broker: string, kafka: Kafka, topic: string): Promise<readonly number[]> {
  await kafka.createTopic(topic, 1);
  const client = new Kafkajs({ brokers: [broker], logLevel: logLevel.NOTHING });
  const producers = ['a', 'b'].map((name) =>
    client.producer({
      transactionalId: `${topic}-${name}`,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 20 },
    }),
  );
  const [a, b] = producers as [(typeof producers)[number], (typeof producers)[number]];
  await Promise.all(producers.map((producer) => producer.connect()));
  type Transaction = Awaited<ReturnType<typeof a.transaction>>;
  const send = (transaction: Transaction, value: string) =>
    transaction.send({ topic, messages: [{ partition: 0, value }] });
  for (let n = 0; n < 2; n++) {
    const alone = await a.transaction();
    await send(alone, 'aborted');
    await alone.abort();
  }
  const [first, second] = [await a.transaction(), await b.transaction()];
  await send(first, 'aborted');
  await send(second, 'aborted');
  await send(first, 'aborted');
  await first.abort();
  await send(second, 'aborted');
  await second.abort();
  const last = await a.transaction();
  const [written] = await send(last, GOOD);
  await last.commit();
  await Promise.all(producers.map((producer) => producer.disconnect()));
  return Array.from({ length: Number(written?.baseOffset) + 1 }, (_, offset) => offset);
}

/** How many aborted records a client gives from an offset on, before the committed one. */
export async function leaksOf(read: Carrier['read'], topic: string, from: number): Promise<number> {
  let leaked = 0;
  let finish: () => void = () => undefined;
  const whole = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const reader: Reader = {
    begin: () => undefined,
    record(_, value) {
      if (String(value) === GOOD) finish();
      else leaked += 1;
    },
    whole,
  };
  await read(topic, reader, from);
  await whole;
  return leaked;
}
