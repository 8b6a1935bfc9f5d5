import { readFile } from 'node:fs/promises';
import { MillraceError } from '../core/errors.js';
import type { RegistryFormat, SchemaData, SchemaReference, SchemaText } from '../core/schema.js';
import { jsonReferences } from './json-schema/references.js';

/** A longer chain of references refers to itself. */
const CHAIN_MAX = 32;
/** How many folders above a file are searched for a reference: import paths of Protobuf begin at a root. */
const PARENTS_MAX = 4;

/** Where the text of a schema is: in a file (the usual case), or in the option itself. */
export type DefinitionOptions =
  | { readonly subject: string; readonly file: URL; readonly definition?: never }
  | { readonly subject: string; readonly definition: string; readonly file?: never };

/** Options of all formats with a schema text. */
export interface RegisteredOptions {
  /** Schemas that the text refers to, by the names that it uses. Files beside it are found without this. */
  readonly references?: Readonly<Record<string, SchemaData>>;
  /**
   * `registry`: Confluent's wire format, with a zero byte and the id of the writer's schema before the body. `none`: the payload is
   * the body; it is read with this schema, and no registry is needed. `registry` by default.
   */
  readonly framing?: 'registry' | 'none';
  /** Payloads of more bytes are refused as `too-large`; 16 MiB by default. */
  readonly bytesMax?: number;
}

/** Payloads of formats without a schema text have no prefix. */
export function framingOf({ format, options }: SchemaData): 'registry' | 'none' {
  if (format === 'json' || format === 'csv' || format === 'text' || format === 'bytes') return 'none';
  return (options as RegisteredOptions | undefined)?.framing ?? 'registry';
}

/**
 * The text of a schema and of all schemas that it refers to, read from their files.
 *
 * Memory: the texts.
 *
 * @throws MillraceError `schema` if a file or a reference is missing, or a schema refers to itself.
 * @example
 * const { text } = await schemaTextOf(FlightDepartedV1);
 */
export async function schemaTextOf(schema: SchemaData, chain: readonly string[] = []): Promise<SchemaText> {
  const { subject, definition } = schema;
  const format = schema.format as RegistryFormat;
  if (chain.length > CHAIN_MAX) {
    throw new MillraceError('schema', `schema ${chain[0]} refers to itself`, {
      where: subject,
      hint: 'put schemas that refer to each other into one file',
      permanent: true,
    });
  }
  const text = await textOf(schema);
  const given = schema.references ?? {};
  const references: SchemaReference[] = [];
  const names = new Set([...Object.keys(given), ...referredTo(format, text)]);
  for (const name of names) {
    const referred = given[name] ?? (await beside(name, format, definition, subject));
    references.push({
      name,
      subject: referred.subject,
      schema: await schemaTextOf(referred, [...chain, subject]),
    });
  }
  return { format, text, references };
}

async function textOf({ definition, subject }: SchemaData): Promise<string> {
  if (typeof definition === 'string') return definition;
  if (definition === undefined) {
    throw new MillraceError('schema', `schema ${subject} has no definition`, {
      where: subject,
      hint: 'give it a file or a definition',
      permanent: true,
    });
  }
  try {
    return await readFile(definition, 'utf8');
  } catch (cause) {
    throw new MillraceError('schema', `cannot read the schema file ${definition}`, {
      where: subject,
      hint: 'the schema file is beside the module that names it; a build must copy it',
      permanent: true,
      cause,
    });
  }
}

/** The names that a text imports. Avro's references are full names, not files, so they must be given as options. */
function referredTo(format: RegistryFormat, text: string): string[] {
  if (format === 'protobuf') return protobufImports(text);
  if (format === 'json-schema') return [...jsonReferences(text).keys()];
  return [];
}

/** The imports of a `.proto` text, except those that every compiler has. */
const protobufImports = (text: string): string[] =>
  [...text.matchAll(/(?:^|;)\s*import\s+(?:public\s+|weak\s+)?["']([^"']+)["']\s*;/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('google/protobuf/') && !name.startsWith('confluent/'));

/** The file of a reference: beside the file that refers to it, or in a folder above. Its subject is its name, as in Confluent's tools. */
async function beside(
  name: string,
  format: RegistryFormat,
  from: string | URL | undefined,
  subject: string,
): Promise<SchemaData> {
  if (from instanceof URL) {
    for (let parents = 0; parents <= PARENTS_MAX; parents++) {
      const file = new URL('../'.repeat(parents) + name, from);
      if (file.protocol === 'file:' && (await isReadable(file))) return { format, subject: name, definition: file };
    }
  }
  throw new MillraceError('schema', `schema ${subject} refers to "${name}", which is nowhere`, {
    where: subject,
    hint: `put the file beside it, or give the schema: references: { '${name}': ... }`,
    permanent: true,
  });
}

async function isReadable(file: URL): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch {
    return false;
  }
}
