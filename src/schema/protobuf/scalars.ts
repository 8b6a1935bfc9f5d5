import { type ByteReader, unsafe } from '../bytes/byte-reader.js';
import { type ByteWriter, fitsFloat } from '../bytes/byte-writer.js';
import type { ProtobufValues } from './values.js';

/** How a scalar type is encoded, and its type in JavaScript. */
export interface Scalar {
  readonly wireType: 0 | 1 | 2 | 5;
  read(r: ByteReader): unknown;
  /** @throws Unrepresentable */
  write(w: ByteWriter, value: unknown): void;
  /** The value of an absent field; a new one each time if it is mutable. */
  zero(): unknown;
  isZero(value: unknown): boolean;
}

const number = (
  wireType: Scalar['wireType'],
  read: (r: ByteReader) => number,
  fits: (value: number) => boolean,
  write: (w: ByteWriter, value: number) => void,
  wanted: string,
): Scalar => ({
  wireType,
  read,
  write(w, value) {
    if (typeof value !== 'number' || !fits(value)) throw w.unrepresentable(value, wanted);
    write(w, value);
  },
  zero: () => 0,
  isZero: (value) => Object.is(value, 0),
});

const big = (
  wireType: Scalar['wireType'],
  read: (r: ByteReader) => bigint,
  signed: boolean,
  write: (w: ByteWriter, value: bigint) => void,
): Scalar => ({
  wireType,
  read,
  write(w, value) {
    const fits = typeof value === 'bigint' && (signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) === value;
    if (!fits) throw w.unrepresentable(value, `a bigint of 64 bits${signed ? '' : ', not negative'}`);
    write(w, value);
  },
  zero: () => 0n,
  isZero: (value) => value === 0n,
});

const isInt32 = (value: number): boolean => value === (value | 0);
const isUint32 = (value: number): boolean => value === value >>> 0;
const isSafe = (value: number): boolean => Number.isSafeInteger(value);
const isSafeUnsigned = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** A negative number takes ten bytes, like one of 64 bits. */
const writeSigned = (w: ByteWriter, value: number): void => {
  if (value >= 0) w.unsigned(value);
  else w.unsigned64(BigInt(value));
};

const safe = (value: bigint): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw unsafe();
  return number;
};

const narrow: Readonly<Record<string, Scalar>> = {
  double: number(
    1,
    (r) => r.double(),
    () => true,
    (w, value) => w.double(value),
    'a number',
  ),
  float: number(
    5,
    (r) => r.float(),
    fitsFloat,
    (w, value) => w.float(value),
    'a number that a float holds',
  ),
  int32: number(0, (r) => r.lower32(), isInt32, writeSigned, 'an int32'),
  uint32: number(
    0,
    (r) => r.lower32() >>> 0,
    isUint32,
    (w, value) => w.unsigned(value),
    'a uint32',
  ),
  sint32: number(
    0,
    (r) => {
      const bits = r.lower32();
      return (bits >>> 1) ^ -(bits & 1);
    },
    isInt32,
    (w, value) => w.zigzag(value),
    'an sint32',
  ),
  fixed32: number(
    5,
    (r) => r.fixed32(),
    isUint32,
    (w, value) => w.fixed32(value),
    'a fixed32',
  ),
  sfixed32: number(
    5,
    (r) => r.fixed32() | 0,
    isInt32,
    (w, value) => w.fixed32(value),
    'an sfixed32',
  ),
  bool: {
    wireType: 0,
    read: (r) => r.lower32() !== 0,
    write(w, value) {
      if (typeof value !== 'boolean') throw w.unrepresentable(value, 'a bool');
      w.byte(value ? 1 : 0);
    },
    zero: () => false,
    isZero: (value) => value === false,
  },
  string: {
    wireType: 2,
    read: (r) => r.text(r.unsigned()),
    write(w, value) {
      if (typeof value !== 'string') throw w.unrepresentable(value, 'a string');
      w.text(value, 0);
    },
    zero: () => '',
    isZero: (value) => value === '',
  },
  bytes: {
    wireType: 2,
    read: (r) => r.take(r.unsigned()),
    write(w, value) {
      if (!(value instanceof Uint8Array)) throw w.unrepresentable(value, 'bytes');
      w.unsigned(value.length);
      w.raw(value);
    },
    zero: () => Buffer.alloc(0),
    isZero: (value) => value instanceof Uint8Array && value.length === 0,
  },
};

const wanted = 'a whole number below 2^53';
const longsAsNumbers: Readonly<Record<string, Scalar>> = {
  int64: number(0, (r) => r.signed(), isSafe, writeSigned, wanted),
  uint64: number(
    0,
    (r) => r.unsigned(),
    isSafeUnsigned,
    (w, value) => w.unsigned(value),
    `${wanted}, not negative`,
  ),
  sint64: number(
    0,
    (r) => r.zigzag(),
    isSafe,
    (w, value) => w.zigzag(value),
    wanted,
  ),
  fixed64: number(
    1,
    (r) => safe(r.fixed64()),
    isSafeUnsigned,
    (w, value) => w.fixed64(BigInt(value)),
    `${wanted}, not negative`,
  ),
  sfixed64: number(
    1,
    (r) => safe(BigInt.asIntN(64, r.fixed64())),
    isSafe,
    (w, value) => w.fixed64(BigInt(value)),
    wanted,
  ),
};

const longsAsBigints: Readonly<Record<string, Scalar>> = {
  int64: big(
    0,
    (r) => BigInt.asIntN(64, r.unsigned64()),
    true,
    (w, value) => w.unsigned64(value),
  ),
  uint64: big(
    0,
    (r) => r.unsigned64(),
    false,
    (w, value) => w.unsigned64(value),
  ),
  sint64: big(
    0,
    (r) => r.zigzag64(),
    true,
    (w, value) => w.zigzag64(value),
  ),
  fixed64: big(
    1,
    (r) => r.fixed64(),
    false,
    (w, value) => w.fixed64(value),
  ),
  sfixed64: big(
    1,
    (r) => BigInt.asIntN(64, r.fixed64()),
    true,
    (w, value) => w.fixed64(value),
  ),
};

/** The scalar type of a name, such as `sint64`; `undefined` for other names. */
export const scalarOf = (type: string, { long }: ProtobufValues): Scalar | undefined =>
  narrow[type] ?? (long === 'bigint' ? longsAsBigints : longsAsNumbers)[type];
