import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { partitionOf } from '../../src/core/partition.js';
import { days } from '../../src/index.js';
import { evaluationSql } from '../../src/ml.js';
import { openEmbedded } from '../../src/profiles/embedded/index.js';
import { localRegistry, openCodec } from '../../src/schema/index.js';
import { flightMetrics } from '../../topologies/flight-evaluation.js';
import { read } from '../docs/generated.js';
import { generator } from '../random.js';
import { runBuilt, startBuilt } from './cli.js';
import { readEmbedded, type Sql, withTables } from './embedded.js';
import { expectNear, figures, type Judged, type Row } from './figures.js';
import { arrivalOf, departureOf, firstFlights } from './real-flights.js';

// Four tasks evaluate flights while their process is killed again and again. What the tables have in the end is held to one loop over
// the whole log. Killed 30 times: MILLRACE_EVALUATION_KILLS=30 npx vitest run --project integration test/e2e/flight-evaluation-run.test.ts

const KILLS = Number(process.env.MILLRACE_EVALUATION_KILLS ?? 3);
const PARTITIONS = 4;
/** Every twelfth flight of half a month, so that there are several weeks. */
const [FLIGHTS, EVERY] = [240_000, 12];
const WEEK_MS = 7 * 86_400_000;
const BINS = 128;

interface Predicted {
  readonly flightId: number;
  readonly origin: string;
  readonly localHour: number;
  readonly departedMs: number;
  readonly late: number;
}

let data: string;
/** By flight: whether it was late in truth. */
const truth = new Map<number, boolean>();
let wrong = 0;
let kills = 0;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'millrace-flight-evaluation-'));
  const flights = await firstFlights(FLIGHTS);
  const next = generator(5);
  const departed: { key: string; timeMs: number; value: ReturnType<typeof departureOf> }[] = [];
  const arrived: { key: string; timeMs: number; value: ReturnType<typeof arrivalOf> }[] = [];
  for (let id = 0; id < flights.size; id += EVERY) {
    const departure = departureOf(flights, id);
    const arrival = arrivalOf(flights, id);
    const key = departure.origin ?? '';
    departed.push({ key, timeMs: departure.departedAt, value: departure });
    truth.set(id, arrival.delayMinutes >= 15);
    // Of 5 % the first label is wrong; the right one comes a day later.
    const isWrong = next() < 0.05;
    const delayMinutes = arrival.delayMinutes >= 15 ? 0 : 100;
    if (isWrong) {
      wrong++;
      const arrivedAt = arrival.arrivedAt + days(1);
      arrived.push({ key, timeMs: arrivedAt, value: { ...arrival, arrivedAt } });
    }
    arrived.push({ key, timeMs: arrival.arrivedAt, value: isWrong ? { ...arrival, delayMinutes } : arrival });
  }
  const store = await openEmbedded({ path: join(data, 'log'), registry: localRegistry() });
  try {
    const fill = async <T>(
      topic: string,
      codec: { encode(value: T): Uint8Array },
      rows: { readonly key: string; readonly timeMs: number; readonly value: T }[],
    ): Promise<void> => {
      await store.producer().createTopic(topic, PARTITIONS);
      rows.sort((a, b) => a.timeMs - b.timeMs);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const own = rows
          .map(({ key, timeMs, value }) => ({ key: Buffer.from(key), timestampMs: timeMs, value: codec.encode(value) }))
          .filter(({ key }) => partitionOf(key, PARTITIONS) === partition);
        await store.append(topic, partition, own);
      }
    };
    await fill('flights.departed.v1', await openCodec(FlightDepartedV1, store.schemas), departed);
    await fill('flights.arrived.v1', await openCodec(FlightArrivedV1, store.schemas), arrived);
  } finally {
    await store.close();
  }
  const args = ['run', 'topologies/flight-evaluation.ts', '--until-end', '--drain', '--data', data];
  for (let waitMs = 1_500; kills < KILLS; waitMs += 100) {
    const { child, ended } = startBuilt(args);
    const timer = setTimeout(() => child.kill('SIGKILL'), waitMs + 1_000 * next());
    const { signal, code, err } = await ended;
    clearTimeout(timer);
    if (signal !== 'SIGKILL') {
      expect(code, err).toBe(0);
      break;
    }
    kills++;
  }
  await runBuilt(args);
});
afterAll(() => rm(data, { recursive: true, force: true }));

const inTables = <T>(use: (sql: Sql) => T): T => withTables(data, use);

/** The log by one loop: predictions by group. */
function loop(predictions: readonly Predicted[], groupOf: (row: Predicted) => string): Map<string, Judged[]> {
  const groups = new Map<string, Judged[]>();
  for (const row of predictions) {
    const name = groupOf(row);
    const group = groups.get(name) ?? [];
    group.push({ p: row.late, late: truth.get(row.flightId) as boolean });
    groups.set(name, group);
  }
  return groups;
}

const predictionsIn = (sql: Sql): Predicted[] =>
  sql<Predicted>(
    'SELECT flightId, origin, localHour, toUnixTimestamp64Milli(departedAt) AS departedMs, late FROM flight_evaluation_predictions',
  );

it('SQL over the rows of four tasks gives what a single loop over the log gives, after kills too', () =>
  inTables((sql) => {
    expect(kills).toBe(KILLS);
    const predictions = predictionsIn(sql);
    expect(predictions.length).toBe(truth.size);
    const slices = {
      all: () => '',
      origin: ({ origin }: Predicted) => origin,
      hour: ({ localHour: hour }: Predicted) => String(hour),
    };
    let groups = 0;
    for (const [slice, of] of Object.entries(slices)) {
      const whole = { value: 'value' };
      const byWeek = { value: 'value', week: `intDiv(startMs, ${WEEK_MS})` };
      for (const by of [whole, byWeek] as const) {
        const week = ({ departedMs }: Predicted) => ('week' in by ? `/${Math.floor(departedMs / WEEK_MS)}` : '');
        const expected = loop(predictions, (row) => of(row) + week(row));
        const table = { table: 'flight_quality', where: `slice = '${slice}'`, by };
        const rows = sql<Row>(evaluationSql(flightMetrics, table));
        expect(rows.length).toBe(expected.size);
        for (const row of rows) {
          const name = row.value + ('week' in by ? `/${row.week}` : '');
          const group = expected.get(name) as Judged[];
          const { ece, ...others } = figures(group, (p) => Math.floor(BINS * p));
          expectNear(row, { ...others, calibration: ece as number }, `${slice} ${name}`);
          expect(row).toMatchObject({ predicted: group.length, labelled: group.length, coverage: 1 });
          groups++;
        }
      }
    }
    expect(groups).toBeGreaterThan(500);
    const [total] = sql<{ corrected: number; tasks: number }>(`${evaluationSql({}, { table: 'flight_quality' })}`);
    expect(total?.corrected).toBe(wrong);
    const [{ tasks } = { tasks: 0 }] = sql<{ tasks: number }>('SELECT uniqExact(task) AS tasks FROM flight_quality');
    expect(tasks).toBe(PARTITIONS);
  }));

it('hashes have the last row of the tables', async () => {
  const { hashes, topics } = await readEmbedded(data);
  const fieldsOf = (row: Row) =>
    Object.fromEntries(Object.entries(row).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])));
  const under = (prefix: string) => [...hashes.keys()].filter((key) => key.startsWith(prefix));
  inTables((sql) => {
    const rows = sql<Row>(
      'SELECT * EXCEPT sums FROM flight_quality ORDER BY startMs DESC, atMs DESC LIMIT 1 BY task, slice, value, version',
    );
    expect(rows.length).toBeGreaterThan(100);
    expect(under('flight-quality:').length).toBe(rows.length);
    for (const row of rows) {
      const { task, slice, value, version } = row;
      expect(hashes.get(`flight-quality:${task}:${slice}:${value}:${version}`)).toEqual(fieldsOf(row));
    }
    const metrics = sql<Row>(
      `SELECT topology, step, task, name, slice, version, toUnixTimestamp64Milli(eventTime) AS eventTimeMs, value
       FROM flight_evaluation_metrics ORDER BY eventTime DESC LIMIT 1 BY topology, step, task, name, slice, version`,
    );
    expect(under('flight-metrics:').length).toBe(metrics.length);
    for (const row of metrics) {
      const { topology, step, task, name, slice, version } = row;
      const key = `flight-metrics:${[topology, step, task, name, slice, version].join(':')}`;
      expect(hashes.get(key), key).toEqual(fieldsOf(row));
    }
    const [{ n } = { n: 0 }] = sql<{ n: number }>('SELECT count() AS n FROM flight_quality');
    expect(topics.get('flight-evaluation.scores')?.length).toBeGreaterThanOrEqual(n);
  });
  expect(topics.get('flight-evaluation.predictions')?.length).toBe(truth.size);
});

it('the queries of the guide say where the model is worst, since when, and how sure that is', () =>
  inTables((sql) => {
    const queries = [...read('docs/guide/evaluation.md').matchAll(/```sql\n(-- [^`]*)```/g)].map(([, query]) => query);
    expect(queries.length).toBe(3);
    const [worst = [], since = [], sure = []] = queries.map((query) => sql<Row>(query as string));
    const predictions = predictionsIn(sql);
    const byOrigin = loop(predictions, ({ origin }) => origin);
    const losses = [...byOrigin]
      .filter(([, group]) => group.length >= 200)
      .map(([origin, group]) => ({ origin, flights: group.length, loss: figures(group).loss as number }))
      .sort((a, b) => b.loss - a.loss);
    expect(worst.map(({ origin }) => origin)).toEqual(losses.slice(0, 10).map(({ origin }) => origin));
    worst.forEach((row, i) => {
      expectNear(row, { flights: losses[i]?.flights as number, loss: losses[i]?.loss as number }, `worst ${i}`);
    });
    const byDay = loop(
      predictions.filter(({ origin }) => origin === 'SFO'),
      ({ departedMs }) => new Date(departedMs).toISOString().slice(0, 10),
    );
    expect(since.length).toBe(byDay.size);
    for (const { day, loss } of since)
      expectNear(
        { loss: loss as number },
        { loss: figures(byDay.get(day as string) as Judged[]).loss as number },
        `${day}`,
      );
    const byHour = loop(predictions, (row) => String(row.localHour));
    expect(sure.length).toBe(byHour.size);
    for (const { hour, low, right, high } of sure) {
      const group = byHour.get(String(hour)) as Judged[];
      const share = figures(group).right as number;
      expectNear({ right: right as number }, { right: share }, `${hour}`);
      // Wilson's interval by its definition: the shares from which the one seen is 1.96 deviations away.
      for (const end of [low, high] as number[])
        expect((share - end) ** 2 * group.length).toBeCloseTo(1.96 ** 2 * end * (1 - end), 9);
      expect(low as number).toBeLessThanOrEqual(share + 1e-12);
      expect(high as number).toBeGreaterThanOrEqual(share - 1e-12);
    }
  }));
