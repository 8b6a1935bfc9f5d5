import { readFileSync } from 'node:fs';
import avsc from 'avsc';

// Reads what Millrace wrote, and what it was given, without Millrace's own codecs: plain avsc over the schema files.

/** A record of a log, whoever read it. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: ReadonlyMap<string, string>;
}

export interface DepartedValue {
  readonly flightId: number;
  readonly departedAt: number;
  readonly utcOffsetMinutes: number;
  readonly origin: string | null;
  readonly destination: string | null;
  readonly distance: number | null;
}

export interface ArrivedValue {
  readonly flightId: number;
  readonly arrivedAt: number;
  readonly delayMinutes: number;
}

export interface PredictionValue {
  readonly flightId: number;
  readonly origin: string;
  readonly destination: string;
  readonly departedAt: number;
  readonly late: number;
  readonly hourRate: number;
  readonly lastClass: number;
  readonly majority: number;
  readonly modelVersion: string;
  readonly risk: number | null;
  readonly riskModel: string;
  readonly featuresDigest: string;
  readonly degraded: string | null;
}

const schemaText = (name: string): string =>
  readFileSync(new URL(`../../schemas/${name}.avsc`, import.meta.url), 'utf8');

/** avsc computes longs with twice their value, which is not exact any more from 2^52 on: these are, up to 2^53. */
const exactLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer(value: number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: Number.isSafeInteger,
  compare: (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0),
});
const typeOf = (name: string): avsc.Type =>
  avsc.Type.forSchema(JSON.parse(schemaText(name)) as avsc.Schema, { registry: { long: exactLong } });

const types = {
  departed: typeOf('flight-departed.v1'),
  arrived: typeOf('flight-arrived.v1'),
  prediction: typeOf('prediction.v1'),
};

export const schemaIdOf = (value: Buffer): number => value.readInt32BE(1);

/** The value after the five bytes of the wire format; throws where the body is not one whole value. */
function decoder<T>(type: avsc.Type): (value: Buffer) => T {
  return (value) => Object.assign({}, type.fromBuffer(value.subarray(5))) as T;
}

export const decodeDeparted = decoder<DepartedValue>(types.departed);
export const decodeArrived = decoder<ArrivedValue>(types.arrived);
export const decodePrediction = decoder<PredictionValue>(types.prediction);

/** A value in the wire format, under a schema id. */
export function encoded(type: 'departed' | 'arrived', schemaId: number, value: unknown): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return Buffer.concat([header, types[type].toBuffer(value)]);
}

export const placeOf = (topic: string, partition: number | string, offset: number | string): string =>
  `${topic}/${partition}/${offset}`;

/** Where a dead letter says that it came from, and why. */
export function letterOf({ headers }: LogRecord): { readonly place: string; readonly reason: string } {
  const [topic = '', partition = '', offset = '', reason = ''] = ['topic', 'partition', 'offset', 'reason'].map(
    (name) => headers.get(`millrace.${name}`),
  );
  return { place: placeOf(topic, partition, offset), reason };
}
