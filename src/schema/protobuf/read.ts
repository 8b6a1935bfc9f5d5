import protobufjs from 'protobufjs';
import type { ByteReader } from '../bytes/byte-reader.js';
import { generate, literal, setKey } from '../bytes/shapes.js';
import { DecodeFailure } from '../failures.js';
import { type FieldShape, fieldsOf, UNNAMED } from './fields.js';
import { type Scalar, scalarOf } from './scalars.js';
import { type ProtobufValues, TIMESTAMP, type WellKnown, wellKnown } from './values.js';

type Message = Record<string, unknown>;
/** Reads a message up to the end of the reader. `into` is an earlier message of the same field, which the specification merges. */
export type ReadMessage = (r: ByteReader, into?: Message) => unknown;
type ReadValue = (r: ByteReader, before?: unknown) => unknown;

/**
 * Compiles a reader of messages. Fields may come in any order, packed or not. Unknown fields are skipped.
 */
export function compileRead(type: protobufjs.Type, values: ProtobufValues): ReadMessage {
  return new Compilation(values).message(type);
}

class Compilation {
  private readonly messages = new Map<protobufjs.Type, { read: ReadMessage }>();
  private readonly special: ReadonlyMap<string, WellKnown>;

  constructor(private readonly values: ProtobufValues) {
    this.special = wellKnown(values);
  }

  message(type: protobufjs.Type): ReadMessage {
    const known = this.messages.get(type);
    if (known !== undefined) return (r, into) => known.read(r, into);
    const holder: { read: ReadMessage } = { read: () => undefined };
    this.messages.set(type, holder); // before its fields, which may be of this type
    const name = type.fullName.slice(1);
    const read = this.plain(type, name === TIMESTAMP ? {} : this.values);
    const special = this.special.get(name);
    holder.read = special === undefined ? read : (r) => special.fromMessage(read(r) as Message);
    return holder.read;
  }

  private plain(type: protobufjs.Type, values: ProtobufValues): ReadMessage {
    const fields = fieldsOf(type, values);
    const parts: Record<string, unknown> = { skip: skipField, UNNAMED, merged };
    const zeros: [string, string][] = [];
    const cases: string[] = [];
    fields.forEach((field, i) => {
      parts[`z${i}`] = zeroOf(field);
      zeros.push([field.name, simpleZero(field) ?? `z${i}()`]);
      cases.push(...this.cases(field, i, parts));
    });
    const missing = fields
      .filter(({ required }) => required)
      .map(({ name }) => `if (m[${JSON.stringify(name)}] === null) throw missing(${JSON.stringify(name)});`);
    parts.missing = (field: string) =>
      new DecodeFailure('malformed', `required field ${type.name}.${field} is missing`);
    return generate<ReadMessage>(
      parts,
      `(r, into) => {
        r.enter();
        let m = into;
        if (m === undefined) {
          r.fields(${this.special.has(type.fullName.slice(1)) ? 1 : fields.length});
          m = ${literal(zeros)};
        }
        while (r.at < r.end) {
          const tag = r.unsigned();
          switch (tag) {
            ${cases.join('\n')}
            default: skip(r, tag);
          }
        }
        ${missing.join(' ')}
        r.leave();
        return m;
      }`,
    );
  }

  /** The cases of the switch over tags for one field. */
  private cases(field: FieldShape, i: number, parts: Record<string, unknown>): string[] {
    const { id, kind, value, siblings } = field;
    const place = `m[${JSON.stringify(field.name)}]`;
    const scalar = value instanceof protobufjs.Type ? undefined : value;
    const wireType = kind === 'map' ? 2 : (scalar?.wireType ?? 2);
    const tag = (type: number) => `case ${id * 8 + type}:`;
    parts[`f${i}`] = kind === 'map' ? this.mapEntry(field) : this.value(value);
    if (kind === 'map') return [`${tag(2)} f${i}(r, ${place}); break;`];
    if (kind === 'repeated') {
      const push = `{ const v = f${i}(r); if (v !== UNNAMED) ${place}.push(v); break; }`;
      if (scalar === undefined || wireType === 2) return [`${tag(wireType)} ${push}`];
      parts[`p${i}`] = packed(scalar);
      return [`${tag(wireType)} ${push}`, `${tag(2)} p${i}(r, ${place}); break;`];
    }
    const clear = siblings.map((name) => `m[${JSON.stringify(name)}] = null;`).join(' ');
    if (scalar === undefined)
      return [`${tag(2)} { const v = f${i}(r, merged(${place})); ${clear} ${place} = v; break; }`];
    return [`${tag(wireType)} { const v = f${i}(r); if (v !== UNNAMED) { ${clear} ${place} = v; } break; }`];
  }

  private value(value: protobufjs.Type | Scalar): ReadValue {
    if (!(value instanceof protobufjs.Type)) return (r) => value.read(r);
    const read = this.message(value);
    return (r, before) => within(r, read, before as Message | undefined);
  }

  private mapEntry({ keyType, value }: FieldShape): (r: ByteReader, map: Message) => void {
    const key = scalarOf(keyType as string, this.values) as Scalar;
    const read = this.value(value);
    const valueType = value instanceof protobufjs.Type ? 2 : value.wireType;
    const [keyTag, valueTag] = [8 + key.wireType, 16 + valueType];
    const absent = value instanceof protobufjs.Type ? emptied(this.message(value)) : () => value.zero();
    const entry: ReadMessage = (r) => {
      let name: unknown = key.zero();
      let found: unknown;
      while (r.at < r.end) {
        const tag = r.unsigned();
        if (tag === keyTag) name = key.read(r);
        else if (tag === valueTag) found = read(r);
        else skipField(r, tag);
      }
      return found === UNNAMED ? undefined : [String(name), found === undefined ? absent(r) : found];
    };
    return (r, map) => {
      const pair = within(r, entry, undefined) as [string, unknown] | undefined;
      if (pair !== undefined) setKey(map, pair[0], pair[1]);
    };
  }
}

/** An earlier value, if it is a message into which another can be merged. */
const merged = (before: unknown): Message | undefined =>
  typeof before === 'object' && before !== null && !Array.isArray(before) && !(before instanceof Date)
    ? (before as Message)
    : undefined;

/** Reads a message with a length prefix. Meanwhile the end of the reader is the end of the message. */
function within(r: ByteReader, read: ReadMessage, before: Message | undefined): unknown {
  const size = r.unsigned();
  const from = r.skip(size);
  const { end } = r;
  r.at = from;
  r.end = from + size;
  const value = read(r, before);
  r.end = end;
  return value;
}

/** An absent message in an entry of a map is an empty message. */
const emptied =
  (read: ReadMessage): ((r: ByteReader) => unknown) =>
  (r) => {
    const { end } = r;
    r.end = r.at;
    const value = read(r);
    r.end = end;
    return value;
  };

function packed(scalar: Scalar): (r: ByteReader, items: unknown[]) => void {
  return (r, items) => {
    const size = r.unsigned();
    const stop = r.skip(size) + size;
    const { end } = r;
    r.at = stop - size;
    r.end = stop;
    while (r.at < stop) {
      const value = scalar.read(r);
      if (value !== UNNAMED) items.push(value);
    }
    r.end = end;
  };
}

function zeroOf({ kind, presence, value }: FieldShape): () => unknown {
  if (kind === 'repeated') return () => [];
  if (kind === 'map') return () => ({});
  return presence || value instanceof protobufjs.Type ? () => null : () => value.zero();
}

/** The code of a zero that is a literal, so that a new message can be one object literal. */
function simpleZero({ kind, presence, value }: FieldShape): string | undefined {
  if (kind === 'repeated') return '[]';
  if (kind === 'map') return '{}';
  if (presence || value instanceof protobufjs.Type) return 'null';
  const zero = value.zero();
  if (typeof zero === 'bigint') return `${zero}n`;
  return typeof zero === 'object' ? undefined : JSON.stringify(zero);
}

/** Skips an unknown field. */
function skipField(r: ByteReader, tag: number): void {
  if (tag < 8 || tag > 0xffff_ffff) throw new DecodeFailure('malformed', `a field with the tag ${tag}`);
  switch (tag % 8) {
    case 0:
      r.lower32();
      return;
    case 1:
      r.skip(8);
      return;
    case 2:
      r.skip(r.unsigned());
      return;
    case 5:
      r.skip(4);
      return;
    case 3:
      skipGroup(r, tag);
      return;
    default:
      throw new DecodeFailure('malformed', `a field of wire type ${tag % 8}`);
  }
}

function skipGroup(r: ByteReader, opening: number): void {
  r.enter();
  for (;;) {
    const tag = r.unsigned();
    if (tag === opening + 1) break;
    skipField(r, tag);
  }
  r.leave();
}
