import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { dedupe, hours, json, minutes, throttle, topology, window } from '../../src/index.js';
import { TopologyTest } from '../../src/testing.js';
import { count, sum, tumbling } from '../../src/window.js';

interface Sale {
  readonly id: number;
  readonly shop: string;
  readonly at: number;
  readonly amount: number;
}

const day = 86_400_000;
const minute = 60_000;
const start = 1_700_000_000_000;
/** The key of the records that lie: what becomes of them is not compared. */
const LIAR = 'liar';

/** Two logs whose records steps of every kind with a clock see, beside windows over both, which the watermark closes. */
const sales = topology('sales', { deadLetters: kafka.deadLetterSink({ topic: 'sales.dead' }) }, (t) => {
  const source = (topic: string) =>
    kafka.source({
      topic,
      schema: json<Sale>(),
      eventTime: (sale) => sale.at,
      outOfOrdernessMax: minutes(10),
      aheadMax: 'none',
    });
  for (const topic of ['a', 'b']) {
    const unique = t
      .source(topic, source(topic))
      .via(`${topic}-unique`, dedupe({ key: (sale) => sale.id, retention: hours(2), keysMax: 10_000 }));
    unique.to(`${topic}-out`, kafka.sink({ topic: `${topic}.out`, schema: json<Sale>() }));
    unique
      .via(
        `${topic}-hourly`,
        window({
          key: (sale) => sale.shop,
          window: tumbling(hours(1)),
          aggregate: { sales: count(), amount: sum((sale) => sale.amount) },
          keysMax: 100,
        }),
      )
      .to(`${topic}-hours`, kafka.sink({ topic: `${topic}.hours`, schema: json() }));
    unique
      .via(
        `${topic}-slow`,
        throttle({ key: (sale) => sale.shop, records: 3, per: hours(1), excess: 'drop', keysMax: 100 }),
      )
      .to(`${topic}-slowed`, kafka.sink({ topic: `${topic}.slowed`, schema: json<Sale>() }));
  }
});

/** What a log tells: honest records up to ten minutes out of order, with copies, and where others are put in between. */
const history = fc
  .record({
    steps: fc.array(
      fc.record({
        gap: fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 0, max: 20 * minute }) },
          fc.integer({ min: 0, max: 20 * 60 * minute }),
        ),
        trail: fc.integer({ min: 0, max: 10 * minute }),
        shop: fc.constantFrom('north', 'south'),
        /** A copy of so many records before; none for 0. */
        copyOf: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 12 })),
      }),
      { minLength: 20, maxLength: 100 },
    ),
    from: fc.integer({ min: 0, max: 3 * 60 * minute }),
  })
  .map(({ steps, from }) => {
    let nowMs = start + from;
    const log: Sale[] = [];
    for (const { gap, trail, shop, copyOf } of steps) {
      nowMs += gap;
      const id = log[log.length - copyOf]?.id ?? log.length;
      log.push({ id, shop, at: nowMs - trail, amount: 1 });
    }
    return log;
  });

/** Up to one lie in a hundred records, at least one: where it stands, and what time it claims. */
const lies = fc.array(
  fc.record({
    /** Often at the beginning or the end, where it has one neighbour. */
    place: fc.oneof(fc.constant(0), fc.constant(1), fc.constant(1_000), fc.integer({ min: 0, max: 100 })),
    at: fc.oneof(
      fc.integer({ min: 0, max: start - 2 * day }),
      fc.integer({ min: start + 300 * day, max: 253_402_300_799_999 }),
    ),
  }),
  { minLength: 1, maxLength: 1 },
);

function withLies(log: readonly Sale[], told: readonly { readonly place: number; readonly at: number }[]): Sale[] {
  const all = [...log];
  for (const [i, { place, at }] of told.entries()) all.splice(place, 0, { id: -1 - i, shop: LIAR, at, amount: 1e6 });
  return all;
}

/** Where the honest record of this number stands, so that both runs are cut at the same one. */
function placeOfHonest(log: readonly Sale[], number: number): number {
  let honest = 0;
  const place = log.findIndex(({ shop }) => shop !== LIAR && honest++ === number);
  return place < 0 ? log.length : place;
}

/** What each sink was given for the honest records; rows of windows in no order, since late windows may close together. */
async function results(logs: Readonly<Record<'a' | 'b', readonly Sale[]>>, cutAt: number): Promise<unknown> {
  const run = new TopologyTest(sales);
  try {
    for (const part of [0, 1]) {
      for (const [topic, log] of Object.entries(logs)) {
        const cut = placeOfHonest(log, cutAt);
        await run.pipe(topic, part === 0 ? log.slice(0, cut) : log.slice(cut));
      }
      await run.run(); // the second run goes on from the checkpoint of the first
    }
    await run.finish();
    return Object.fromEntries(
      sales.sinks.map(({ id }) => {
        const rows = run
          .output(id)
          .filter((row) => (row as Partial<Sale>).shop !== LIAR && (row as { key?: string }).key !== LIAR)
          .map((row) => JSON.stringify(row));
        return [id, id.endsWith('-hours') ? rows.sort() : rows];
      }),
    );
  } finally {
    await run.close();
  }
}

describe('records that lie about their time', () => {
  it('change nothing for the others, in 1,000 histories with one in a hundred of them', {
    timeout: 300_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        history,
        lies,
        lies,
        fc.integer({ min: 0, max: 100 }),
        async (a, b, liesOfA, liesOfB, cutAt) => {
          const told = await results({ a: withLies(a, liesOfA), b: withLies(b, liesOfB) }, cutAt);
          expect(told).toEqual(await results({ a, b }, cutAt));
        },
      ),
      { numRuns: 1_000, endOnFailure: true },
    );
  });
});
