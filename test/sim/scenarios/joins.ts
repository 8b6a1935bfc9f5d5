import { count } from '../../../src/aggregates/index.js';
import { millis, type Upsert } from '../../../src/core/index.js';
import { leftJoin, leftJoinTable, map, match, startsWith, table, window } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { tumbling } from '../../../src/window.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable } from './compare.js';
import { type Entry, entriesOf, type Merged, merged } from './merge.js';

interface Order {
  readonly id: number;
  readonly currency: string;
  readonly amount: number;
  readonly timeMs: number;
}
interface Payment {
  readonly order: number;
  readonly timeMs: number;
}
interface Rate {
  readonly of: string;
  /** Gone where it is null. */
  readonly euro: number | null;
  readonly timeMs: number;
}
interface Paid {
  readonly id: number;
  readonly currency: string;
  readonly paidAt: number | null;
}

const DISORDER_MS = 20;
const AFTER_MS = 40;
const SIZE_MS = 60;
const WITHIN_MS = 30;
const bounds = { keysMax: 100, pendingMax: 10_000 };

const isSmall = ({ amount }: Order) => amount < 10;
const isLarge = ({ amount }: Order) => amount >= 30;

/**
 * Orders wait for payments, for the rate of their own time and for each other, in three steps with timers; windows count what the
 * first of them gave up on. All inputs are out of order, some of it late.
 */
export const joins: Scenario = {
  name: 'joins',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const log = {
      orders: inputs.map(({ orders }) => logOf(orders.map(withTime), random)),
      payments: inputs.map(({ payments }) => logOf(payments.map(withTime), random)),
      rates: inputs.map(({ rates }) => logOf(rates.map(withTime), random)),
    };
    return {
      log,
      topology: () =>
        topology('joins', { deadLetters: simSink('transactional') }, (t) => {
          const source = <T extends { readonly timeMs: number }>(name: string) =>
            t.source(name, { ...simSource<T>(name, ({ timeMs }) => timeMs), outOfOrdernessMax: millis(DISORDER_MS) });
          const orders = source<Order>('orders');
          const payments = source<Payment>('payments');
          const rate = source<Rate>('rates')
            .via(
              'upserts',
              map(({ of, euro }): Upsert<number> => ({ key: of, value: euro })),
            )
            .via('rate', table({ keysMax: bounds.keysMax }));
          const paid = orders.via(
            'paid',
            { right: payments },
            leftJoin<Order, Payment, Paid>({
              keys: { left: ({ id }) => id, right: ({ order }) => order },
              within: { before: millis(0), after: millis(AFTER_MS) },
              combine: ({ id, currency }, payment) => ({ id, currency, paidAt: payment?.timeMs ?? null }),
              entriesMax: 10_000,
            }),
          );
          const counted = paid.via(
            'counted',
            window({
              key: ({ currency }) => currency,
              window: tumbling(millis(SIZE_MS)),
              aggregate: { all: count(), paid: count(({ paidAt }) => paidAt) },
              keysMax: 10,
            }),
          );
          const priced = orders.via(
            'priced',
            { table: rate },
            leftJoinTable({
              ...bounds,
              key: ({ currency }) => currency,
              combine: ({ id }, euro: number | null) => ({ id, euro }),
            }),
          );
          const leaps = orders.via(
            'leaps',
            match({
              key: ({ currency }) => currency,
              pattern: startsWith('small', isSmall).next('large', isLarge),
              within: millis(WITHIN_MS),
              select: ({ small, large }) => ({ small: small.id, large: large.id }),
              runsMax: 1_000,
              pendingMax: 10_000,
            }),
          );
          paid.to('paid-out', simSink('transactional'));
          counted.to('counted-out', simSink('transactional'));
          counted.to('counted-table', simSink('table'));
          priced.to('priced-out', simSink('transactional'));
          priced.to('priced-later', simSink('deferred'));
          leaps.to('leaps-out', simSink('transactional'));
        }),
      check(task, outcome) {
        const { orders = [], payments = [], rates = [] } = inputs[task] ?? {};
        const model = new Model();
        for (const entry of merged<Order | Payment | Rate>([
          entriesOf('orders', orders, log.orders[task]),
          entriesOf('payments', payments, log.payments[task]),
          entriesOf('rates', rates, log.rates[task]),
        ]))
          model.take(entry);
        model.compare(outcome);
      },
    };
  },
};

const withTime = <T extends { readonly timeMs: number }>(value: T) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, length: number) {
  const orders: Order[] = [];
  const payments: Payment[] = [];
  const rates: Rate[] = [];
  const lateShare = random.pick([0.005, 0.1]);
  const currencies = random.pick([1, 4]);
  let nowMs = 5_000_000;
  for (let i = 0; i < length; i++) {
    nowMs += random.chance(0.02) ? random.int(150) : random.int(5);
    const timeMs = nowMs - (random.chance(lateShare) ? random.int(120) : random.int(DISORDER_MS));
    const currency = `c${random.int(currencies)}`;
    const kind = random.int(10);
    if (kind < 5) orders.push({ id: orders.length, currency, amount: random.int(40), timeMs });
    // Of an order long ago, of the last ones, or of one that is still to come; some twice.
    else if (kind < 9) payments.push({ order: Math.max(0, orders.length - 9 + random.int(11)), timeMs });
    else rates.push({ of: currency, euro: random.chance(0.15) ? null : random.int(100), timeMs });
  }
  return { orders, payments, rates };
}

type Held<T> = Entry<T> & { matched: boolean };
type Place = Pick<Entry<unknown>, 'topic' | 'offset'>;

/** The four steps as plain loops over everything that they have seen. */
class Model {
  private watermarkMs = Number.NEGATIVE_INFINITY;
  private orders: Held<Order>[] = [];
  private payments: Held<Payment>[] = [];
  private readonly rates = new Map<string, number>();
  private readonly versions: { of: string; euro: number | null; timeMs: number; at: number }[] = [];
  private pricing: { order: Order; timeMs: number; at: number }[] = [];
  private leaping: { order: Order; timeMs: number; at: number }[] = [];
  private readonly lastOf = new Map<string, Order>();
  private readonly windows = new Map<string, { key: string; startMs: number; all: number; paid: number }>();
  private readonly out: Record<'paid' | 'counted' | 'priced' | 'leaps', Expected[]> = {
    paid: [],
    counted: [],
    priced: [],
    leaps: [],
  };
  private readonly dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  private readonly count = {
    orders: 0,
    payments: 0,
    rates: 0,
    changes: 0,
    lateChanges: 0,
    expired: 0,
    unmatched: 0,
    at: 0,
  };

  take(entry: Merged<Order | Payment | Rate>): void {
    const { value, timeMs, settledMs } = entry;
    const late = timeMs < this.watermarkMs;
    if ('id' in value) this.takeOrder(entry as Merged<Order>, late);
    else if ('order' in value) this.takePayment(entry as Merged<Payment>, late);
    else this.takeRate(entry as Merged<Rate>, late);
    if (settledMs - DISORDER_MS > this.watermarkMs) this.rise(settledMs - DISORDER_MS, entry);
  }

  private takeOrder(entry: Entry<Order>, late: boolean): void {
    const { value, timeMs } = entry;
    this.count.orders += 1;
    if (late) {
      for (const step of ['paid', 'priced', 'leaps']) this.bury(step, entry);
      return;
    }
    const held = { ...entry, matched: false };
    for (const payment of this.payments)
      if (payment.value.order === value.id && payment.timeMs >= timeMs && payment.timeMs <= timeMs + AFTER_MS) {
        held.matched = true;
        this.pair(value, payment.value, entry);
      }
    this.orders.push(held);
    const waits = { order: value, timeMs, at: this.count.at++ };
    if (timeMs > this.watermarkMs) {
      this.pricing.push(waits);
      this.leaping.push(waits);
    } else {
      this.price(waits, entry);
      this.leap(waits, entry);
    }
  }

  private takePayment(entry: Entry<Payment>, late: boolean): void {
    this.count.payments += 1;
    if (late) {
      this.bury('paid', entry);
      return;
    }
    for (const order of this.orders)
      if (
        order.value.id === entry.value.order &&
        entry.timeMs >= order.timeMs &&
        entry.timeMs <= order.timeMs + AFTER_MS
      ) {
        order.matched = true;
        this.pair(order.value, entry.value, entry);
      }
    this.payments.push({ ...entry, matched: false });
  }

  private takeRate(entry: Entry<Rate>, late: boolean): void {
    const { of, euro } = entry.value;
    this.count.rates += 1;
    if (euro === null && !this.rates.has(of)) return;
    this.count.changes += 1;
    if (euro === null) this.rates.delete(of);
    else this.rates.set(of, euro);
    if (late) this.count.lateChanges += 1;
    this.versions.push({ of, euro, timeMs: entry.timeMs, at: this.count.at++ });
  }

  /** The watermark rises with a record, and so does all that waited for it. */
  private rise(toMs: number, by: Place): void {
    const gone = [
      ...this.orders.map((held) => ({ held, side: 0, id: held.value.id, atMs: held.timeMs + AFTER_MS + 1 })),
      ...this.payments.map((held) => ({ held, side: 1, id: held.value.order, atMs: held.timeMs + 1 })),
    ].filter(({ atMs }) => atMs <= toMs);
    gone.sort((a, b) => a.atMs - b.atMs || a.side - b.side || a.id - b.id);
    for (const { held, side, atMs } of gone) {
      this.count.expired += 1;
      if (side === 0 && !held.matched) this.pay(held.value as Order, null, atMs, by);
    }
    this.orders = this.orders.filter(({ timeMs }) => timeMs + AFTER_MS + 1 > toMs);
    this.payments = this.payments.filter(({ timeMs }) => timeMs + 1 > toMs);

    const due = (waiting: typeof this.pricing) =>
      waiting.filter(({ timeMs }) => timeMs <= toMs).sort((a, b) => a.timeMs - b.timeMs || a.at - b.at);
    for (const waits of due(this.pricing)) this.price(waits, by);
    for (const waits of due(this.leaping)) this.leap(waits, by);
    this.pricing = this.pricing.filter(({ timeMs }) => timeMs > toMs);
    this.leaping = this.leaping.filter(({ timeMs }) => timeMs > toMs);

    const over = [...this.windows.values()].filter(({ startMs }) => startMs + SIZE_MS <= toMs);
    over.sort((a, b) => a.startMs - b.startMs); // stable: in the order in which they began
    for (const { key, startMs, all, paid } of over) {
      this.windows.delete(`${key}@${startMs}`);
      this.out.counted.push({ value: { key, startMs, endMs: startMs + SIZE_MS, all, paid }, ...placeOf(by) });
    }
    this.watermarkMs = toMs;
  }

  private pair(order: Order, payment: Payment, by: Place): void {
    this.pay(order, payment.timeMs, payment.timeMs, by);
  }

  private pay({ id, currency }: Order, paidAt: number | null, timeMs: number, by: Place): void {
    this.out.paid.push({ value: { id, currency, paidAt }, ...placeOf(by) });
    const startMs = Math.floor(timeMs / SIZE_MS) * SIZE_MS;
    const name = `${currency}@${startMs}`;
    const held = this.windows.get(name) ?? { key: currency, startMs, all: 0, paid: 0 };
    this.windows.set(name, { ...held, all: held.all + 1, paid: held.paid + (paidAt === null ? 0 : 1) });
  }

  private price({ order, timeMs, at }: { order: Order; timeMs: number; at: number }, by: Place): void {
    const before = this.versions
      .filter((v) => v.of === order.currency && (v.timeMs < timeMs || (v.timeMs === timeMs && v.at < at)))
      .sort((a, b) => a.timeMs - b.timeMs || a.at - b.at);
    const euro = before.at(-1)?.euro ?? null;
    if (euro === null) this.count.unmatched += 1;
    this.out.priced.push({ value: { id: order.id, euro }, ...placeOf(by) });
  }

  private leap({ order, timeMs }: { order: Order; timeMs: number }, by: Place): void {
    const last = this.lastOf.get(order.currency);
    this.lastOf.set(order.currency, order);
    if (last && isSmall(last) && isLarge(order) && timeMs - last.timeMs < WITHIN_MS)
      this.out.leaps.push({ value: { small: last.id, large: order.id }, ...placeOf(by) });
  }

  private bury(step: string, { topic, offset }: Place): void {
    this.dead.push({ step, reason: 'late', topic, offset });
  }

  compare(outcome: Outcome): void {
    const { out, count: n, dead } = this;
    exactly('paid', outcome.output('paid-out').rows, out.paid);
    exactly('counted', outcome.output('counted-out').rows, out.counted);
    exactlyInTable('counted in the table', outcome.output('counted-table'), out.counted);
    exactly('priced', outcome.output('priced-out').rows, out.priced);
    exactlyInTable('priced after the checkpoint', outcome.output('priced-later'), out.priced);
    exactly('leaps', outcome.output('leaps-out').rows, out.leaps);
    deadLetters(outcome.output('$dead-letters').rows, dead);
    const late = (step: string) => dead.filter((letter) => letter.step === step).length;
    const { 'leaps/timed_out': _, ...rest } = Object.fromEntries(outcome.counters);
    counters(
      { ...outcome, counters: new Map(Object.entries(rest)) },
      {
        'orders/read': n.orders,
        'payments/read': n.payments,
        'rates/read': n.rates,
        'upserts/in': n.rates,
        'upserts/out': n.rates,
        'rate/in': n.rates,
        'rate/out': n.changes,
        'paid/in': n.orders,
        'paid/out': out.paid.length,
        'paid/expired': n.expired,
        'paid/dead:late': late('paid'),
        'counted/in': out.paid.length,
        'counted/out': out.counted.length,
        'priced/in': n.orders,
        'priced/out': out.priced.length,
        'priced/unmatched': n.unmatched,
        'priced/late_changes': n.lateChanges,
        'priced/dead:late': late('priced'),
        'leaps/in': n.orders,
        'leaps/out': out.leaps.length,
        'leaps/dead:late': late('leaps'),
        'paid-out/written': out.paid.length,
        'counted-out/written': out.counted.length,
        'counted-table/written': out.counted.length,
        'priced-out/written': out.priced.length,
        'priced-later/written': out.priced.length,
        'leaps-out/written': out.leaps.length,
      },
    );
  }
}

const placeOf = ({ topic, offset }: Place): Place => ({ topic, offset });
