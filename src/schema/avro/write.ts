import { type ByteWriter, fitsFloat } from '../bytes/byte-writer.js';
import { generate } from '../bytes/shapes.js';
import {
  type AvroEnum,
  type AvroField,
  type AvroFixed,
  type AvroPrimitive,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  type Logical,
  nameOf,
} from './avro-type.js';
import {
  type AvroValues,
  type Bucket,
  bucketOf,
  bucketOfValue,
  DAY_MS,
  defaultOf,
  isDate,
  isWrapped,
  unscaledOf,
} from './values.js';

/** Writes one value; throws an `Unrepresentable`. */
export type Write = (writer: ByteWriter, value: unknown) => void;

/**
 * Compiles a writer of values. A field that is `undefined` and has a default is written as its default; fields that the schema
 * lacks are left out.
 */
export function compileWrite(type: AvroType, values: AvroValues): Write {
  return new Compilation(values).of(type);
}

class Compilation {
  private readonly records = new Map<AvroRecord, { write: Write }>();

  constructor(private readonly values: AvroValues) {}

  of(type: AvroType): Write {
    switch (type.kind) {
      case 'record':
        return this.record(type);
      case 'union':
        return this.union(type);
      case 'array':
        return writeArray(this.of(type.items));
      case 'map':
        return writeMap(this.of(type.values));
      case 'enum':
        return writeEnum(type);
      case 'fixed':
        return writeFixed(type);
      default:
        return writePrimitive(type, this.values);
    }
  }

  private record(type: AvroRecord): Write {
    const known = this.records.get(type);
    if (known !== undefined) return (w, value) => known.write(w, value);
    const holder: { write: Write } = { write: () => undefined };
    this.records.set(type, holder); // before its fields, which may have this type
    const parts: Record<string, unknown> = { name: type.name };
    const steps = type.fields.map((field, i) => {
      parts[`f${i}`] = this.field(field);
      const name = JSON.stringify(field.name);
      return `w.field = ${name}; f${i}(w, v[${name}]);`;
    });
    holder.write = generate<Write>(
      parts,
      `(w, v) => { if (typeof v !== 'object' || v === null) throw w.unrepresentable(v, 'a record ' + name); ${steps.join(' ')} }`,
    );
    return holder.write;
  }

  private field({ type, default: json }: AvroField): Write {
    const write = this.of(type);
    if (json === undefined) return write;
    const fallback = defaultOf(type, json, this.values);
    return (w, value) => write(w, value === undefined ? fallback() : value);
  }

  private union(type: AvroUnion): Write {
    const { branches } = type;
    const writes = branches.map((branch) => this.of(branch));
    const nullAt = branches.findIndex(({ kind }) => kind === 'null');
    const wanted = `one of ${branches.map(nameOf).join(', ')}`;
    if (isWrapped(type, this.values)) return writeWrapped(branches, writes, nullAt, wanted);
    const [other] = writes.filter((_, i) => i !== nullAt);
    if (branches.length === 2 && nullAt >= 0 && other !== undefined) {
      const [nullByte, otherByte] = nullAt === 0 ? [0, 2] : [2, 0];
      return (w, value) => {
        if (value === null) w.byte(nullByte as number);
        else {
          w.byte(otherByte as number);
          other(w, value);
        }
      };
    }
    const buckets: readonly (Bucket | undefined)[] = branches.map((branch) =>
      bucketOf(branch as Exclude<AvroType, AvroUnion>, this.values),
    );
    return (w, value) => {
      const index = buckets.indexOf(bucketOfValue(value));
      if (index < 0) throw w.unrepresentable(value, wanted);
      w.zigzag(index);
      (writes[index] as Write)(w, value);
    };
  }
}

function writeWrapped(branches: readonly AvroType[], writes: readonly Write[], nullAt: number, wanted: string): Write {
  const names = branches.map(nameOf);
  return (w, value) => {
    const [entry, more] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    const index = value === null ? nullAt : entry === undefined ? -1 : names.indexOf(entry[0]);
    if (index < 0 || more !== undefined) throw w.unrepresentable(value, `${wanted}, as { name: value }`);
    w.zigzag(index);
    (writes[index] as Write)(w, entry?.[1] ?? null);
  };
}

const writeArray =
  (item: Write): Write =>
  (w, value) => {
    if (!Array.isArray(value)) throw w.unrepresentable(value, 'an array');
    if (value.length > 0) {
      w.zigzag(value.length);
      for (let i = 0; i < value.length; i++) item(w, value[i]);
    }
    w.byte(0);
  };

const writeMap =
  (write: Write): Write =>
  (w, value) => {
    if (bucketOfValue(value) !== 'object') throw w.unrepresentable(value, 'a map');
    const keys = Object.keys(value as object);
    if (keys.length > 0) {
      w.zigzag(keys.length);
      for (const key of keys) {
        w.text(key, 1);
        write(w, (value as Readonly<Record<string, unknown>>)[key]);
      }
    }
    w.byte(0);
  };

function writeEnum({ name, symbols }: AvroEnum): Write {
  const indices = new Map(symbols.map((symbol, index) => [symbol, index]));
  return (w, value) => {
    const index = indices.get(value as string);
    if (index === undefined) throw w.unrepresentable(value, `a symbol of ${name}`);
    w.zigzag(index);
  };
}

function writeFixed({ size, logical }: AvroFixed): Write {
  if (logical?.name === 'decimal') {
    return (w, value) => {
      const bytes = decimalBytes(w, value, logical);
      if (bytes.length > size) throw w.unrepresentable(value, `a decimal in ${size} bytes`);
      const sign = (bytes[0] as number) >= 0x80 ? 0xff : 0;
      w.raw(new Uint8Array(size - bytes.length).fill(sign));
      w.raw(bytes);
    };
  }
  return (w, value) => {
    if (!(value instanceof Uint8Array) || value.length !== size) throw w.unrepresentable(value, `${size} bytes`);
    w.raw(value);
  };
}

function decimalBytes(w: ByteWriter, value: unknown, logical: Extract<Logical, { name: 'decimal' }>): Uint8Array {
  const bytes = typeof value === 'string' ? unscaledOf(value, logical) : undefined;
  if (bytes !== undefined) return bytes;
  const { precision, scale } = logical;
  throw w.unrepresentable(value, `a decimal as text, of at most ${precision} digits, ${scale} of them after the point`);
}

function writePrimitive({ kind, logical }: AvroPrimitive, values: AvroValues): Write {
  switch (kind) {
    case 'null':
      return (w, value) => {
        if (value !== null) throw w.unrepresentable(value, 'null');
      };
    case 'boolean':
      return (w, value) => {
        if (typeof value !== 'boolean') throw w.unrepresentable(value, 'a boolean');
        w.byte(value ? 1 : 0);
      };
    case 'int':
    case 'long':
      return writeWhole(kind, logical, values);
    case 'float':
    case 'double':
      return (w, value) => {
        if (typeof value !== 'number') throw w.unrepresentable(value, `a ${kind}`);
        if (kind === 'double') w.double(value);
        else if (fitsFloat(value)) w.float(value);
        else throw w.unrepresentable(value, 'a float, which ends at 3.4e38');
      };
    case 'bytes':
      return (w, value) => {
        const bytes = logical?.name === 'decimal' ? decimalBytes(w, value, logical) : value;
        if (!(bytes instanceof Uint8Array)) throw w.unrepresentable(value, 'bytes');
        w.zigzag(bytes.length);
        w.raw(bytes);
      };
    case 'string':
      return (w, value) => {
        if (typeof value !== 'string') throw w.unrepresentable(value, 'a string');
        w.text(value, 1);
      };
  }
}

function writeWhole(kind: 'int' | 'long', logical: Logical | undefined, values: AvroValues): Write {
  if (logical !== undefined && isDate(logical, values)) {
    return (w, value) => {
      const millis = value instanceof Date ? value.getTime() : Number.NaN;
      if (Number.isNaN(millis)) throw w.unrepresentable(value, 'a valid Date');
      const stored = storedOf(logical, millis);
      if (Number.isSafeInteger(stored)) w.zigzag(stored);
      else w.zigzag64(BigInt(millis) * 1_000n); // microseconds of a distant time exceed a number, but not 64 bits
    };
  }
  if (kind === 'int') {
    return (w, value) => {
      if (typeof value !== 'number' || value !== (value | 0)) throw w.unrepresentable(value, 'an int');
      w.zigzag(value);
    };
  }
  if (values.long === 'bigint' && logical === undefined) {
    return (w, value) => {
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)
        throw w.unrepresentable(value, 'a bigint of 64 bits');
      w.zigzag64(value);
    };
  }
  return (w, value) => {
    if (!Number.isSafeInteger(value)) throw w.unrepresentable(value, 'a whole number below 2^53');
    w.zigzag(value as number);
  };
}

const storedOf = (logical: Logical, millis: number): number => {
  if (logical.name === 'date') return Math.floor(millis / DAY_MS);
  return logical.name === 'timestamp' && logical.unit === 'micros' ? millis * 1_000 : millis;
};
