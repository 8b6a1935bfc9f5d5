import { type MultiInputOperator, stateful } from '../../../src/core/index.js';
import { mapCell, valueCell } from '../../../src/state/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, deadLetters, type Expected, exactly, exactlyInTable, mapInState, sameMap } from './compare.js';
import { type Entry, entriesOf, merged } from './merge.js';

interface Event {
  readonly key: string;
  readonly timeMs: number;
  readonly amount: number;
}
interface Rate {
  readonly key: string;
  readonly timeMs: number;
  readonly factor: number;
}
interface Total {
  readonly key: string;
  readonly total: number;
  readonly seen: number;
}

const UNLUCKY = 13;
const cells = {
  totals: mapCell<string, number>({}),
  rates: mapCell<string, number>({}),
  seen: valueCell({ initial: 0 }),
  // How far the rounds had come: depends on how they were cut, so it is only held to rise.
  watermarkMs: valueCell({ initial: 0 }),
};

/** Running totals by key at the newest rate: every lost, doubled or misplaced record of either input shows for ever. */
const running = (): MultiInputOperator<Event, { rates: Rate }, Total> =>
  stateful({
    kind: 'totals',
    inputs: ['rates'],
    cells,
    open: ({ totals, rates, seen, watermarkMs }, context) => {
      const counter = context.counter('totalled');
      return {
        onRecord(input, value, emit) {
          if (input === 1) {
            const { key, factor } = value as Rate;
            rates.set(key, factor);
            return;
          }
          const { key, amount } = value as Event;
          if (amount === UNLUCKY) return context.deadLetter('unlucky', 'thirteen');
          const total = (totals.get(key) ?? 0) + amount * (rates.get(key) ?? 1);
          totals.set(key, total);
          seen.set(seen.get() + 1);
          counter.add();
          emit({ key, total, seen: seen.get() });
        },
        onWatermark(nowMs) {
          if (nowMs < watermarkMs.get()) context.fail(`the watermark falls from ${watermarkMs.get()} to ${nowMs}`);
          watermarkMs.set(nowMs);
        },
      };
    },
  });

/** Two inputs, merged by event time, that come out of order, now and then with an absurd time. */
export const totals: Scenario = {
  name: 'totals',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions)));
    const log = {
      rates: inputs.map(({ rates }) => logOf(rates.map(withTime), random)),
      events: inputs.map(({ events }) => logOf(events.map(withTime), random)),
    };
    return {
      log,
      topology: () =>
        topology('totals', { deadLetters: simSink('transactional') }, (t) => {
          const rates = t.source(
            'rates',
            simSource<Rate>('rates', ({ timeMs }) => timeMs),
          );
          const events = t.source(
            'events',
            simSource<Event>('events', ({ timeMs }) => timeMs),
          );
          const out = events.via('totals', { rates }, running());
          out.to('out', simSink('transactional'));
          out.to('rows', simSink('table'));
        }),
      check: (task, outcome) => {
        const { rates = [], events = [] } = inputs[task] ?? {};
        const order = merged<Event | Rate>([
          entriesOf('rates', rates, log.rates[task]),
          entriesOf('events', events, log.events[task]),
        ]);
        check(order, outcome);
      },
    };
  },
};

const withTime = <T extends { readonly timeMs: number }>(value: T) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, count: number): { events: Event[]; rates: Rate[] } {
  const events: Event[] = [];
  const rates: Rate[] = [];
  const disorderMs = random.pick([0, 20, 200]);
  const rateShare = random.pick([0.05, 0.3]);
  const absurdShare = random.pick([0.002, 0.03]);
  let nowMs = 5_000_000;
  for (let i = 0; i < count; i++) {
    nowMs += random.int(5);
    const absurd = random.chance(absurdShare) ? 40 * 86_400_000 : 0;
    const timeMs = nowMs - random.int(disorderMs + 1) + absurd;
    const key = `k${random.int(7)}`;
    if (random.chance(rateShare)) rates.push({ key, timeMs, factor: 1 + random.int(3) });
    else events.push({ key, timeMs, amount: random.int(20) });
  }
  return { events, rates };
}

function check(order: readonly Entry<Event | Rate>[], outcome: Outcome): void {
  const factors = new Map<string, number>();
  const sums = new Map<string, number>();
  const out: Expected[] = [];
  const dead: { step: string; reason: string; topic: string; offset: number }[] = [];
  for (const { value, topic, offset } of order) {
    if ('factor' in value) factors.set(value.key, value.factor);
    else if (value.amount === UNLUCKY) dead.push({ step: 'totals', reason: 'unlucky', topic, offset });
    else {
      const total = (sums.get(value.key) ?? 0) + value.amount * (factors.get(value.key) ?? 1);
      sums.set(value.key, total);
      out.push({ value: { key: value.key, total, seen: out.length + 1 }, topic, offset });
    }
  }
  const ratesRead = order.filter(({ topic }) => topic === 'rates').length;
  const eventsRead = order.length - ratesRead;
  exactly('out', outcome.output('out').rows, out);
  exactlyInTable('rows', outcome.output('rows'), out);
  deadLetters(outcome.output('$dead-letters').rows, dead);
  counters(outcome, {
    'rates/read': ratesRead,
    'events/read': eventsRead,
    'totals/in': eventsRead,
    'totals/out': out.length,
    'totals/totalled': out.length,
    'totals/dead:unlucky': dead.length,
    'out/written': out.length,
    'rows/written': out.length,
  });
  sameMap('totals', mapInState(outcome, 'totals', 'totals', cells.totals), sums);
  sameMap('rates', mapInState(outcome, 'totals', 'rates', cells.rates), factors);
}
