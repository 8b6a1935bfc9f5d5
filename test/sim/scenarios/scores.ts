import { type Operator, RowFailure, seconds } from '../../../src/core/index.js';
import { dedupe, expectations, impute, route, validate } from '../../../src/operators/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable } from './compare.js';
import { type Entry, entriesOf } from './merge.js';

interface Order {
  readonly id: number;
  readonly timeMs: number;
  readonly amount: number | null;
  readonly size: number;
}
interface Filled {
  readonly id: number;
  readonly amount: number;
  readonly size: number;
}

const RETENTION = seconds(2);
const isPoisoned = (id: number) => id % 17 === 3;
const scored = ({ id, amount, size }: Filled) => ({ id, score: amount * 3 + size });

/** Asynchronous scoring: answers after a random time, some rows not at all. */
const score = (wait: () => Promise<void>): Operator<Filled, { readonly id: number; readonly score: number }> => ({
  kind: 'score',
  settings: {},
  shape: {
    shape: 'batched',
    open: async () => ({
      onBatch: async (values) => {
        await wait();
        return values.map((value) =>
          isPoisoned((value as Filled).id) ? new RowFailure('poisoned', 'cannot be scored') : scored(value as Filled),
        );
      },
    }),
  },
});

/** Dedupe, validate, impute, an asynchronous step with rows that fail, and a split. */
export const scores: Scenario = {
  name: 'scores',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const log = {
      orders: inputs.map((orders) =>
        logOf(
          orders.map((value) => ({ value, timestampMs: value.timeMs })),
          random,
        ),
      ),
    };
    return {
      log,
      topology: (wait) =>
        topology('scores', { deadLetters: simSink('transactional') }, (t) => {
          const { high, otherwise } = t
            .source(
              'orders',
              simSource<Order>('orders', ({ timeMs }) => timeMs),
            )
            .via('dedupe', dedupe({ key: ({ id }) => id, retention: RETENTION, keysMax: 10_000 }))
            .via('validate', validate(expectations<Order>().range('size', 0, 90)))
            .via('impute', impute({ amount: 'mean' }))
            .via('score', score(wait))
            .split('by-score', route({ high: (value: { readonly score: number }) => value.score > 150 }));
          high.to('high', simSink('transactional'));
          otherwise.to('low', simSink('table'));
        }),
      check: (task, outcome) => check(entriesOf('orders', inputs[task] ?? [], log.orders[task]), outcome),
    };
  },
};

function draw(random: Random, count: number): Order[] {
  const orders: Order[] = [];
  let nowMs = 1_000;
  for (let id = 0; id < count; id++) {
    nowMs += random.int(12);
    const again = orders[orders.length - 1 - random.int(400)];
    // The same order again: as it was, or sent anew with a later time.
    if (again && random.chance(0.15)) orders.push(random.chance(0.5) ? again : { ...again, timeMs: nowMs });
    else
      orders.push({
        id,
        timeMs: nowMs - (random.chance(0.1) ? random.int(800) : 0),
        amount: random.chance(0.1) ? null : random.int(1_000) / 10,
        size: random.int(95),
      });
  }
  return orders;
}

function check(input: readonly Entry<Order>[], outcome: Outcome): void {
  const high: Expected[] = [];
  const low: Expected[] = [];
  const dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  const count = { duplicates: 0, valid: 0, filled: 0, imputed: 0 };
  const seenAt = new Map<number, number>();
  let nowMs = Number.NEGATIVE_INFINITY;
  let amounts = 0;
  let mean = 0;
  for (const { value: order, offset } of input) {
    const die = (step: string, reason: string) => dead.push({ step, reason, topic: 'orders', offset });
    nowMs = Math.max(nowMs, order.timeMs);
    const firstMs = seenAt.get(order.id);
    if (firstMs !== undefined && nowMs < firstMs + RETENTION) {
      count.duplicates += 1;
      continue;
    }
    seenAt.set(order.id, nowMs);
    if (order.size > 90) {
      die('validate', 'range:size');
      continue;
    }
    count.valid += 1;
    if (order.amount !== null) {
      amounts += 1;
      mean += order.amount / amounts - mean / amounts;
    } else if (amounts === 0) {
      die('impute', 'nothing-to-impute');
      continue;
    } else count.imputed += 1;
    count.filled += 1;
    if (isPoisoned(order.id)) {
      die('score', 'poisoned');
      continue;
    }
    const score = (order.amount ?? mean) * 3 + order.size;
    (score > 150 ? high : low).push({ value: { id: order.id, score }, topic: 'orders', offset });
  }
  exactly('high', outcome.output('high').rows, high);
  exactlyInTable('low', outcome.output('low'), low);
  deadLetters(outcome.output('$dead-letters').rows, dead);
  const deadOf = (step: string) => dead.filter((letter) => letter.step === step).length;
  const unique = input.length - count.duplicates;
  const answered = high.length + low.length;
  counters(outcome, {
    'orders/read': input.length,
    'dedupe/in': input.length,
    'dedupe/out': unique,
    'dedupe/duplicates': count.duplicates,
    'validate/in': unique,
    'validate/out': count.valid,
    'validate/invalid': deadOf('validate'),
    'validate/dead:range:size': deadOf('validate'),
    'impute/in': count.valid,
    'impute/out': count.filled,
    'impute/imputed': count.imputed,
    'impute/dead:nothing-to-impute': deadOf('impute'),
    'score/in': answered,
    'score/out': answered,
    'score/dead:poisoned': deadOf('score'),
    'by-score/in': answered,
    'by-score/out': answered,
    'high/written': high.length,
    'low/written': low.length,
  });
}
