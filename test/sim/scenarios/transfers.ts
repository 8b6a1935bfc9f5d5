import {
  internalEventTime,
  type MultiInputOperator,
  markerOf,
  millis,
  type RawRecord,
  type Schema,
  stateful,
  type WatermarkMarker,
} from '../../../src/core/index.js';
import { flatMap } from '../../../src/operators/index.js';
import { mapCell, valueCell } from '../../../src/state/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, type Expected, exactly, exactlyInTable, mapInState, newestByKey, sameMap } from './compare.js';

interface Transfer {
  readonly id: number;
  readonly task: number;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly timeMs: number;
}
interface Leg {
  readonly id: number;
  readonly task: number;
  readonly account: string;
  readonly amount: number;
}
interface Rate {
  readonly timeMs: number;
  readonly rate: number;
}
interface Balance extends Leg {
  readonly balance: number;
  /** The newest rate when it was booked: shows how the two inputs were merged. */
  readonly rate: number;
  /** How far event time had come: shows what the marks were taken for. */
  readonly watermarkMs: number;
  readonly timeMs: number;
}

const FIRST = 'transfers';
const TOPIC = 'transfers.by-account.repartition';
const DISORDER_MS = 30;
const NEVER_MS = -8.64e15;
const cells = {
  balances: mapCell<string, number>({}),
  rate: valueCell({ initial: 0 }),
  watermarkMs: valueCell({ initial: NEVER_MS }),
};

const book = (): MultiInputOperator<Leg, { rates: Rate }, Balance> =>
  stateful({
    kind: 'book',
    inputs: ['rates'],
    cells,
    open: ({ balances, rate, watermarkMs }) => ({
      onRecord(input, value, emit, { eventTimeMs }) {
        if (input === 1) {
          rate.set((value as Rate).rate);
          return;
        }
        const leg = value as Leg;
        const balance = (balances.get(leg.account) ?? 0) + leg.amount;
        balances.set(leg.account, balance);
        emit({ ...leg, balance, rate: rate.get(), watermarkMs: watermarkMs.get(), timeMs: eventTimeMs });
      },
      onWatermark: (nowMs) => watermarkMs.set(nowMs),
    }),
  });

const legsOf = ({ id, task, from, to, amount }: Transfer): Leg[] => [
  { id, task, account: from, amount: -amount },
  { id, task, account: to, amount },
];
const legSchema: Schema<Leg> = { format: 'json', subject: 'legs', definition: undefined };
const accountOf = (leg: { readonly account: string }) => leg.account;
const timeOf = ({ timeMs }: { readonly timeMs: number }) => timeMs;

/**
 * Two legs of every transfer go to the tasks of their accounts, through a topic between two sub-topologies, and are booked there at
 * the newest of some rates that are merged with them. The sub-topologies run side by side or in turn.
 */
export const transfers: Scenario = {
  name: 'transfers',
  draw(random, partitions, records) {
    const inputs = Array.from({ length: partitions }, (_, task) =>
      draw(random, task, Math.floor(records / partitions / 2)),
    );
    const log = {
      transfers: inputs.map(({ transfers }) => logOf(transfers.map(stamped), random)),
      rates: inputs.map(({ rates }) => logOf(rates.map(stamped), random)),
    };
    const idleTimeout = random.pick([undefined, undefined, millis(30), millis(300)]);
    return {
      log,
      topology: () =>
        topology('transfers', { deadLetters: simSink('transactional') }, (t) => {
          const rates = t.source('rates', simSource<Rate>('rates', timeOf));
          const legs = t
            .source('transfers', {
              ...simSource<Transfer>('transfers', timeOf),
              outOfOrdernessMax: millis(DISORDER_MS),
            })
            .via('legs', flatMap(legsOf));
          legs.to('sent', simSink('table'));
          const booked = legs
            .repartition('by-account', { key: accountOf, schema: legSchema, ...(idleTimeout ? { idleTimeout } : {}) })
            .via('book', { rates }, book());
          booked.to('balances', simSink('transactional'));
          booked.to('rows', simSink('table'));
          booked.to('later', simSink('deferred'));
          booked.to('newest', simSink('hash', { key: accountOf }));
        }),
      check(task, outcome, subtopology) {
        if (subtopology === `${FIRST}/transfers`)
          checkSent(task, partitions, inputs, log.transfers[task] ?? [], outcome);
        else checkBooked(partitions, inputs[task]?.rates ?? [], log.rates[task] ?? [], outcome);
      },
    };
  },
};

const stamped = <T extends { readonly timeMs: number }>(value: T) => ({ value, timestampMs: value.timeMs });

function draw(random: Random, task: number, count: number): { transfers: Transfer[]; rates: Rate[] } {
  const transfers: Transfer[] = [];
  const rates: Rate[] = [];
  const accounts = random.pick([3, 12]);
  let nowMs = 5_000_000 + random.int(400);
  for (let id = 0; id < count; id++) {
    nowMs += random.int(8);
    if (random.chance(0.1)) rates.push({ timeMs: nowMs, rate: rates.length + 1 });
    const timeMs = nowMs - random.int(DISORDER_MS) - (random.chance(0.3) ? 0.25 : 0);
    const [from, to] = [`a${random.int(accounts)}`, `b${random.int(accounts)}`];
    transfers.push({ id, task, from, to, amount: 1 + random.int(9), timeMs });
  }
  // Later than all transfers, whichever task has most: nobody waits for rates.
  for (const later of [1, 2]) rates.push({ timeMs: 5_000_000 + 8 * count + 1_000 + later, rate: rates.length + 1 });
  return { transfers, rates };
}

/** The legs of a task's transfers lie between the sub-topologies, each once and in order, and its marks keep their word. */
function checkSent(
  task: number,
  partitions: number,
  inputs: readonly { readonly transfers: readonly Transfer[] }[],
  log: readonly RawRecord[],
  outcome: Outcome,
): void {
  const { transfers = [] } = inputs[task] ?? {};
  const legs = transfers.flatMap((transfer, i) =>
    legsOf(transfer).map((value) => ({ value, topic: 'transfers', offset: log[i]?.offset ?? -1 })),
  );
  exactlyInTable('sent', outcome.output('sent'), legs);
  counters(outcome, {
    'transfers/read': transfers.length,
    'legs/in': transfers.length,
    'legs/out': legs.length,
    'sent/written': legs.length,
    'by-account/written': legs.length,
  });
  const watermarkMs = Math.max(...transfers.map(timeOf)) - DISORDER_MS;
  const found: Leg[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    let promisedMs = Number.NEGATIVE_INFINITY;
    for (const { mark, leg, eventTimeMs } of outcome.between(TOPIC, partition).map(readBetween)) {
      if (mark?.task === task) promisedMs = mark.watermarkMs;
      if (leg?.task !== task) continue;
      const { timeMs } = transfers[leg.id] as Transfer;
      if (eventTimeMs !== timeMs)
        throw new Error(`leg ${leg.id} has time ${eventTimeMs} between the subtopologies, not ${timeMs}`);
      if (timeMs < promisedMs) throw new Error(`leg ${leg.id} of ${timeMs} comes after a mark of ${promisedMs}`);
      found.push(leg);
    }
    if (promisedMs !== watermarkMs)
      throw new Error(`the last mark in ${partition} says ${promisedMs}, the watermark is ${watermarkMs}`);
  }
  const places = new Map(legs.map(({ value }, place) => [JSON.stringify(value), place]));
  const last = new Map<string, number>();
  for (const leg of found) {
    const place = places.get(JSON.stringify(leg)) ?? -1;
    if (place <= (last.get(leg.account) ?? -1)) throw new Error(`leg ${leg.id} is doubled or out of order`);
    last.set(leg.account, place);
  }
  if (found.length !== legs.length)
    throw new Error(`${found.length} of ${legs.length} legs lie between the subtopologies`);
}

/** Booked in the order that a plain merge of marks, legs and rates gives. */
function checkBooked(partitions: number, rates: readonly Rate[], log: readonly RawRecord[], outcome: Outcome): void {
  const between = outcome.between(TOPIC);
  const order = mergedWithRates(partitions, rates, between);
  const balances = new Map<string, number>();
  const out: Expected[] = [];
  let rate = 0;
  let watermarkMs = NEVER_MS;
  for (const { place, mergeMs, what } of order) {
    if ('rate' in what) rate = what.rate;
    else if (what.leg) {
      const balance = (balances.get(what.leg.account) ?? 0) + what.leg.amount;
      balances.set(what.leg.account, balance);
      const value = { ...what.leg, balance, rate, watermarkMs, timeMs: what.eventTimeMs };
      out.push({ value, topic: TOPIC, offset: between[place]?.offset ?? -1 });
    }
    watermarkMs = Math.max(watermarkMs, mergeMs);
  }
  exactly('balances', outcome.output('balances').rows, out);
  exactlyInTable('rows', outcome.output('rows'), out);
  exactlyInTable('later', outcome.output('later'), out);
  newestByKey('newest', outcome.output('newest'), out, accountOf);
  sameMap('balances', mapInState(outcome, 'book', 'balances', cells.balances), balances);
  counters(outcome, {
    'rates/read': log.length,
    'by-account/read': out.length,
    'book/in': out.length,
    'book/out': out.length,
    'balances/written': out.length,
    'rows/written': out.length,
    'later/written': out.length,
    'newest/written': out.length,
  });
}

interface Between {
  readonly mark: WatermarkMarker | undefined;
  readonly leg: Leg | undefined;
  readonly eventTimeMs: number;
}

function readBetween(record: RawRecord): Between {
  const mark = markerOf(record);
  const leg = mark || !record.value ? undefined : (JSON.parse(new TextDecoder().decode(record.value)) as Leg);
  return { mark, leg, eventTimeMs: internalEventTime(record) };
}

/** By merge time, rates first at the same one. What lies between sub-topologies has the lowest newest mark for a merge time. */
function mergedWithRates(partitions: number, rates: readonly Rate[], between: readonly RawRecord[]) {
  const marks = new Map<number, number | null>();
  let lowestMs = NEVER_MS;
  const entries = [
    ...rates.map((what, place) => ({ input: 0, place, mergeMs: what.timeMs, what })),
    ...between.map((record, place) => {
      const what = readBetween(record);
      if (what.mark) marks.set(what.mark.task, what.mark.idle ? null : what.mark.watermarkMs);
      const active = [...marks.values()].filter((watermarkMs) => watermarkMs !== null);
      if (marks.size === partitions && active.length > 0) lowestMs = Math.max(lowestMs, Math.min(...active));
      return { input: 1, place, mergeMs: lowestMs, what };
    }),
  ];
  return entries.sort((a, b) => a.mergeMs - b.mergeMs || a.input - b.input || a.place - b.place);
}
