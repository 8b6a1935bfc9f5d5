import protobufjs from 'protobufjs';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import type { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import type { RegisteredOptions } from '../definition.js';
import { DecodeFailure } from '../failures.js';
import type { BinaryFormat } from '../registered-codec.js';
import { wrongFormat } from '../wire-format.js';
import { indexPaths, loadRoot } from './load.js';
import { compileRead } from './read.js';
import type { ProtobufValues } from './values.js';
import { compileWrite } from './write.js';

/** The most message indexes: the maximum nesting of messages. */
const PATH_MAX = 32;

type FormatOptions = ProtobufValues & Pick<RegisteredOptions, 'framing'> & { readonly message: string };

/** The binary encoding of a Protobuf message, with Confluent's message indexes if payloads have a schema id. */
export function protobufFormat(schema: SchemaText, options: FormatOptions, subject: string): BinaryFormat {
  const { message } = options;
  const type = ownType(schema, message, subject);
  const read = compileRead(type, options);
  const write = compileWrite(type, options);
  const readOther = (writer: SchemaText) => {
    if (writer.format !== 'protobuf') throw wrongFormat(writer, 'protobuf');
    return indexed(indexPaths(writer.text), message, read);
  };
  if (options.framing === 'none') return { write, read, readOther };
  const paths = indexPaths(schema.text);
  const indexes = indexBytes(paths, message, subject);
  return {
    write(w, value) {
      w.raw(indexes);
      write(w, value);
    },
    read: indexed(paths, message, read),
    readOther,
  };
}

/** Reads the list of indexes, then the message if the list names ours. */
function indexed(paths: ReadonlyMap<string, string>, message: string, read: (r: ByteReader) => unknown) {
  const firstIsOurs = paths.get('0') === message;
  return (r: ByteReader): unknown => {
    const count = r.zigzag();
    if (count === 0) {
      if (!firstIsOurs) throw otherMessage(paths.get('0') ?? 'nothing', message);
      return read(r);
    }
    if (count < 0 || count > PATH_MAX) throw new DecodeFailure('malformed', `a list of ${count} message indexes`);
    const path = Array.from({ length: count }, () => r.zigzag()).join('.');
    const name = paths.get(path);
    if (name === undefined) throw new DecodeFailure('malformed', `the writer's schema has no message ${path}`);
    if (name !== message) throw otherMessage(name, message);
    return read(r);
  };
}

const otherMessage = (theirs: string, ours: string): DecodeFailure =>
  new DecodeFailure('schema-incompatible', `the writer's message is ${theirs}, ours is ${ours}`);

function ownType(schema: SchemaText, message: string, subject: string): protobufjs.Type {
  let root: protobufjs.Root;
  try {
    root = loadRoot(schema);
  } catch (cause) {
    throw new MillraceError('schema', `schema ${subject} is not valid Protobuf: ${messageOf(cause)}`, {
      where: subject,
      hint: 'see https://protobuf.dev/programming-guides/proto3/',
      permanent: true,
      cause,
    });
  }
  const found = root.lookup(message, [protobufjs.Type]);
  if (found instanceof protobufjs.Type && found.fullName === `.${message}`) return found;
  throw new MillraceError('schema', `schema ${subject} has no message ${message}`, {
    where: subject,
    hint: `it has ${[...indexPaths(schema.text).values()].slice(0, 5).join(', ') || 'none at all'}`,
    permanent: true,
  });
}

/** The list of indexes of a message. That of the first message, by far the most frequent, is a single zero. */
function indexBytes(paths: ReadonlyMap<string, string>, message: string, subject: string): Uint8Array {
  const [path] = [...paths].find(([, name]) => name === message) ?? [];
  if (path === undefined) {
    throw new MillraceError('schema', `message ${message} is imported by schema ${subject}, not declared in it`, {
      where: subject,
      hint: 'give the file that declares the message: every payload carries the schema id of that file',
      permanent: true,
    });
  }
  const writer = new ByteWriter();
  writer.begin();
  const indexes = path === '0' ? [] : path.split('.').map(Number);
  writer.zigzag(indexes.length);
  for (const index of indexes) writer.zigzag(index);
  return Uint8Array.from(writer.finish());
}
