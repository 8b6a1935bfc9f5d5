import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import type { FlightPrediction } from './flights.js';
import type { Order } from './order.js';
import type { World } from './world.js';

/** How far two predictions of a flight may lie apart: the arithmetic is the same, the last bits of `exp` are not. */
const TOLERANCE = 1e-6;

/** What a run has written, in a form in which two can be compared. */
export interface Written {
  readonly records: number;
  /** Sum of the checksums of all keys and values, whatever their order. */
  readonly checksum: number;
  /** By flight; of the flights' work only. */
  readonly predictions: ReadonlyMap<number, FlightPrediction>;
}

/** Reads back what a run has committed. */
export async function writtenBy(world: World, { work, output }: Order): Promise<Written> {
  const predictions = new Map<number, FlightPrediction>();
  let checksum = 0;
  const records = await world.read(output, ({ key, value }) => {
    if (!key || !value) throw new Error(`a record without key or value in ${output}`);
    if (work !== 'flights') {
      checksum += crc32(value, crc32(key));
      return;
    }
    const prediction = JSON.parse(Buffer.from(value).toString()) as FlightPrediction;
    predictions.set(prediction.flightId, prediction);
  });
  return { records, checksum, predictions };
}

/** Throws where two runs of the same work have not written the same; says how far predictions lie apart. */
export function compare(a: Written, b: Written): string {
  assert.equal(b.records, a.records, 'records written');
  assert.equal(b.checksum, a.checksum, 'checksum of all keys and values');
  let apart = 0;
  for (const [flightId, { late, risk, ...facts }] of a.predictions) {
    const other = b.predictions.get(flightId);
    assert(other, `flight ${flightId} is missing`);
    const { late: otherLate, risk: otherRisk, ...otherFacts } = other;
    assert.deepEqual(otherFacts, facts);
    apart = Math.max(apart, Math.abs(late - otherLate), Math.abs(risk - otherRisk));
  }
  assert(apart <= TOLERANCE, `predictions differ by up to ${apart}`);
  assert(a.predictions.size === 0 || a.predictions.size === a.records, 'a flight is predicted once');
  const predictions = a.predictions.size > 0 ? `, predictions equal within ${apart.toExponential(1)}` : '';
  return `${a.records.toLocaleString('en-US')} records alike${predictions}`;
}
