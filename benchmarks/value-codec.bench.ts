/**
 * What does Confluent's wire format cost on top of Avro alone, encoding and decoding one flight?
 *
 * Raw `avsc` against `openCodec`, which adds the five bytes of the header, the check of the writer's schema and typed failures.
 */
import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { type FlightDeparted, FlightDepartedV1 } from '../schemas/flight-departed.v1.js';
import { localRegistry, openCodec } from '../src/schema/index.js';
import type { Benchmark } from './benchmark.js';
import { measurePairs } from './pairs.js';

const RECORDS = 500_000;

const flight = (index: number): FlightDeparted => ({
  flightId: index,
  departedAt: 978_307_200_000 + index * 1_000,
  utcOffsetMinutes: -300,
  origin: 'ATL',
  destination: 'ORD',
  distance: 606,
});

export const benchmark: Benchmark = async (progress) => {
  const flights = Array.from({ length: 1_000 }, (_, index) => flight(index));
  const type = avsc.Type.forSchema(JSON.parse(readFileSync(FlightDepartedV1.definition as URL, 'utf8')));
  const codec = await openCodec(FlightDepartedV1, localRegistry());
  const through = (encode: (value: FlightDeparted) => Uint8Array, decode: (bytes: Uint8Array) => unknown) => () => {
    let kept: unknown;
    for (let index = 0; index < RECORDS; index++) {
      kept = decode(encode(flights[index % flights.length] as FlightDeparted));
    }
    return kept === undefined ? 0 : RECORDS;
  };
  const raw = through(
    (value) => type.toBuffer(value),
    (bytes) => type.fromBuffer(bytes as Buffer),
  );
  const wire = through(
    (value) => codec.encode(value),
    (bytes) => codec.decode(bytes),
  );
  const { rates, ratio } = await measurePairs(
    [
      { name: 'raw avsc', work: raw },
      { name: 'wire codec', work: wire },
    ],
    {},
    progress,
  );
  return { unit: 'records/s, encoded and decoded', figures: rates, ratios: { 'wire codec through raw avsc': ratio } };
};
