import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../src/core/partition.js';
import { TopologyTest } from '../../src/testing.js';
import { check, type Topology } from '../../src/topology/index.js';
import { type NexmarkEvent, nexmarkEvents } from '../../topologies/nexmark/generator.js';
import { q0 } from '../../topologies/nexmark/q0.js';
import { q1 } from '../../topologies/nexmark/q1.js';
import { q2 } from '../../topologies/nexmark/q2.js';
import { q3 } from '../../topologies/nexmark/q3.js';
import { q4 } from '../../topologies/nexmark/q4.js';
import { q5 } from '../../topologies/nexmark/q5.js';
import { q6 } from '../../topologies/nexmark/q6.js';
import { q7 } from '../../topologies/nexmark/q7.js';
import { q8 } from '../../topologies/nexmark/q8.js';
import { q11 } from '../../topologies/nexmark/q11.js';
import { q12 } from '../../topologies/nexmark/q12.js';

const PARTITIONS = 2;
// A hundred events a second for two minutes, up to two seconds out of order.
const events = nexmarkEvents({ events: 12_000, seed: 7, everyMs: 10, disorderMs: 2_000, startMs: 1_750_000_000_000 });

let folder: string;
let session: Session;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
  session = new Session(join(folder, 'tables'));
  for (const kind of ['persons', 'auctions', 'bids'] as const) {
    const file = join(folder, `${kind}.ndjson`);
    const rows = events.filter((event) => event.kind === kind);
    writeFileSync(file, rows.map(({ value, arrivalMs }) => JSON.stringify({ ...value, arrivalMs })).join('\n'));
    session.query(`CREATE TABLE ${kind} ENGINE = Memory AS SELECT * FROM file('${file}', JSONEachRow)`);
  }
});
afterAll(() => {
  session.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

type Row = Readonly<Record<string, unknown>>;
const sql = (query: string): Row[] =>
  session
    .query(`${query} SETTINGS output_format_json_quote_64bit_integers = 0`, 'JSONEachRow')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);

const keyOf = ({ kind, value }: NexmarkEvent): string => String(kind === 'bids' ? value.auction : value.id);

/** What a query's sink has got when all events have come and nothing will follow. */
async function outputOf(topology: Topology): Promise<unknown[]> {
  const test = new TopologyTest(topology, { partitions: PARTITIONS });
  for (const event of events) {
    if (!topology.sources.some(({ id }) => id === event.kind)) continue;
    test.clock.advance(event.arrivalMs - test.clock.now());
    await test.pipe(event.kind, [event.value], partitionOf(Buffer.from(keyOf(event)), PARTITIONS));
  }
  await test.finish();
  expect(test.deadLetters()).toEqual([]);
  const output = test.output('out');
  await test.close();
  return output;
}

const inOrder = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
const rounded = (value: number) => Number(value.toPrecision(12));

/** Queries whose rows are final when they are emitted. */
const appended: readonly [name: string, topology: Topology, query: string, rowOf?: (out: never) => Row | Row[]][] = [
  ['q0', q0, 'SELECT * EXCEPT arrivalMs FROM bids'],
  [
    'q1',
    q1,
    'SELECT auction, bidder, price * 0.908 AS price, dateTime FROM bids',
    (out: { price: number }) => ({ ...out, price: rounded(out.price) }),
  ],
  ['q2', q2, 'SELECT auction, price FROM bids WHERE auction % 123 = 0'],
  [
    'q3',
    q3,
    `SELECT name, city, state, a.id AS id FROM auctions a JOIN persons p ON a.seller = p.id
     WHERE a.category = 10 AND state IN ('OR', 'ID', 'CA')`,
  ],
  [
    'q5',
    q5,
    `WITH hops AS (
       SELECT auction, arrayJoin(arrayMap(i -> (intDiv(dateTime, 2000) - i) * 2000, range(5))) AS startMs FROM bids),
     counted AS (SELECT startMs, auction, count() AS bids FROM hops GROUP BY startMs, auction)
     SELECT startMs + 10000 AS endMs, auction, bids FROM counted
     WHERE (startMs, bids) IN (SELECT startMs, max(bids) FROM counted GROUP BY startMs)`,
    ({ endMs, hottest }: { endMs: number; hottest: { values: { key: number; bids: number }[] } }) =>
      hottest.values.map(({ key, bids }) => ({ endMs, auction: key, bids })),
  ],
  [
    'q7',
    q7,
    `SELECT auction, bidder, price, dateTime FROM bids
     WHERE (intDiv(dateTime, 10000), price) IN (SELECT intDiv(dateTime, 10000), max(price) FROM bids GROUP BY 1)`,
    ({ highest }: { highest: { values: { auction: number; bidder: number; price: number; dateTime: number }[] } }) =>
      highest.values.map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price, dateTime })),
  ],
  [
    'q8',
    q8,
    `SELECT DISTINCT p.id AS id, name, intDiv(p.dateTime, 10000) * 10000 AS startMs FROM persons p
     JOIN auctions a ON a.seller = p.id AND intDiv(a.dateTime, 10000) = intDiv(p.dateTime, 10000)`,
  ],
  [
    'q11',
    q11,
    `SELECT bidder AS key, session[1] AS startMs, session[-1] + 10000 AS endMs, length(session) AS bids FROM (
       SELECT bidder, arrayJoin(arraySplit((at, pause) -> pause >= 10000, times, arrayDifference(times))) AS session
       FROM (SELECT bidder, arraySort(groupArray(dateTime)) AS times FROM bids GROUP BY bidder))`,
  ],
  [
    'q12',
    q12,
    `SELECT bidder AS key, intDiv(arrivalMs, 10000) * 10000 AS startMs, startMs + 10000 AS endMs, count() AS bids
     FROM bids GROUP BY bidder, startMs`,
  ],
];

const closed = `SELECT a.id AS id, any(a.category) AS category, any(a.seller) AS seller, any(a.expires) AS expires, max(b.price) AS price
  FROM auctions a JOIN bids b ON b.auction = a.id WHERE b.dateTime BETWEEN a.dateTime AND a.expires GROUP BY a.id`;

describe('Nexmark', () => {
  it.each([...appended.map(([, topology]) => topology), q4, q6])('$name has no problems', (topology) => {
    expect(check(topology)).toEqual([]);
  });

  it.each(appended)('%s gives, row for row, what SQL gives', async (_, topology, query, rowOf = (out) => out) => {
    const output = await outputOf(topology);
    const rows = sql(query).map((row) => ('price' in row ? { ...row, price: rounded(row.price as number) } : row));
    expect(rows.length).toBeGreaterThan(5);
    expect(inOrder(output.flatMap((out) => rowOf(out as never)))).toEqual(inOrder(rows));
  });

  it('q4 ends with the averages that SQL gives, and every correction takes back what was said', async () => {
    const said = new Map<number, number>();
    for (const out of await outputOf(q4)) {
      const { before, after } = out as Readonly<Record<'before' | 'after', { key: number; price: number } | null>>;
      if (before) expect(said.get(before.key)).toBe(before.price);
      if (after) said.set(after.key, after.price);
    }
    const rows = sql(`SELECT category, avg(price) AS price FROM (${closed}) GROUP BY category`);
    expect(rows.length).toBe(5);
    expect(inOrder([...said].map(([category, price]) => ({ category, price: rounded(price) })))).toEqual(
      inOrder(rows.map(({ category, price }) => ({ category, price: rounded(price as number) }))),
    );
  });

  it('q6 ends with the averages that SQL gives', async () => {
    const said = new Map<number, number>();
    for (const out of await outputOf(q6)) {
      const { seller, price } = out as { seller: number; price: number };
      said.set(seller, price);
    }
    const rows = sql(`SELECT seller, avg(price) AS price FROM (
      SELECT seller, price, row_number() OVER (PARTITION BY seller ORDER BY expires DESC, id DESC) AS place FROM (${closed}))
      WHERE place <= 10 GROUP BY seller`);
    expect(rows.length).toBeGreaterThan(20);
    expect(inOrder([...said].map(([seller, price]) => ({ seller, price: rounded(price) })))).toEqual(
      inOrder(rows.map(({ seller, price }) => ({ seller, price: rounded(price as number) }))),
    );
  });
});
