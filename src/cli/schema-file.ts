import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Schema, SchemaData } from '../core/schema.js';
import { avro, json, jsonSchema, protobuf } from '../schema/index.js';

/**
 * The schema of a topic's values: in a file, whose ending says its format (`.avsc`, `.proto`, `.json`), or plain JSON
 * without one. Of a `.proto` file `FILE#full.name` chooses the message; the first one without it.
 */
export async function schemaOf(topic: string, file: string | undefined, values?: Values): Promise<Schema<unknown>> {
  const subject = `${topic}-value`;
  return file === undefined ? json<unknown>({ subject }) : schemaInFile(file, subject, values);
}

/** What values are in memory, where that differs from the format's default. */
interface Values {
  readonly timestamp: 'number';
}

/** The schema in a file, under a subject. */
export async function schemaInFile(file: string, subject: string, values?: Values): Promise<Schema<unknown>> {
  const [path = '', message] = file.split('#');
  const at = resolve(path);
  const found = statSync(at, { throwIfNoEntry: false });
  if (!found || found.isDirectory()) {
    throw new MillraceError('schema', found ? 'is a folder' : 'no such file', {
      where: path,
      hint: 'give the path of an Avro schema (.avsc), a Protobuf file (.proto) or a JSON schema (.json)',
      permanent: true,
    });
  }
  const url = pathToFileURL(at);
  if (path.endsWith('.proto')) {
    return protobuf<unknown>({
      subject,
      file: url,
      message: message ?? (await firstMessage(readFileSync(at, 'utf8'), path)),
      ...values,
    });
  }
  return path.endsWith('.json') ? jsonSchema<unknown>({ subject, file: url }) : avro<unknown>({ subject, file: url });
}

/** The full name of the message that a text of Protobuf declares first. */
export async function firstMessage(text: string, where: string): Promise<string> {
  const { indexPaths } = await import('../schema/protobuf/load.js');
  let first: string | undefined;
  try {
    first = indexPaths(text).get('0');
  } catch (cause) {
    throw new MillraceError('schema', `this is not valid Protobuf: ${messageOf(cause)}`, {
      where,
      hint: 'see https://protobuf.dev/programming-guides/proto3/',
      permanent: true,
      cause,
    });
  }
  if (first !== undefined) return first;
  throw new MillraceError('schema', 'the file declares no message', {
    where,
    hint: 'name a file that has one',
    permanent: true,
  });
}

/** The subject of a file's schema, as the options of a command name it. */
export function subjectOf(flags: { readonly subject?: string; readonly topic?: string }): string | undefined {
  return flags.subject ?? (flags.topic === undefined ? undefined : `${flags.topic}-value`);
}

/** Whether a schema's own text is sound: opens its codec without a registry. */
export async function soundness(schema: SchemaData): Promise<void> {
  const { localRegistry, openCodec } = await import('../schema/index.js');
  await openCodec(schema as Schema<unknown>, localRegistry());
}
