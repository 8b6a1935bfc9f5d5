import { kafka } from '../../connectors/kafka/index.js';
import { hours, minutes, type OutgoingRecord, stateful } from '../../src/core/index.js';
import {
  dedupe,
  detectDrift,
  expectations,
  joinTable,
  json,
  leftJoin,
  table,
  topology,
  validate,
  window,
} from '../../src/index.js';
import { pageHinkley } from '../../src/ml.js';
import type { OpenProfile } from '../../src/profiles/profiles.js';
import { mapCell, rescale, valueCell } from '../../src/state/index.js';
import { Random } from '../../src/testing/sim/random.js';
import { readTopic } from '../../src/topics/read-topic.js';
import { count, counting, session, sum, tumbling } from '../../src/window.js';

// A topology of steps that are kept by the key of their records, in every way there is.

export interface Order {
  readonly id: number;
  readonly user: string;
  readonly currency: string;
  readonly amount: number;
}
interface Named {
  readonly name: string;
}
interface Rate {
  readonly euro: number;
}

/** A user's own operator, with state by key and one time for the whole task. */
const totals = () => {
  const cells = {
    byUser: rescale.byKey(mapCell<string, number>()),
    last: rescale.merged(valueCell({ initial: 0 }), rescale.highest),
  };
  return stateful<Order, { readonly user: string; readonly id: number; readonly total: number }, typeof cells>({
    kind: 'totals',
    cells,
    open: ({ byUser, last }) => ({
      onRecord(_, { id, user, amount }, emit, { eventTimeMs }) {
        const total = (byUser.get(user) ?? 0) + amount;
        byUser.set(user, total);
        last.set(Math.max(last.get(), eventTimeMs));
        emit({ user, id, total });
      },
    }),
  });
};

export const OUTPUTS = [
  'firsts',
  'totals',
  'sums',
  'sessions',
  'threes',
  'settled',
  'named',
  'priced',
  'known',
  'drifts',
] as const;
export const INPUTS = ['orders', 'payments', 'users'] as const;

export const keyed = (name: string, windows = tumbling(minutes(1))) =>
  topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
    const topic = (of: string) => `${name}.${of}`;
    const to = (of: (typeof OUTPUTS)[number]) =>
      kafka.sink<unknown>({ topic: topic(of), schema: json<unknown>(), key: () => of });
    const orders = t.source('orders', kafka.source({ topic: topic('orders'), schema: json<Order>() }));
    const payments = t.source('payments', kafka.source({ topic: topic('payments'), schema: json<Order>() }));
    const users = t
      .source('users', kafka.tableSource({ topic: topic('users'), schema: json<Named>() }))
      .via('user', table({ keysMax: 1_000 }));
    const rates = t
      .source('rates', kafka.globalTableSource({ topic: topic('rates'), schema: json<Rate>(), idleTimeout: 'never' }))
      .via('rate', table({ keysMax: 100 }));
    const key = ({ user }: Order) => user;
    const bounds = { key, keysMax: 1_000 };
    const aggregate = { orders: count(), amount: sum((order: Order) => order.amount) };
    orders.via('first', dedupe({ key, retention: hours(2), keysMax: 1_000 })).to('firsts', to('firsts'));
    orders.via('total', totals()).to('totals', to('totals'));
    orders.via('sum', window({ ...bounds, window: windows, aggregate })).to('sums', to('sums'));
    orders
      .via('session', window({ ...bounds, window: session({ gap: minutes(2) }), aggregate }))
      .to('sessions', to('sessions'));
    orders.via('three', window({ ...bounds, window: counting(3), aggregate })).to('threes', to('threes'));
    orders
      .via(
        'settle',
        { right: payments },
        leftJoin({
          keys: { left: key, right: key },
          within: { before: minutes(0), after: minutes(3) },
          combine: (order, payment) => ({ order: order.id, payment: payment?.id ?? null }),
          entriesMax: 10_000,
        }),
      )
      .to('settled', to('settled'));
    const joined = { keysMax: 1_000, pendingMax: 1_000 };
    orders
      .via('name', { table: users }, joinTable({ ...joined, key, combine: ({ id }, { name: of }) => ({ id, of }) }))
      .to('named', to('named'));
    orders
      .via(
        'price',
        { table: rates },
        joinTable({ ...joined, key: ({ currency }: Order) => currency, combine: ({ id }, { euro }) => ({ id, euro }) }),
      )
      .to('priced', to('priced'));
    const amount = ({ amount }: Order) => amount;
    orders
      .via(
        'drift',
        detectDrift({ of: amount, detector: pageHinkley({ threshold: 60, warmUp: 3 }), key, keysMax: 1_000 }),
      )
      .to('drifts', to('drifts'));
    const known = expectations<Order>()
      .references('user', 'users', { keysMax: 1_000 })
      .references('currency', 'rates', { keysMax: 100 });
    orders.via('know', { users, rates }, validate(known)).to('known', to('known'));
  });

interface Sent {
  readonly topic: (typeof INPUTS)[number] | 'rates';
  readonly record: OutgoingRecord;
}

/** Everything that happens, in order of time. */
export function happenings(seed: number, records: number): Sent[] {
  const random = new Random(seed);
  let timestampMs = 1_700_000_000_000;
  return Array.from({ length: records }, (_, id): Sent => {
    timestampMs += 1 + random.int(6_000);
    const user = `user-${random.int(40)}`;
    const currency = `c${random.int(4)}`;
    const record = (key: string, value: unknown) => ({
      key: Buffer.from(key),
      value: Buffer.from(JSON.stringify(value)),
      timestampMs,
    });
    const topic = random.pick(['orders', 'orders', 'orders', 'payments', 'users', 'rates'] as const);
    if (topic === 'users') return { topic, record: record(user, { name: `${user} at ${id}` }) };
    if (topic === 'rates') return { topic, record: record(currency, { euro: id }) };
    return { topic, record: record(user, { id, user, currency, amount: random.int(100) }) };
  });
}

/** By key, as producers do. */
export async function send(
  profile: OpenProfile,
  name: string,
  sent: readonly Sent[],
  partitions: number,
): Promise<void> {
  const producer = profile.producer();
  for (const topic of [...INPUTS, 'rates'] as const) {
    // As many as the tasks; the global table has a number of its own.
    await producer.createTopic(`${name}.${topic}`, topic === 'rates' ? 2 : partitions);
    await producer.send(
      `${name}.${topic}`,
      sent.filter((each) => each.topic === topic).map(({ record }) => record),
    );
  }
  await producer.close();
}

/** All outputs, whatever task wrote them. */
export async function outputs(profile: OpenProfile, name: string): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const output of OUTPUTS) {
    const texts: string[] = [];
    for await (const { record } of readTopic(profile, `${name}.${output}`))
      texts.push(Buffer.from(record.value ?? []).toString());
    found[output] = texts.sort();
  }
  return found;
}
