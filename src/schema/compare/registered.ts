import { MillraceError, messageOf } from '../../core/errors.js';
import type { SchemaData, SchemaRegistry, SchemaText } from '../../core/schema.js';
import { framingOf, schemaTextOf } from '../definition.js';
import { subjects } from '../subjects.js';
import { compareSchemas } from './index.js';

/**
 * Why a schema cannot read the newest registered version of its subject, or of the topic if its subject has none. Empty if it can, if
 * nothing is registered, and for payloads without a schema id. Registers nothing.
 *
 * @throws MillraceError `schema` if a text cannot be read or the registry does not answer.
 * @example
 * await unreadableBy(PaymentV1, profile.schemas, 'payments.v1'); // ["amount: the writer's string cannot be read as double"]
 */
export async function unreadableBy(
  schema: SchemaData,
  registry: SchemaRegistry,
  topic?: string,
): Promise<readonly string[]> {
  const { format } = schema;
  const hasText = schema.definition !== undefined;
  if (format === 'bytes' || (hasText && framingOf(schema) === 'none')) return [];
  // Formats without registered schemas need no registry.
  const latestOf = (subject: string) =>
    hasText ? registry.latest(subject) : registry.latest(subject).catch(() => undefined);
  const ofTopic = topic === undefined ? undefined : subjects.topic(topic);
  const own = hasText ? schema.subject : undefined;
  for (const subject of new Set([own, ofTopic])) {
    const latest = subject === undefined ? undefined : await latestOf(subject);
    if (latest === undefined) continue;
    const named = `version ${latest.version} of ${subject}`;
    if (latest.schema.format !== format) return [`${named} is ${latest.schema.format}, and this is ${format}`];
    const { backward } = compared(latest.schema, await schemaTextOf(schema), schema.subject);
    return backward.map((reason) => `${named}: ${reason}`);
  }
  return [];
}

function compared(before: SchemaText, after: SchemaText, where: string) {
  try {
    return compareSchemas(before, after);
  } catch (cause) {
    const hint = 'correct its text: `millrace schema types FILE` reads a file';
    throw new MillraceError('schema', `schema ${where} cannot be read: ${messageOf(cause)}`, { where, hint, cause });
  }
}
