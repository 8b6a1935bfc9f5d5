import protobufjs from 'protobufjs';
import type { ByteWriter } from '../bytes/byte-writer.js';
import { generate } from '../bytes/shapes.js';
import { type FieldShape, fieldsOf, nameOf } from './fields.js';
import { type Scalar, scalarOf } from './scalars.js';
import { type ProtobufValues, TIMESTAMP, type WellKnown, wellKnown } from './values.js';

/** Writes one value. @throws Unrepresentable */
export type Write = (w: ByteWriter, value: unknown) => void;
type Message = Readonly<Record<string, unknown>>;

/** Compiles a writer of messages: fields in the order of their numbers, zeros omitted, numbers packed. */
export function compileWrite(type: protobufjs.Type, values: ProtobufValues): Write {
  return new Compilation(values).message(type);
}

class Compilation {
  private readonly messages = new Map<protobufjs.Type, { write: Write }>();
  private readonly special: ReadonlyMap<string, WellKnown>;

  constructor(private readonly values: ProtobufValues) {
    this.special = wellKnown(values);
  }

  message(type: protobufjs.Type): Write {
    const known = this.messages.get(type);
    if (known !== undefined) return (w, value) => known.write(w, value);
    const holder: { write: Write } = { write: () => undefined };
    this.messages.set(type, holder); // before its fields, which may be of this type
    const name = type.fullName.slice(1);
    const write = this.plain(type, name === TIMESTAMP ? {} : this.values);
    const special = this.special.get(name);
    holder.write =
      special === undefined
        ? write
        : (w, value) => {
            const message = special.toMessage(value);
            if (message === undefined) throw w.unrepresentable(value, `a ${name}`);
            write(w, message);
          };
    return holder.write;
  }

  private plain(type: protobufjs.Type, values: ProtobufValues): Write {
    const parts: Record<string, unknown> = { name: type.fullName.slice(1), onlyOne };
    const fields = [...fieldsOf(type, values)].sort((a, b) => a.id - b.id);
    const steps = fields.map((field, i) => {
      parts[`f${i}`] = this.field(field);
      const key = JSON.stringify(field.name);
      return `w.field = ${key}; f${i}(w, v[${key}]);`;
    });
    type.oneofsArray
      .filter(({ fieldsArray }) => fieldsArray.length > 1)
      .forEach((oneof, i) => {
        parts[`o${i}`] = oneof.fieldsArray.map(nameOf);
        steps.unshift(`onlyOne(w, v, o${i});`);
      });
    return generate<Write>(
      parts,
      `(w, v) => {
        if (typeof v !== 'object' || v === null) throw w.unrepresentable(v, 'a message ' + name);
        ${steps.join('\n')}
      }`,
    );
  }

  private field(field: FieldShape): Write {
    const { id, kind, value, presence, required, packed } = field;
    const scalar = value instanceof protobufjs.Type ? undefined : value;
    const tag = id * 8 + (scalar?.wireType ?? 2);
    const write = this.value(value);
    if (kind === 'map') return this.map(field);
    if (kind === 'repeated') {
      const isPacked = packed && scalar !== undefined && scalar.wireType !== 2;
      return isPacked ? writePacked(id * 8 + 2, write) : writeRepeated(tag, write);
    }
    return (w, given) => {
      if (given === null || given === undefined) {
        if (required) throw w.unrepresentable(given, 'a value, which is required');
        return;
      }
      if (!presence && scalar?.isZero(given)) return;
      w.unsigned(tag);
      write(w, given);
    };
  }

  /** Writes a value without its tag; a message with its length. */
  private value(value: protobufjs.Type | Scalar): Write {
    if (!(value instanceof protobufjs.Type)) return (w, given) => value.write(w, given);
    const write = this.message(value);
    return (w, given) => {
      const mark = w.fork();
      write(w, given);
      w.sized(mark);
    };
  }

  private map({ id, keyType, value }: FieldShape): Write {
    const key = scalarOf(keyType as string, { long: 'bigint' }) as Scalar;
    const write = this.value(value);
    const valueTag = 16 + (value instanceof protobufjs.Type ? 2 : value.wireType);
    return (w, given) => {
      if (given === null || given === undefined) return;
      if (typeof given !== 'object' || Array.isArray(given)) throw w.unrepresentable(given, 'a map');
      for (const [name, item] of Object.entries(given)) {
        w.unsigned(id * 8 + 2);
        const mark = w.fork();
        w.unsigned(8 + key.wireType);
        key.write(w, keyOf(name, keyType as string, key));
        w.unsigned(valueTag);
        write(w, item);
        w.sized(mark);
      }
    };
  }
}

/** A key of a map from its text. A text that is not a number stays a text, which the type of the key then refuses. */
function keyOf(name: string, keyType: string, { zero }: Scalar): unknown {
  if (keyType === 'string') return name;
  if (keyType === 'bool') return name === 'true' ? true : name === 'false' ? false : name;
  if (!/^-?\d{1,20}$/.test(name)) return name;
  return typeof zero() === 'bigint' ? BigInt(name) : Number(name);
}

const items = (w: ByteWriter, value: unknown): readonly unknown[] => {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw w.unrepresentable(value, 'an array');
  return value;
};

const writeRepeated =
  (tag: number, write: Write): Write =>
  (w, value) => {
    for (const item of items(w, value)) {
      w.unsigned(tag);
      write(w, item);
    }
  };

const writePacked =
  (tag: number, write: Write): Write =>
  (w, value) => {
    const given = items(w, value);
    if (given.length === 0) return;
    w.unsigned(tag);
    const mark = w.fork();
    for (const item of given) write(w, item);
    w.sized(mark);
  };

function onlyOne(w: ByteWriter, message: Message, names: readonly string[]): void {
  const given = names.filter((name) => message[name] !== null && message[name] !== undefined);
  if (given.length > 1) throw w.unrepresentable(given.join(' and '), 'one member of a oneof');
}
