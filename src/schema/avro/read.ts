import type { ByteReader } from '../bytes/byte-reader.js';
import { generate, literal, setKey } from '../bytes/shapes.js';
import { DecodeFailure } from '../failures.js';
import {
  type AvroEnum,
  type AvroFixed,
  type AvroPrimitive,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  type Logical,
  nameOf,
  shortName,
} from './avro-type.js';
import { type AvroValues, decimalOf, defaultOf, isDate, isWrapped, millisOf } from './values.js';

/** Reads one value; throws a `DecodeFailure`. */
export type Read = (reader: ByteReader) => unknown;

/**
 * Compiles a reader of a writer's payloads as values of our schema, by Avro's rules of resolution: fields and types by name or
 * alias (without the namespace), promotion of numbers, defaults for fields that the writer does not have.
 *
 * Logical types must agree if both have one: microseconds are not read as milliseconds.
 *
 * @throws DecodeFailure `schema-incompatible` if no payload of the writer could be read. If only some cannot (a symbol or a branch
 * that our schema lacks), those fail when they are read.
 */
export function compileRead(writer: AvroType, reader: AvroType, values: AvroValues): Read {
  return new Resolution(values).of(writer, reader);
}

/** How to read a record of the writer, or why not; computed once, since records may contain each other. */
interface Resolved {
  read: Read;
  failure?: DecodeFailure;
}

class Resolution {
  private readonly records = new Map<AvroRecord, Map<AvroRecord, Resolved>>();

  constructor(private readonly values: AvroValues) {}

  of(writer: AvroType, reader: AvroType): Read {
    if (writer.kind === 'union') return this.fromUnion(writer, reader);
    if (reader.kind === 'union') return this.intoUnion(writer, reader);
    if (writer.kind === 'record' && reader.kind === 'record') return this.record(writer, reader);
    if (writer.kind === 'array' && reader.kind === 'array') return readArray(this.of(writer.items, reader.items));
    if (writer.kind === 'map' && reader.kind === 'map') return readMap(this.of(writer.values, reader.values));
    if (writer.kind === 'enum' && reader.kind === 'enum') return readEnum(writer, reader);
    if (writer.kind === 'fixed' && reader.kind === 'fixed') return readFixed(writer, reader);
    return readPrimitive(writer, reader, this.values);
  }

  /** Each branch of the writer, as far as it can be read; a branch that cannot fails when it is read. */
  private fromUnion({ branches }: AvroUnion, reader: AvroType): Read {
    const failures: DecodeFailure[] = [];
    const reads = branches.map((branch): Read => {
      try {
        return this.of(branch, reader);
      } catch (error) {
        if (!(error instanceof DecodeFailure)) throw error;
        failures.push(error);
        return failing(error);
      }
    });
    if (failures.length === reads.length && failures[0] !== undefined) throw failures[0];
    const branchOf = (r: ByteReader): Read => {
      const index = r.zigzag();
      const read = reads[index];
      if (read !== undefined) return read;
      throw new DecodeFailure('malformed', `branch ${index} of a union of ${reads.length}`);
    };
    const [first, second] = reads;
    const nullAt = branches.findIndex(({ kind }) => kind === 'null');
    const other = nullAt === 0 ? second : first;
    if (reads.length !== 2 || nullAt < 0 || other === undefined || failures.length > 0) {
      return (r) => branchOf(r)(r);
    }
    const nullByte = nullAt * 2;
    return (r) => {
      // By far the most frequent union: its two branches take one byte.
      const { at } = r;
      const byte = at < r.end ? r.bytes[at] : undefined;
      if (byte !== 0 && byte !== 2) return branchOf(r)(r);
      r.at = at + 1;
      return byte === nullByte ? null : other(r);
    };
  }

  /** Our first branch with the writer's type, otherwise the first one that it can be promoted to. */
  private intoUnion(writer: AvroType, union: AvroUnion): Read {
    const same = union.branches.filter(
      (branch) => branch.kind === writer.kind && shortName(nameOf(branch)) === shortName(nameOf(writer)),
    );
    let failure: DecodeFailure | undefined;
    for (const branch of [...same, ...union.branches]) {
      try {
        const read = this.of(writer, branch);
        if (branch.kind === 'null' || !isWrapped(union, this.values)) return read;
        return generate<Read>({ read }, `(r) => (${literal([[nameOf(branch), 'read(r)']])})`);
      } catch (error) {
        if (!(error instanceof DecodeFailure)) throw error;
        failure ??= error;
      }
    }
    throw failure ?? incompatible(writer, union);
  }

  private record(writer: AvroRecord, reader: AvroRecord): Read {
    if (!sameName(writer, reader)) throw incompatible(writer, reader);
    const readers = this.records.get(writer) ?? new Map<AvroRecord, Resolved>();
    this.records.set(writer, readers);
    const known = readers.get(reader);
    if (known?.failure !== undefined) throw known.failure;
    if (known !== undefined) return (r) => known.read(r);
    const holder: Resolved = { read: () => undefined };
    readers.set(reader, holder); // before its fields, which may have this type
    try {
      holder.read = this.fields(writer, reader);
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
      holder.failure = error;
      holder.read = failing(error); // for records within it, which may be read where it is not
      throw error;
    }
    return holder.read;
  }

  private fields(writer: AvroRecord, reader: AvroRecord): Read {
    const parts: Record<string, unknown> = {};
    const locals = new Map<string, string>();
    const steps = writer.fields.map((field, i) => {
      const target =
        reader.fields.find(({ name }) => name === field.name) ??
        reader.fields.find(({ aliases }) => aliases.includes(field.name));
      if (target !== undefined) locals.set(target.name, `v${i}`);
      // A field that our schema lacks is read to skip it.
      parts[`f${i}`] = within(`${reader.name}.${field.name}`, () => this.of(field.type, target?.type ?? field.type));
      return `const v${i} = f${i}(r);`;
    });
    const entries = reader.fields.map((field, i) => {
      const local = locals.get(field.name);
      if (local !== undefined) return [field.name, local] as const;
      if (field.default === undefined) {
        throw new DecodeFailure(
          'schema-incompatible',
          `field ${reader.name}.${field.name} has no default, and the writer does not have it`,
        );
      }
      parts[`d${i}`] = defaultOf(field.type, field.default, this.values);
      return [field.name, `d${i}()`] as const;
    });
    return generate<Read>(parts, `(r) => { r.enter(); ${steps.join(' ')} r.leave(); return ${literal(entries)}; }`);
  }
}

/** Fails only when it is read. */
const failing = ({ reason, message }: DecodeFailure): Read => {
  return () => {
    throw new DecodeFailure(reason, message);
  };
};

/** Adds the field to the error of two types that disagree. */
function within<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DecodeFailure) || error.message.startsWith('field ')) throw error;
    throw new DecodeFailure(error.reason, `field ${field}: ${error.message}`);
  }
}

const sameName = (
  writer: { readonly name: string },
  reader: { readonly name: string; readonly aliases: readonly string[] },
): boolean => [reader.name, ...reader.aliases].some((name) => shortName(name) === shortName(writer.name));

const incompatible = (writer: AvroType, reader: AvroType): DecodeFailure =>
  new DecodeFailure('schema-incompatible', `the writer's ${nameOf(writer)} cannot be read as ${nameOf(reader)}`);

/** The number of items of a block (negative: a size in bytes follows); 0 ends the blocks. */
function blockCount(r: ByteReader): number {
  let count = r.zigzag();
  if (count < 0) {
    count = -count;
    r.zigzag();
  }
  r.count(count);
  return count;
}

const readArray =
  (item: Read): Read =>
  (r) => {
    r.enter();
    const items: unknown[] = [];
    for (let count = blockCount(r); count !== 0; count = blockCount(r)) {
      for (let i = 0; i < count; i++) {
        const before = r.at;
        items.push(item(r));
        r.item(before);
      }
    }
    r.leave();
    return items;
  };

const readMap =
  (value: Read): Read =>
  (r) => {
    r.enter();
    const map: Record<string, unknown> = {};
    for (let count = blockCount(r); count !== 0; count = blockCount(r)) {
      for (let i = 0; i < count; i++) {
        const key = r.text(r.zigzag());
        setKey(map, key, value(r));
      }
    }
    r.leave();
    return map;
  };

function readEnum(writer: AvroEnum, reader: AvroEnum): Read {
  if (!sameName(writer, reader)) throw incompatible(writer, reader);
  const { symbols } = writer;
  const ours = symbols.map((symbol) => (reader.symbols.includes(symbol) ? symbol : reader.default));
  return (r) => {
    const index = r.zigzag32();
    const symbol = ours[index];
    if (symbol !== undefined) return symbol;
    if (index >= 0 && index < symbols.length) {
      throw new DecodeFailure('schema-incompatible', `${reader.name} has no symbol ${symbols[index]} and no default`);
    }
    throw new DecodeFailure('malformed', `symbol ${index} of an enum of ${symbols.length}`);
  };
}

function readFixed(writer: AvroFixed, reader: AvroFixed): Read {
  if (!sameName(writer, reader) || writer.size !== reader.size) throw incompatible(writer, reader);
  const logical = agreed(writer, reader);
  const { size } = reader;
  if (logical?.name === 'decimal') return (r) => decimalOf(r.take(size), logical);
  return (r) => r.take(size);
}

/** Our logical type, which the writer's must not contradict. */
function agreed(writer: AvroPrimitive | AvroFixed, reader: AvroPrimitive | AvroFixed): Logical | undefined {
  const [theirs, ours] = [writer.logical, reader.logical];
  if (theirs === undefined || ours === undefined || JSON.stringify(theirs) === JSON.stringify(ours)) return ours;
  throw new DecodeFailure('schema-incompatible', `the writer's ${shownLogical(theirs)} is not ${shownLogical(ours)}`);
}

const shownLogical = (logical: Logical): string => {
  if (logical.name === 'decimal') return `decimal(${logical.precision}, ${logical.scale})`;
  return logical.name === 'date' ? 'date' : `${logical.local ? 'local-' : ''}timestamp-${logical.unit}`;
};

function readPrimitive(writer: AvroType, reader: AvroType, values: AvroValues): Read {
  const isPrimitive = (type: AvroType): type is AvroPrimitive => 'logical' in type && type.kind !== 'fixed';
  if (!isPrimitive(writer) || !isPrimitive(reader)) throw incompatible(writer, reader);
  const promotes = promotions[reader.kind]?.includes(writer.kind) ?? false;
  if (writer.kind !== reader.kind && !promotes) throw incompatible(writer, reader);
  const logical = agreed(writer, reader);
  switch (reader.kind) {
    case 'null':
      return () => null;
    case 'boolean':
      return (r) => {
        const byte = r.byte();
        if (byte > 1) throw new DecodeFailure('malformed', `a boolean of ${byte}`);
        return byte === 1;
      };
    case 'int':
    case 'long': {
      const isBig = reader.kind === 'long' && logical === undefined && values.long === 'bigint';
      if (isBig) return writer.kind === 'int' ? (r) => BigInt(r.zigzag32()) : (r) => r.zigzag64();
      const read = writer.kind === 'int' ? (r: ByteReader) => r.zigzag32() : (r: ByteReader) => r.zigzag();
      if (logical === undefined || !isDate(logical, values)) return read;
      if (logical.name === 'timestamp' && logical.unit === 'micros') return (r) => dateOf(r.zigzagThousands());
      return (r) => dateOf(millisOf(logical, read(r)));
    }
    case 'float':
    case 'double':
      if (writer.kind === 'float') return (r) => r.float();
      if (writer.kind === 'double') return (r) => r.double();
      return writer.kind === 'int' ? (r) => r.zigzag32() : (r) => Number(r.zigzag64());
    case 'bytes':
      if (logical?.name === 'decimal') return (r) => decimalOf(r.take(r.zigzag()), logical);
      return (r) => r.take(r.zigzag());
    case 'string':
      return (r) => r.text(r.zigzag());
  }
}

/** The types that each type may be promoted from. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  string: ['bytes'],
  bytes: ['string'],
};

function dateOf(millis: number): Date {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) throw new DecodeFailure('out-of-range', `a time of ${millis} ms`);
  return date;
}
