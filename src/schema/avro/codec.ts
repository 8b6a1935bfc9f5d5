import { MillraceError, messageOf } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import type { BinaryFormat } from '../registered-codec.js';
import { wrongFormat } from '../wire-format.js';
import type { AvroType } from './avro-type.js';
import { parseAvro } from './parse.js';
import { compileRead } from './read.js';
import type { AvroValues } from './values.js';
import { compileWrite } from './write.js';

/** Avro's binary encoding for one schema. */
export function avroFormat(schema: SchemaText, values: AvroValues, subject: string): BinaryFormat {
  const type = parseOwn(schema, subject);
  return {
    write: compileWrite(type, values),
    read: compileRead(type, type, values),
    readOther(writer) {
      if (writer.format !== 'avro') throw wrongFormat(writer, 'avro');
      return compileRead(parseAvro(writer), type, values);
    },
  };
}

function parseOwn(schema: SchemaText, subject: string): AvroType {
  try {
    return parseAvro(schema);
  } catch (cause) {
    throw new MillraceError('schema', `schema ${subject} is not valid Avro: ${messageOf(cause)}`, {
      where: subject,
      hint: 'see https://avro.apache.org/docs/1.12.0/specification/ for what a schema may hold',
      permanent: true,
      cause,
    });
  }
}
