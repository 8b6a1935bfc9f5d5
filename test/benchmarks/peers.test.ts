import { describe, expect, it } from 'vitest';
import { measureInTurn, ratioOf } from '../../benchmarks/pairs.js';
import { compare, type Written } from '../../benchmarks/peers/check.js';
import { FlightLog, type FlightRecord } from '../../benchmarks/peers/flights.js';
import { partitionOf } from '../../src/core/partition.js';

describe('what two peers have written', () => {
  const written = (changes: Partial<Written> = {}): Written => ({
    records: 2,
    checksum: 7,
    predictions: Float64Array.of(0.25, 0.5, Number.NaN, Number.NaN, 0.75, 0.5),
    ...changes,
  });

  it('is alike where only the last bits of predictions differ', () => {
    const other = written({ predictions: Float64Array.of(0.25 + 1e-12, 0.5, Number.NaN, Number.NaN, 0.75, 0.5) });
    expect(compare(written(), other)).toMatch(/^2 records alike, predictions equal within 1\.0e-12$/);
  });

  it.each([
    ['a record more', { records: 3 }, 'records written'],
    ['another byte', { checksum: 8 }, 'checksum'],
    ['another prediction', { predictions: Float64Array.of(0.25, 0.5, NaN, NaN, 0.75, 0.501) }, 'differ by up to 0.001'],
    ['another flight', { predictions: Float64Array.of(0.25, 0.5, 0.75, 0.5, NaN, NaN) }, 'by one only'],
  ])('is not alike with %s', (_name, changes, message) => {
    expect(() => compare(written(), written(changes))).toThrow(message);
  });
});

describe('the log of flights', () => {
  it('is of any length, keyed by route, in the order of time, one record in a hundred a copy', async () => {
    const log = await FlightLog.open(1_000);
    const ids: number[] = [];
    const timesMs = new Map<number, number>();
    for (const { partition, records } of log.parts(2_500, 4, 50)) {
      for (const { key, value, timestampMs } of records) {
        const flight = JSON.parse(Buffer.from(value ?? []).toString()) as FlightRecord;
        expect(Buffer.from(key ?? []).toString()).toBe(`${flight.origin}-${flight.destination}`);
        expect([partition, flight.departedAt]).toEqual([partitionOf(key as Uint8Array, 4), timestampMs]);
        expect(timestampMs).toBeGreaterThanOrEqual(timesMs.get(partition) ?? 0);
        timesMs.set(partition, timestampMs);
        ids.push(flight.flightId);
      }
    }
    expect(ids).toHaveLength(2_500);
    expect(new Set(ids).size).toBe(2_500 - 24);
  });
});

describe('measurements in turn', () => {
  it('go round all contestants, and compare runs of one round', async () => {
    const order: string[] = [];
    const contestant = (name: string, seconds: number) => ({
      name,
      work: () => {
        order.push(name);
        return { records: 100, seconds: seconds * order.length, cpuSeconds: 1 };
      },
    });
    const contestants = [contestant('a', 1), contestant('b', 1), contestant('c', 1)];
    const { runs } = await measureInTurn(contestants, { rounds: 2, warmUps: 1 });
    expect(order.join('')).toBe('abcabcabc');
    // The runs that count took 4, 5, 6 and then 7, 8, 9 seconds.
    expect(ratioOf(runs, 'c', 'a', ({ seconds }) => seconds)).toEqual({
      median: (6 / 4 + 9 / 7) / 2,
      low: 9 / 7,
      high: 6 / 4,
    });
  });
});
