import { millis, type Upsert } from '../../../src/core/index.js';
import { joinTable, map, table } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable } from './compare.js';
import { entriesOf, type Merged, merged } from './merge.js';

interface Order {
  readonly id: number;
  readonly currency: string;
  readonly timeMs: number;
}
interface Rate {
  readonly currency: string;
  /** Gone where it is null. */
  readonly rate: number | null;
  readonly timeMs: number;
}
interface Priced {
  readonly id: number;
  readonly rate: number;
}

const BROKEN = new TextEncoder().encode('{"curr');
const bounds = { keysMax: 100, pendingMax: 100 };

/**
 * A table that every task reads as a whole, from a number of partitions of its own, and joins with its part of a stream. Now
 * and then the table is (mostly) not waited for when it is quiet: then only the checkpoints know which rate an order met.
 */
export const rates: Scenario = {
  name: 'rates',
  draw(random, partitions, records) {
    const { orders, changes } = drawn(random, partitions, records);
    const log = {
      rates: changes.map((rows) =>
        logOf(
          rows.map((row) => ({ value: row.rate === BROKEN_RATE ? BROKEN : row, timestampMs: row.timeMs })),
          random,
        ),
      ),
      orders: orders.map((rows) =>
        logOf(
          rows.map((row) => ({ value: row, timestampMs: row.timeMs })),
          random,
        ),
      ),
    };
    const idleTimeout = random.chance(0.3) ? millis(1 + random.int(random.pick([5, 60]))) : undefined;
    return {
      log,
      topology: () =>
        topology('rates', { deadLetters: simSink('transactional') }, (t) => {
          const rate = t
            .source('rates', { ...simSource<Rate>('rates', ({ timeMs }) => timeMs), global: true, idleTimeout })
            .via(
              'upserts',
              map(({ currency, rate: value }): Upsert<number> => ({ key: currency, value })),
            )
            .via('rate', table({ keysMax: bounds.keysMax }));
          const priced = t
            .source(
              'orders',
              simSource<Order>('orders', ({ timeMs }) => timeMs),
            )
            .via(
              'priced',
              { table: rate },
              joinTable<Order, number, Priced>({
                ...bounds,
                key: ({ currency }) => currency,
                combine: ({ id }, row) => ({ id, rate: row }),
              }),
            );
          priced.to('out', simSink('transactional'));
          priced.to('rows', simSink('table'));
          priced.to('later', simSink('deferred'));
        }),
      check(task, outcome) {
        if (idleTimeout !== undefined) return consistent(orders[task] ?? [], outcome);
        const order = merged<Order | Rate>([
          ...changes.map((rows, p) => entriesOf(`rates/${p}`, rows.map(asRead), log.rates[p])),
          entriesOf('orders', orders[task] ?? [], log.orders[task]),
        ]);
        check(order, task, partitions, outcome);
      },
    };
  },
};

const BROKEN_RATE = -1;

/** What cannot be read has no time of its own, and so agrees with none. */
const asRead = (row: Rate): Rate => (row.rate === BROKEN_RATE ? { ...row, timeMs: Number.NaN } : row);

function drawn(random: Random, partitions: number, records: number) {
  const orders = Array.from({ length: partitions }, (): Order[] => []);
  const changes = Array.from({ length: 1 + random.int(3) }, (): Rate[] => []);
  const share = random.pick([0.02, 0.2]);
  let timeMs = 1_000_000;
  let brokenMs = timeMs;
  for (let i = 0; i < records; i++) {
    timeMs += random.int(3);
    const currency = `c${random.int(6)}`;
    if (!random.chance(share)) orders[random.int(partitions)]?.push({ id: i, currency, timeMs });
    else {
      // What cannot be read has no time of its own: it stands where the one before it does.
      const place = changes[currency.charCodeAt(1) % changes.length] as Rate[];
      brokenMs = place.at(-1)?.timeMs ?? Number.NaN;
      const broken = random.chance(0.1) && !Number.isNaN(brokenMs);
      if (broken) place.push({ currency, rate: BROKEN_RATE, timeMs: brokenMs });
      else place.push({ currency, rate: random.chance(0.1) ? null : 1 + random.int(50), timeMs });
    }
  }
  return { orders, changes };
}

/** Every order meets the rate that a plain loop over all changes and the task's own orders has at that place. */
function check(order: readonly Merged<Order | Rate>[], task: number, tasks: number, outcome: Outcome): void {
  const now = new Map<string, number>();
  const out: Expected[] = [];
  const dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  const count = { rates: 0, orders: 0, usable: 0, changed: 0 };
  /** Orders wait for the watermark, with the rate that they met. */
  let waiting: { readonly timeMs: number; readonly value: Priced }[] = [];
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (const { value, timeMs, settledMs, topic, offset } of order) {
    const rate = 'id' in value ? now.get(value.currency) : undefined;
    if ('id' in value && rate !== undefined) waiting.push({ timeMs, value: { id: value.id, rate } });
    watermarkMs = Math.max(watermarkMs, settledMs);
    for (const due of waiting) if (due.timeMs <= watermarkMs) out.push({ value: due.value, topic, offset });
    waiting = waiting.filter((each) => each.timeMs > watermarkMs);
    if ('id' in value) {
      count.orders += 1;
      continue;
    }
    count.rates += 1;
    if (value.rate === BROKEN_RATE) {
      const partition = Number(topic.split('/')[1]);
      if (partition % tasks === task) dead.push({ step: 'rates', reason: 'not-json', topic, offset });
      continue;
    }
    count.usable += 1;
    if (value.rate !== null || now.has(value.currency)) count.changed += 1;
    if (value.rate === null) now.delete(value.currency);
    else now.set(value.currency, value.rate);
  }
  exactly('out', outcome.output('out').rows, out);
  exactlyInTable('rows', outcome.output('rows'), out);
  exactlyInTable('later', outcome.output('later'), out);
  deadLetters(outcome.output('$dead-letters').rows, dead);
  counters(outcome, {
    'rates/read': count.rates,
    'rates/dead:not-json': dead.length,
    'orders/read': count.orders,
    'upserts/in': count.usable,
    'upserts/out': count.usable,
    'rate/in': count.usable,
    'rate/out': count.changed,
    'priced/in': count.orders,
    'priced/out': out.length,
    'priced/unmatched': count.orders - out.length,
    'priced/joined': out.length,
    'out/written': out.length,
    'rows/written': out.length,
    'later/written': out.length,
  });
}

/** Whatever rates were met, all sinks tell of the same, and no order is there twice. */
function consistent(orders: readonly Order[], outcome: Outcome): void {
  const { rows } = outcome.output('out');
  const ids = rows.map(({ value }) => (value as Priced).id);
  if (new Set(ids).size !== ids.length) throw new Error('an order came out twice');
  exactlyInTable('rows', outcome.output('rows'), rows);
  exactlyInTable('later', outcome.output('later'), rows);
  const unmatched = outcome.counters.get('priced/unmatched') ?? 0;
  const late = outcome.counters.get('priced/dead:late') ?? 0;
  if (rows.length + unmatched + late !== orders.length)
    throw new Error(`${rows.length} of ${orders.length} orders came out, ${unmatched} met nothing, ${late} were late`);
}
