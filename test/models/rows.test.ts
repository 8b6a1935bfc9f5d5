import { describe, expect, test } from 'vitest';
import { arrivalSecond, departedMs, type Flights } from '../../examples/flights/flights.js';
import { partitions } from '../../examples/flights/names.js';
import { entryAt, planLoad } from '../../examples/flights/plan.js';
import { npyBytes } from '../../models/risk/npy.js';
import { factNames, type TrainingRows, trainingRows } from '../../models/risk/rows.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { partitionOf } from '../../src/core/partition.js';
import { createInference } from '../../src/inference/index.js';
import { TopologyTest } from '../../src/testing.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import { someFlights } from '../examples/flights/fixtures.js';

/** The dense features of each flight, by its id. */
function byFlight({ rows, names, dense, facts }: TrainingRows): Map<number, Float32Array> {
  const width = names.length;
  return new Map(
    Array.from({ length: rows }, (_, row) => [
      facts[row * factNames.length] ?? -1,
      dense.subarray(row * width, (row + 1) * width),
    ]),
  );
}

/** Runs the topology itself over the flights, without corruption. */
async function streamed(flights: Flights): Promise<Prediction[]> {
  const bench = new TopologyTest(flightDelays, { partitions });
  const text = new TextEncoder();
  const place = (flight: number) => partitionOf(text.encode(airportOf(flights, flight)), partitions);
  const { departed, arrived } = planLoad(flights, { seed: 0, clean: true });
  try {
    for (let n = 0; n < departed.order.length; n++) {
      const { flight } = entryAt(departed, n);
      const row = {
        flightId: flight,
        departedAt: departedMs(flights, flight),
        utcOffsetMinutes: flights.utcOffsetMinutes[flight],
        origin: airportOf(flights, flight),
        destination: flights.airports[flights.destination[flight] ?? 0],
        distance: flights.distanceMiles[flight],
      };
      await bench.pipe('departed', [row], place(flight));
    }
    for (let n = 0; n < arrived.order.length; n++) {
      const { flight, second } = entryAt(arrived, n);
      const row = { flightId: flight, arrivedAt: second * 1_000, delayMinutes: flights.delayMinutes[flight] };
      await bench.pipe('arrived', [row], place(flight));
    }
    await bench.run();
    expect(bench.deadLetters()).toEqual([]);
    return bench.output('predictions') as Prediction[];
  } finally {
    await bench.close();
  }
}

const airportOf = (flights: Flights, flight: number): string => flights.airports[flights.origin[flight] ?? 0] ?? '';

describe('the rows that the risk model is trained on', () => {
  test('are those that the running topology scores, bit for bit', async () => {
    const flights = someFlights(3_000);
    const exported = trainingRows(flights);
    const inference = createInference();
    try {
      const model = new URL('../../models/risk/risk.onnx', import.meta.url);
      const risk = await inference.open({ model, batchMax: 64, waitMax: 1, providers: ['cpu'] });
      const width = risk.inputs[0]?.shape[0] ?? 0;
      const { scores } = await risk.run(exported.rows, (row, [into], place) => {
        (into as Float32Array).set(exported.dense.subarray(row * width, (row + 1) * width), place * width);
      });
      const expected = new Map(
        Array.from({ length: exported.rows }, (_, row) => [
          exported.facts[row * factNames.length],
          scores[row * 2 + 1],
        ]),
      );
      const predictions = await streamed(flights);
      expect(predictions).toHaveLength(flights.size);
      expect(new Map(predictions.map(({ flightId, risk }) => [flightId, risk]))).toEqual(expected);
      expect(new Set(scores).size).toBeGreaterThan(1_000);
    } finally {
      await inference.close();
    }
  });

  test('know nothing of what arrived later', () => {
    const flights = someFlights(3_000);
    const before = byFlight(trainingRows(flights));
    const moment = arrivalSecond(flights, 1_500);
    const delayMinutes = flights.delayMinutes.map((delay, id) =>
      arrivalSecond(flights, id) >= moment ? (delay + 77) % 300 : delay,
    );
    const after = byFlight(trainingRows({ ...flights, delayMinutes }));
    let changed = 0;
    for (const [flight, dense] of before) {
      if (departedMs(flights, flight) <= moment * 1_000) expect(after.get(flight)).toEqual(dense);
      else if (after.get(flight)?.some((value, i) => value !== dense[i])) changed++;
    }
    expect(changed).toBeGreaterThan(100);
  });

  test('leave out flights whose delay is absurd', () => {
    const flights = someFlights(100);
    flights.delayMinutes[7] = -953;
    expect(byFlight(trainingRows(flights)).has(7)).toBe(false);
    expect(trainingRows(flights).rows).toBe(99);
  });
});

test('npy files have a header that ends at a multiple of 64, and say what they hold', () => {
  const [header = new Uint8Array(), numbers] = npyBytes(Float32Array.of(1, 2, 3, 4, 5, 6), 3);
  expect(header.length % 64).toBe(0);
  const text = Buffer.from(header).toString('latin1');
  expect(text.slice(0, 8)).toBe('\x93NUMPY\x01\x00');
  expect(text.slice(10)).toMatch(/^{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), } *\n$/);
  expect(header[8]).toBe(header.length - 10);
  expect(numbers).toHaveLength(24);
});
