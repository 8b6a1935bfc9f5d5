import protobufjs from 'protobufjs';
import { MillraceError } from '../../core/errors.js';
import type { ByteReader } from '../bytes/byte-reader.js';
import type { ByteWriter } from '../bytes/byte-writer.js';
import { type Scalar, scalarOf } from './scalars.js';
import type { ProtobufValues } from './values.js';

/** A field of a message, as the codec needs it. */
export interface FieldShape {
  readonly name: string;
  readonly id: number;
  readonly kind: 'single' | 'repeated' | 'map';
  /** An absent field is `null`, not the zero value. */
  readonly presence: boolean;
  readonly required: boolean;
  readonly packed: boolean;
  /** For a map: the type of its keys. */
  readonly keyType: string | undefined;
  /** The other members of its `oneof`. */
  readonly siblings: readonly string[];
  readonly value: protobufjs.Type | Scalar;
}

/** The fields of a message in the order of the schema. */
export function fieldsOf(type: protobufjs.Type, values: ProtobufValues): FieldShape[] {
  const names = new Map<string, protobufjs.Field>();
  return type.fieldsArray.map((declared) => {
    const field = declared.resolve();
    const name = nameOf(field);
    const other = names.get(name);
    names.set(name, field);
    if (other !== undefined) {
      throw refused(
        type,
        `fields ${other.name} and ${field.name}`,
        `are both ${name}`,
        "rename one: [json_name = '...']",
      );
    }
    if (field.declaringField) {
      throw refused(
        type,
        `extension ${field.name.slice(1)}`,
        'is none of its own fields',
        'extensions are not supported: make it a field',
      );
    }
    if (field.delimited) {
      throw refused(type, `field ${field.name}`, 'is a group', 'groups are not supported: make it a message');
    }
    const { resolvedType } = field;
    const value =
      resolvedType instanceof protobufjs.Type
        ? resolvedType
        : resolvedType instanceof protobufjs.Enum
          ? enumScalar(resolvedType)
          : (scalarOf(field.type, values) as Scalar);
    const kind = field.map ? 'map' : field.repeated ? 'repeated' : 'single';
    return {
      name,
      id: field.id,
      kind,
      presence: kind === 'single' && hasPresence(field, type),
      required: kind === 'single' && field.required && !isGoogles(type),
      packed: field.packed,
      keyType: field instanceof protobufjs.MapField ? field.keyType : undefined,
      siblings: (field.partOf?.fieldsArray ?? []).filter((other) => other !== field).map(nameOf),
      value,
    };
  });
}

/** The name of a field in Protobuf's JSON mapping: its `json_name`, or its name in camelCase. */
export function nameOf({ name, options }: protobufjs.Field): string {
  const given: unknown = options?.json_name;
  return typeof given === 'string' ? given : name.replace(/_+([^_]?)/g, (_, next: string) => next.toUpperCase());
}

const refused = (type: protobufjs.Type, what: string, why: string, hint: string): MillraceError =>
  new MillraceError('schema', `${what} of ${type.fullName.slice(1)} ${why}`, {
    where: type.fullName.slice(1),
    hint,
    permanent: true,
  });

const isGoogles = (type: protobufjs.Type): boolean => type.fullName.startsWith('.google.protobuf.');

/** Google's own files do not state their syntax, which is proto3. */
function hasPresence(field: protobufjs.Field, type: protobufjs.Type): boolean {
  if (field.resolvedType instanceof protobufjs.Type || field.partOf) return true;
  return isGoogles(type) ? false : field.hasPresence;
}

/** What protobufjs knows of an enum from the edition of its file; its types leave it out. */
type WithFeatures = protobufjs.Enum & { readonly _features?: { readonly enum_type?: string } };

/** Whether an enum keeps a number without a name. In proto2 it does not. */
export const isOpen = (type: protobufjs.Enum): boolean => (type as WithFeatures)._features?.enum_type !== 'CLOSED';

/** The result for a number without a name in a closed enum: the field counts as absent. */
export const UNNAMED = Symbol('unnamed');

function enumScalar(type: protobufjs.Enum): Scalar {
  const names = new Map(
    Object.entries(type.values)
      .map(([name, id]) => [id, name] as const)
      .reverse(),
  );
  const open = isOpen(type);
  const [first = ['', 0]] = Object.entries(type.values);
  const zero = open ? (names.get(0) ?? 0) : first[0];
  return {
    wireType: 0,
    read(r: ByteReader) {
      const id = r.lower32();
      return names.get(id) ?? (open ? id : UNNAMED);
    },
    write(w: ByteWriter, value: unknown) {
      const id = typeof value === 'string' ? type.values[value] : open ? value : undefined;
      if (typeof id !== 'number' || id !== (id | 0)) throw w.unrepresentable(value, `a value of ${type.name}`);
      if (id >= 0) w.unsigned(id);
      else w.unsigned64(BigInt(id));
    },
    zero: () => zero,
    isZero: (value) => value === zero || value === 0,
  };
}
