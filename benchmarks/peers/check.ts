import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import { FIRST_FLIGHT, type FlightPrediction } from './flights.js';
import { type Order, recordsOf } from './order.js';
import type { World } from './world.js';

/** How far two predictions of a flight may lie apart: the arithmetic is the same, the last bits of `exp` are not. */
const TOLERANCE = 1e-6;

/** What a run has written, in a form in which two can be compared. */
export interface Written {
  readonly records: number;
  /** Sum of the checksums of all keys and values but the predictions, whatever their order. */
  readonly checksum: number;
  /** Two numbers a flight, by its id; NaN where there is none. */
  readonly predictions: Float64Array;
}

/** Reads back what a run has committed. */
export async function writtenBy(world: World, { work, output, inputs }: Order): Promise<Written> {
  const flightsMax = work === 'flights' ? recordsOf(inputs) : 0;
  const predictions = new Float64Array(2 * flightsMax).fill(Number.NaN);
  let checksum = 0;
  const records = await world.read(output, ({ key, value }) => {
    assert(key && value, `a record without key or value in ${output}`);
    if (work !== 'flights') {
      checksum += crc32(value, crc32(key));
      return;
    }
    const { late, risk, ...facts } = JSON.parse(Buffer.from(value).toString()) as FlightPrediction;
    const at = 2 * (facts.flightId - FIRST_FLIGHT);
    assert(Number.isNaN(predictions[at]), `flight ${facts.flightId} was predicted twice`);
    predictions[at] = late;
    predictions[at + 1] = risk;
    checksum += crc32(JSON.stringify(facts), crc32(key));
  });
  return { records, checksum, predictions };
}

/** Throws where two runs of the same work have not written the same; says how far predictions lie apart. */
export function compare(a: Written, b: Written): string {
  assert.equal(b.records, a.records, 'records written');
  assert.equal(b.checksum, a.checksum, 'checksum of all keys and values');
  let apart = 0;
  a.predictions.forEach((prediction, at) => {
    const other = b.predictions[at] as number;
    assert.equal(
      Number.isNaN(other),
      Number.isNaN(prediction),
      `flight ${FIRST_FLIGHT + at / 2} is predicted by one only`,
    );
    if (!Number.isNaN(other)) apart = Math.max(apart, Math.abs(prediction - other));
  });
  assert(apart <= TOLERANCE, `predictions differ by up to ${apart}`);
  const predictions = a.predictions.length > 0 ? `, predictions equal within ${apart.toExponential(1)}` : '';
  return `${a.records.toLocaleString('en-US')} records alike${predictions}`;
}
