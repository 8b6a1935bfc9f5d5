import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../core/errors.js';
import type { Schema } from '../core/schema.js';
import { avro, json } from '../schema/index.js';

/** The schema of a topic's values: an Avro schema in a file, or plain JSON without one. */
export function schemaOf(topic: string, file: string | undefined): Schema<unknown> {
  const subject = `${topic}-value`;
  if (file === undefined) return json<unknown>({ subject });
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new MillraceError('schema', 'no such file', { where: file, hint: 'give the path of an Avro schema (.avsc)' });
  }
  return avro<unknown>({ subject, file: pathToFileURL(path) });
}
