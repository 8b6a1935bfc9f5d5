import { NetworkError, ResponseError } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BatchSender, type Produce } from '../../../connectors/kafka/batch-sender.js';
import { code } from '../../../connectors/kafka/protocol/broker-error.js';
import type { OutgoingBatch } from '../../../connectors/kafka/protocol/produce.js';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { RecordAccumulator } from '../../../connectors/kafka/record-accumulator.js';
import { record } from './batches.js';

/** What becomes of one request. */
type Fate = 'taken' | 'not leader' | 'unknown topic' | 'lost before' | 'lost after' | 'too large';

const LEADERS = [
  { host: 'a', port: 1 },
  { host: 'b', port: 1 },
];

/**
 * Brokers as far as producers know them: they answer later, in order, take a sequence once and only in its order, and a
 * connection that is lost takes everything on it along.
 */
class FakeBrokers {
  readonly logs = new Map<string, number[]>();
  private readonly next = new Map<string, number>();
  private readonly connections = new Map<string, { alive: boolean; produce: Produce }>();
  private leading = 0;
  readonly apiTimeoutMs = 5_000;

  constructor(private readonly fates: Fate[]) {}

  leader = async (_topic: string, partition: number) => ({
    address: LEADERS[(this.leading + partition) % 2] as (typeof LEADERS)[0],
  });

  refresh = async () => undefined;

  connect = async ({ host }: { host: string }): Promise<Produce> => {
    const known = this.connections.get(host);
    if (known?.alive) return known.produce;
    let answered: Promise<unknown> = Promise.resolve();
    const connection = {
      alive: true,
      produce: (batches: readonly OutgoingBatch[]) => {
        const answer = this.receive(batches, connection);
        const told = answered.then(nextTurn).then(() => {
          if (answer) throw answer;
        });
        answered = told.catch(() => undefined);
        return told;
      },
    };
    this.connections.set(host, connection);
    return connection.produce;
  };

  private receive(batches: readonly OutgoingBatch[], connection: { alive: boolean }): Error | undefined {
    const fate = connection.alive ? (this.fates.shift() ?? 'taken') : 'lost before';
    if (fate === 'lost before' || fate === 'lost after') connection.alive = false;
    if (fate === 'lost before') return new NetworkError('gone');
    if (fate === 'too large') return refusal(code.messageTooLarge);
    if (fate === 'unknown topic') return refusal(code.unknownTopicOrPartition);
    if (fate === 'not leader') {
      this.leading += 1;
      return refusal(code.notLeaderOrFollower);
    }
    // Partitions are appended to one by one; the answer carries what is wrong with any.
    const outOfOrder = batches.filter((each) => !this.append(each));
    if (fate === 'lost after') return new NetworkError('gone');
    return outOfOrder.length > 0 ? refusal(code.outOfOrderSequence) : undefined;
  }

  private append({ partition, bytes }: OutgoingBatch): boolean {
    const lane = `${partition}`;
    const sequence = bytes.readInt32BE(batch.sequence);
    const expected = this.next.get(lane) ?? 0;
    if (sequence > expected) return false;
    if (sequence < expected) return true; // a duplicate: taken before
    const count = bytes.readInt32BE(batch.count);
    const log = this.logs.get(lane) ?? [];
    for (let i = 0; i < count; i += 1) log.push(sequence + i);
    this.logs.set(lane, log);
    this.next.set(lane, expected + count);
    return true;
  }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

const refusal = (errorCode: number) => new ResponseError(0, 9, { '/t/0': [errorCode, null] }, undefined);

const identity = { producerId: 1n, producerEpoch: 0, transactional: true };

const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>('taken') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('not leader', 'unknown topic', 'lost before', 'lost after') },
);
const sends = fc.array(
  fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 3 })), { maxLength: 4 }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

it('appends every record once and in order, whatever becomes of the requests', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(sends, fc.array(fate, { maxLength: 12 }), async (rounds, fates) => {
      const brokers = new FakeBrokers([...fates]);
      const sender = new BatchSender(brokers, brokers.connect);
      const accumulator = new RecordAccumulator(() => identity);
      const added = new Map<string, number>();
      for (const round of rounds) {
        for (const [partition, count] of round) {
          for (let i = 0; i < count; i += 1) accumulator.add('t', partition, record('v'));
          added.set(`${partition}`, (added.get(`${partition}`) ?? 0) + count);
        }
        await sender.send(accumulator.takeAll());
      }
      await sender.flush();
      expect(sender.bytesOnTheirWay).toBe(0);
      for (const [lane, count] of added)
        expect(brokers.logs.get(lane)).toEqual(Array.from({ length: count }, (_, i) => i));
    }),
    { numRuns: 400 },
  );
});

it('fails for ever once a broker has refused a batch for good', async () => {
  const brokers = new FakeBrokers(['taken', 'too large']);
  const sender = new BatchSender(brokers, brokers.connect);
  const accumulator = new RecordAccumulator(() => identity);
  const send = () => {
    accumulator.add('t', 0, record('v'));
    return sender.send(accumulator.takeAll());
  };
  await send();
  await sender.flush();
  await send();
  await expect(sender.flush()).rejects.toThrow('Produce');
  await expect(send()).rejects.toThrow('Produce');
  await expect(sender.flush()).rejects.toThrow('Produce');
  expect(brokers.logs.get('0')).toEqual([0]);
});

it('gives up when patience ends', async () => {
  const brokers = new FakeBrokers(Array.from({ length: 100 }, () => 'lost before'));
  const sender = new BatchSender(
    { leader: brokers.leader, refresh: brokers.refresh, apiTimeoutMs: 100 },
    brokers.connect,
  );
  const accumulator = new RecordAccumulator(() => identity);
  accumulator.add('t', 0, record('v'));
  await sender.send(accumulator.takeAll());
  await expect(sender.flush()).rejects.toThrow('gone');
  await expect(sender.send([])).rejects.toThrow('gone');
});

it('does not count batches as sent whose leader cannot be looked up while they are sent again', async () => {
  const brokers = new FakeBrokers(['not leader']);
  let lookups = 0;
  const leader = (topic: string, partition: number) => {
    lookups += 1;
    return lookups === 2 ? Promise.reject(new NetworkError('nobody answers')) : brokers.leader(topic, partition);
  };
  const sender = new BatchSender({ leader, refresh: brokers.refresh, apiTimeoutMs: 5_000 }, brokers.connect);
  const accumulator = new RecordAccumulator(() => identity);
  accumulator.add('t', 0, record('v'));
  await sender.send(accumulator.takeAll());
  await expect(sender.flush()).rejects.toThrow('nobody answers');
  expect(brokers.logs.size).toBe(0);
});

it('takes a sequence that stays out of order for a failure', async () => {
  const brokers = new FakeBrokers([]);
  const sender = new BatchSender(brokers, brokers.connect);
  const accumulator = new RecordAccumulator(() => identity);
  accumulator.add('t', 0, record('never sent'));
  accumulator.takeAll();
  accumulator.add('t', 0, record('v'));
  await sender.send(accumulator.takeAll());
  await expect(sender.flush()).rejects.toThrow('Produce');
  expect(brokers.logs.size).toBe(0);
});
