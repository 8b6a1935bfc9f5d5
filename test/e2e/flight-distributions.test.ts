import { Session } from 'chdb';
import { beforeAll, describe, expect, it } from 'vitest';
import { flightFiles } from '../../examples/flights/flights.js';
import { days } from '../../src/core/index.js';
import { compareDistributions, type DistributionRow } from '../../src/index.js';
import { distancesOf } from '../../src/ml/distributions/distances.js';
import { addRow, type Distribution, emptyDistribution } from '../../src/ml/distributions/distribution.js';
import { nullThreshold } from '../../src/ml/distributions/null-threshold.js';
import { chiSquared, distributionsOf } from '../../src/ml.js';
import { driveOperator } from '../../src/testing.js';
import { generator } from '../random.js';

interface Flight {
  readonly month: number;
  readonly atMs: number;
  readonly hour: number;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
  /** A number from 0 to 9 that no season changes. */
  readonly draw: number;
}

let january: Flight[];
let june: Flight[];
beforeAll(() => {
  const session = new Session();
  try {
    const flights = session
      .query(
        `SELECT toMonth(date) AS month, toUnixTimestamp(date) * 1000 AS atMs, toHour(date) AS hour, delay, distance, origin, destination,
           sipHash64(date, delay, distance, origin, destination) % 10 AS draw
         FROM file('${flightFiles().flights}', Parquet)
         WHERE month IN (1, 6) AND cityHash64(date, delay, distance, origin, destination) % 8 = 0
         ORDER BY date, origin, destination, delay
         SETTINGS output_format_json_quote_64bit_integers = 0, session_timezone = 'UTC', max_threads = 1`,
        'JSONEachRow',
      )
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Flight);
    january = flights.filter(({ month }) => month === 1);
    june = flights.filter(({ month }) => month === 6);
  } finally {
    session.cleanup();
  }
}, 60_000);

const features = {
  delay: { number: (flight: Flight) => flight.delay },
  distance: { number: (flight: Flight) => flight.distance },
  hour: { category: (flight: Flight) => flight.hour },
  origin: { category: (flight: Flight) => flight.origin },
  destination: { category: (flight: Flight) => flight.destination },
  draw: { category: (flight: Flight) => flight.draw },
} as const;
const SEEDS = 200;

type Name = keyof typeof features;
const names = Object.keys(features) as Name[];
const byOf = (name: Name) => ('number' in features[name] ? 'kolmogorovSmirnov' : 'jensenShannon');

describe('distributions of flights', () => {
  it('are found to have changed from January to June where they have, and nowhere else', () => {
    const operator = compareDistributions<Flight>({
      features,
      every: days(61), // June lies in one of these
      reference: { rows: distributionsOf(january, { features }) },
    });
    const { emitted, failure } = driveOperator(
      operator,
      june.map((value) => ({ value, eventTimeMs: value.atMs })),
      { final: true },
    );
    expect(failure).toBeUndefined();
    const rows = emitted.map(({ value }) => value as DistributionRow);
    expect(rows).toHaveLength(names.length + 1);
    // What changed by a test that the operator does not use, over the same rows: by hours and airports, and by quarters of an hour.
    const groups = {
      ...features,
      delay: (flight: Flight) => Math.floor(flight.delay / 15),
      distance: (flight: Flight) => Math.floor(flight.distance / 100),
    };
    const changed = names.filter((name) => {
      const group = groups[name];
      const of = (flight: Flight) => (typeof group === 'function' ? group(flight) : group.category(flight));
      const keys = [...new Set([...january, ...june].map(of))];
      const counts = (flights: readonly Flight[]) => {
        const found = new Map<unknown, number>();
        for (const flight of flights) found.set(of(flight), (found.get(of(flight)) ?? 0) + 1);
        return keys.map((key) => found.get(key) ?? 0);
      };
      return chiSquared(counts(january), counts(june)).probability < 0.001;
    });
    const drifted = rows.filter((row) => row.drifted).map(({ feature }) => feature);
    expect(drifted).toEqual(expect.arrayContaining(['delay', 'origin', 'destination', 'all']));
    // That test is made for many rows, and finds more: a slight change of the distances.
    for (const feature of drifted) expect([...changed, 'all']).toContain(feature);
    expect(changed).not.toContain('draw');
  });

  it('do not change by chance more often than they may', () => {
    const of = (name: Name, rows: readonly Flight[]): Distribution => {
      const distribution = emptyDistribution(features[name] as never);
      for (const row of rows) addRow(distribution, features[name] as never, row);
      return distribution;
    };
    const some = january.filter((_, i) => i % 6 === 0);
    const [half, other] = [0, 1].map((side) => some.filter((_, i) => i % 2 === side)) as [Flight[], Flight[]];
    const thresholds = names.map((name) => nullThreshold(byOf(name), of(name, half), of(name, other)));
    const alarms: Record<string, number> = {};
    for (let seed = 1; seed <= SEEDS; seed++) {
      const next = generator(seed);
      const sides: [Flight[], Flight[]] = [[], []];
      for (const flight of some) sides[next() < 0.5 ? 0 : 1].push(flight);
      names.forEach((name, i) => {
        const distance = distancesOf(of(name, sides[0]), of(name, sides[1]))[byOf(name)] as number;
        if (distance > (thresholds[i] as number)) alarms[name] = (alarms[name] ?? 0) + 1;
      });
    }
    const comparisons = SEEDS * names.length;
    expect(Object.values(alarms).reduce((a, b) => a + b, 0)).toBeLessThan(comparisons / 1_000);
  });
});
