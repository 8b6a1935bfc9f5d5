import type { SchemaText } from '../../core/schema.js';
import { type AvroRecord, type AvroType, nameOf, shortName } from '../avro/avro-type.js';
import { parseAvro } from '../avro/parse.js';
import { type AvroValues, isDate, isWrapped } from '../avro/values.js';
import { arrayOf, type Declaration, freeName, literals, mapOf, typeName, unionOf } from './lines.js';

/** The types of the values of an Avro schema. */
export function avroTypes(schema: SchemaText, values: AvroValues): Declaration[] {
  const parsed = parseAvro(schema);
  const written = new Map<AvroRecord, string>();
  const declared: Declaration[] = [];

  const interfaceOf = (record: AvroRecord): string => {
    const known = written.get(record);
    if (known !== undefined) return known;
    const name = freeName([typeName(shortName(record.name)), typeName(record.name)], written);
    written.set(record, name); // before its fields, which may be of this type
    const at = declared.push({ name, members: [] }) - 1;
    const members = record.fields.map((field) => ({ name: field.name, type: typeOf(field.type), doc: field.doc }));
    declared[at] = { name, doc: record.doc, members };
    return name;
  };

  const typeOf = (type: AvroType): string => {
    switch (type.kind) {
      case 'record':
        return interfaceOf(type);
      case 'array':
        return arrayOf(typeOf(type.items));
      case 'map':
        return mapOf(typeOf(type.values));
      case 'enum':
        return literals(type.symbols);
      case 'union': {
        const wrapped = isWrapped(type, values);
        return unionOf(
          type.branches.map((branch) =>
            wrapped && branch.kind !== 'null' ? `{ readonly '${nameOf(branch)}': ${typeOf(branch)} }` : typeOf(branch),
          ),
        );
      }
      case 'bytes':
      case 'fixed':
        return type.logical?.name === 'decimal' ? 'Decimal' : 'Uint8Array';
      case 'int':
      case 'long':
        if (isDate(type.logical, values)) return 'Date';
        return type.kind === 'long' && type.logical === undefined && values.long === 'bigint' ? 'bigint' : 'number';
      case 'float':
      case 'double':
        return 'number';
      default:
        return type.kind;
    }
  };

  const top = typeOf(parsed);
  if (parsed.kind !== 'record') declared.unshift({ name: freeName(['Value'], written), type: top });
  return declared;
}
