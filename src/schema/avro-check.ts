import avsc from 'avsc';
import { DecodeFailure } from './decode-failure.js';

// avsc reads on past the end of a buffer and looks only at the end whether it did: a block count of 2^31 in ten bytes
// keeps it busy for minutes, an `int` of 60 bits comes out as some number. So a payload is walked once before avsc
// reads it: every length against the bytes that are there, every number against its type. The walk costs about a
// third of the reading.

/** Nesting beyond this is an attack or a bug; stacks end at some ten thousand. */
const DEPTH_MAX = 64;
/** Items without bytes (nulls, empty records) cost a payload nothing, so they are counted. */
const EMPTY_ITEMS_MAX = 65_536;

interface Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
  depth: number;
  emptyItems: number;
}

type Walk = (cursor: Cursor) => void;

/**
 * Compiles a check that a payload of this writer type, from `start` on, is whole and within bounds: it throws a
 * `DecodeFailure` or returns, in time and memory linear in the payload's length.
 *
 * @example
 * const check = compileCheck(avsc.Type.forSchema('long'));
 * check(Uint8Array.of(2), 0);
 */
export function compileCheck(type: avsc.Type): (bytes: Uint8Array, start: number) => void {
  const walk = compile(type, new Map());
  return (bytes, start) => {
    const cursor: Cursor = { bytes, end: bytes.length, at: start, depth: 0, emptyItems: 0 };
    walk(cursor);
    if (cursor.at !== cursor.end) {
      throw new DecodeFailure('trailing-bytes', `${cursor.end - cursor.at} bytes follow the value`);
    }
  };
}

function compile(type: avsc.Type, named: Map<avsc.Type, Walk>): Walk {
  const known = named.get(type);
  if (known !== undefined) return known;
  const { types } = avsc;
  if (type instanceof types.RecordType) return recordWalk(type, named);
  if (type instanceof types.ArrayType) return blocksWalk(compile(type.itemsType, named));
  if (type instanceof types.MapType) return blocksWalk(entryWalk(compile(type.valuesType, named)));
  if (type instanceof types.UnwrappedUnionType || type instanceof types.WrappedUnionType) {
    return unionWalk(type.types.map((branch) => compile(branch, named)));
  }
  if (type instanceof types.EnumType) return enumWalk(type.symbols.length);
  if (type instanceof types.FixedType) return fixedWalk(type.size);
  const walk = primitives.get(type.typeName);
  if (walk === undefined) throw new DecodeFailure('schema-incompatible', `no way to read a ${type.typeName}`);
  return walk;
}

function recordWalk(type: avsc.types.RecordType, named: Map<avsc.Type, Walk>): Walk {
  const fields: Walk[] = [];
  const walk: Walk = (cursor) => {
    enter(cursor);
    for (let i = 0; i < fields.length; i++) (fields[i] as Walk)(cursor);
    cursor.depth--;
  };
  named.set(type, walk); // before its fields, which may be of this type
  for (const field of type.fields) fields.push(compile(field.type, named));
  return walk;
}

/** Arrays and maps: blocks of items, each with its count (negative: a size in bytes follows), up to a count of 0. */
function blocksWalk(item: Walk): Walk {
  return (cursor) => {
    enter(cursor);
    for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
      if (count < 0) {
        count = -count;
        readLong(cursor);
      }
      if (count > cursor.end - cursor.at + EMPTY_ITEMS_MAX) {
        throw new DecodeFailure('too-large', `${count} items in ${cursor.end - cursor.at} bytes`);
      }
      for (let i = 0; i < count; i++) {
        const before = cursor.at;
        item(cursor);
        if (cursor.at === before && ++cursor.emptyItems > EMPTY_ITEMS_MAX) {
          throw new DecodeFailure('too-large', `more than ${EMPTY_ITEMS_MAX} items without bytes`);
        }
      }
    }
    cursor.depth--;
  };
}

const entryWalk =
  (value: Walk): Walk =>
  (cursor) => {
    skipSized(cursor);
    value(cursor);
  };

const unionWalk =
  (branches: readonly Walk[]): Walk =>
  (cursor) => {
    const index = readLong(cursor);
    const branch = branches[index];
    if (branch === undefined) {
      throw new DecodeFailure('malformed', `branch ${index} of a union of ${branches.length}`);
    }
    branch(cursor);
  };

const enumWalk =
  (symbols: number): Walk =>
  (cursor) => {
    const index = readInt(cursor);
    if (index < 0 || index >= symbols) throw new DecodeFailure('malformed', `symbol ${index} of an enum of ${symbols}`);
  };

const fixedWalk =
  (size: number): Walk =>
  (cursor) =>
    skip(cursor, size);

function enter(cursor: Cursor): void {
  if (++cursor.depth > DEPTH_MAX) throw new DecodeFailure('too-deep', `nested deeper than ${DEPTH_MAX}`);
}

function skip(cursor: Cursor, size: number): void {
  if (size > cursor.end - cursor.at) {
    throw new DecodeFailure('truncated', `${size} bytes wanted, ${cursor.end - cursor.at} left`);
  }
  cursor.at += size;
}

function skipSized(cursor: Cursor): void {
  const size = readLong(cursor);
  if (size < 0) throw new DecodeFailure('malformed', `a length of ${size}`);
  skip(cursor, size);
}

function walkBoolean(cursor: Cursor): void {
  const byte = cursor.bytes[cursor.at];
  skip(cursor, 1);
  if ((byte as number) > 1) throw new DecodeFailure('malformed', `a boolean of ${byte}`);
}

const HALF_LOW = 2 ** 27;
/**
 * avsc computes with the zig-zag form, twice the number: from 2^52 on that is not exact any more, and -(2^52 + 1)
 * silently becomes 2^52, in writing and in reading.
 */
const HIGH_MAX = 2 ** 25 - 1;

/** A zig-zag varint; throws where it is cut short, longer than 64 bits, or not exact in avsc's hands. */
function readLong(cursor: Cursor): number {
  const { bytes } = cursor;
  const first = bytes[cursor.at];
  if (first !== undefined && first < 0x80) {
    cursor.at++;
    return (first >>> 1) ^ -(first & 1);
  }
  return readLongerLong(cursor);
}

function readLongerLong(cursor: Cursor): number {
  const { bytes } = cursor;
  let low = 0; // the first four groups of seven bits
  let high = 0; // the next four
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) {
      cursor.at = cursor.end;
      throw new DecodeFailure('truncated', 'ends within a number');
    }
    const group = byte & 0x7f;
    if (i < 4) low |= group << (7 * i);
    else if (i < 8) high |= group << (7 * (i - 4));
    else if (group !== 0) high = HIGH_MAX + 1;
    if (byte < 0x80) return unzigzag(low, high);
  }
  throw new DecodeFailure('malformed', 'a number of more than ten bytes');
}

function unzigzag(low: number, high: number): number {
  if (high > HIGH_MAX) throw new DecodeFailure('out-of-range', 'a long of 2^52 or more');
  const half = (low >>> 1) + high * HALF_LOW;
  return (low & 1) === 1 ? -half - 1 : half;
}

function readInt(cursor: Cursor): number {
  const value = readLong(cursor);
  if (value !== (value | 0)) throw new DecodeFailure('out-of-range', `an int of ${value}`);
  return value;
}

const primitives: ReadonlyMap<string, Walk> = new Map<string, Walk>([
  ['null', () => undefined],
  ['boolean', walkBoolean],
  ['int', readInt],
  ['long', readLong],
  ['float', fixedWalk(4)],
  ['double', fixedWalk(8)],
  ['bytes', skipSized],
  ['string', skipSized],
]);
