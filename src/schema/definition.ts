import { readFile } from 'node:fs/promises';
import { MillraceError } from '../core/errors.js';
import type { RegistryFormat, SchemaData, SchemaReference, SchemaText } from '../core/schema.js';
import { jsonReferences } from './json-schema/references.js';

/** A chain of references longer than this refers to itself. */
const CHAIN_MAX = 32;
/** How many folders above a file a reference may lie: import paths of Protobuf begin at a root. */
const PARENTS_MAX = 4;

/** Where a schema's text is: in a file of its own (the usual case), or at hand. */
export type DefinitionOptions =
  | { readonly subject: string; readonly file: URL; readonly definition?: never }
  | { readonly subject: string; readonly definition: string; readonly file?: never };

/** What formats with a schema text have in common. */
export interface RegisteredOptions {
  /** Schemas that the text refers to, by the name it has for each. Files beside it are found without this. */
  readonly references?: Readonly<Record<string, SchemaData>>;
  /**
   * `registry`: Confluent's wire format, a zero byte and the id of the writer's schema in front. `none`: nothing in
   * front; every payload is read as one of this schema, and no registry is asked. `registry` by default.
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
 * The text of a schema with those it refers to, read from their files where they have some.
 *
 * Memory: the texts.
 *
 * @throws MillraceError `schema` for a file or a reference that is not there.
 * @example
 * const { text } = await schemaTextOf(FlightDepartedV1);
 */
export async function schemaTextOf(schema: SchemaData, chain: readonly string[] = []): Promise<SchemaText> {
  const { subject, definition } = schema;
  const format = schema.format as RegistryFormat;
  if (chain.length > CHAIN_MAX) {
    throw new MillraceError('schema', `schema ${chain[0]} refers to itself`, {
      where: subject,
      hint: 'references must end somewhere: put what refers to itself into one file',
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

/** The names under which a text imports others; Avro's are full names that need not be files, so they are given. */
function referredTo(format: RegistryFormat, text: string): string[] {
  if (format === 'protobuf') return protobufImports(text);
  if (format === 'json-schema') return [...jsonReferences(text).keys()];
  return [];
}

/** What a `.proto` text imports, apart from what every compiler has. */
export const protobufImports = (text: string): string[] =>
  [...text.matchAll(/(?:^|;)\s*import\s+(?:public\s+|weak\s+)?["']([^"']+)["']\s*;/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('google/protobuf/') && !name.startsWith('confluent/'));

/** The file of a reference: beside the one that refers to it, or in a folder above. Its subject is its name, as Confluent's tools have it. */
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
