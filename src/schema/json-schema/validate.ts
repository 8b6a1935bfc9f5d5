import { Ajv, type AnySchemaObject, type FuncKeywordDefinition, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { SchemaText } from '../../core/schema.js';
import { isUrl } from './is-url.js';
import { jsonReferences } from './references.js';

const draft6 = 'http://json-schema.org/draft-06/schema';
const makers: readonly (readonly [name: string, make: (options: Options) => Ajv])[] = [
  ['https://json-schema.org/draft/2020-12/schema', (options) => new Ajv2020(options)],
  ['https://json-schema.org/draft/2019-09/schema', (options) => new Ajv2019(options)],
  ['http://json-schema.org/draft-07/schema', (options) => new Ajv(options)],
  [draft6, (options) => new Ajv({ ...options, meta: false, validateSchema: false })],
];

export interface Validators {
  /** Sets missing properties to their defaults; for values that were decoded here. */
  readonly reading: ValidateFunction;
  /** Does not change the value. */
  readonly writing: ValidateFunction;
}

/**
 * Compiles the validators of a JSON schema for reading and writing, with the schemas that it refers to.
 *
 * @throws MillraceError `schema` if it is not a JSON schema of a supported draft.
 * @example
 * const { reading } = compileValidators({ format: 'json-schema', text: '{"type":"integer"}', references: [] }, 'ids');
 * reading(1); // true
 */
export function compileValidators(schema: SchemaText, subject: string): Validators {
  try {
    return { reading: compile(schema, true), writing: compile(schema, false) };
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError('schema', `schema ${subject} is not a valid JSON schema: ${messageOf(cause)}`, {
      where: subject,
      hint: 'see https://json-schema.org/specification for what a schema may hold',
      permanent: true,
      cause,
    });
  }
}

function compile(schema: SchemaText, useDefaults: boolean): ValidateFunction {
  const json = JSON.parse(schema.text) as AnySchemaObject | boolean;
  // Not strict, because schemas may have keywords of other tools, such as Confluent's.
  // Strict about numbers, because JSON cannot represent one that overflowed to Infinity.
  const ownProperties = inheritedNames.some((name) => schemaNames(schema, name));
  const ajv = makerOf(json)({
    useDefaults,
    ownProperties,
    strict: false,
    strictNumbers: true,
    logger: false,
    code: { regExp: lenientRegExp },
  });
  formats.default(ajv);
  ajv.addFormat('url', isUrl);
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword(uniqueItems);
  addReferences(ajv, schema, new Set());
  return ajv.compile(json);
}

/** Names that every object inherits. Only schemas that contain one pay for the check of own properties. */
const inheritedNames = Object.getOwnPropertyNames(Object.prototype);
const schemaNames = ({ text, references }: SchemaText, name: string): boolean =>
  text.includes(name) || references.some(({ schema }) => schemaNames(schema, name));

/** With the flag `u`, as the specification demands; without it for patterns that only then compile (`\\_`, `[\\w-.]`), which many schemas have. */
const lenientRegExp = Object.assign(
  (pattern: string, flags: string): RegExp => {
    try {
      return new RegExp(pattern, flags);
    } catch {
      return new RegExp(pattern, flags.replace('u', ''));
    }
  },
  { code: 'lenientRegExp' }, // how generated modules would name it; nothing is generated into modules here
);

function makerOf(json: AnySchemaObject | boolean): (options: Options) => Ajv {
  const draft = typeof json === 'object' && typeof json.$schema === 'string' ? json.$schema : undefined;
  if (draft === undefined) return (options) => new Ajv(options);
  const found = makers.find(([name]) => draft === name || draft === `${name}#`);
  if (found !== undefined) return found[1];
  throw new MillraceError('schema', `JSON Schema ${draft} is not known here`, {
    where: '$schema',
    hint: `use one of ${makers.map(([name]) => name).join(', ')}`,
    permanent: true,
  });
}

function addReferences(ajv: Ajv, schema: SchemaText, seen: Set<string>): void {
  const addresses = jsonReferences(schema.text);
  for (const { name, schema: referred } of schema.references) {
    addReferences(ajv, referred, seen);
    const json = JSON.parse(referred.text) as AnySchemaObject;
    // By the name as it is written, and by the absolute URI if schemas have an `$id`.
    for (const address of new Set([name, addresses.get(name) ?? name])) {
      if (seen.has(address)) continue;
      seen.add(address);
      if (!(address in ajv.schemas || address in ajv.refs)) ajv.addSchema(json, address);
    }
  }
}

/** The first error, with its path. */
export function violationOf({ errors }: ValidateFunction): string {
  const [error] = errors ?? [];
  if (error === undefined) return 'does not fit the schema';
  return `${error.instancePath === '' ? 'the value' : error.instancePath} ${error.message ?? error.keyword}`;
}

/** `uniqueItems` in linear time. A comparison of all pairs would take hours for one large payload. */
export const uniqueItems: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  error: { message: 'must NOT have duplicate items' },
  validate: (isAsked: boolean, items: readonly unknown[]) => !isAsked || areUnique(items),
};

function areUnique(items: readonly unknown[]): boolean {
  const scalars = new Set<unknown>();
  const texts = new Set<string>();
  for (const item of items) {
    if (typeof item === 'object' && item !== null) texts.add(canonical(item));
    else scalars.add(item);
  }
  return scalars.size + texts.size === items.length;
}

/** The same text for values that are equal as JSON, whatever the order of their keys. */
const canonical = (value: object): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
