import type { SchemaText } from '../../core/schema.js';
import { type JsonPlaces, jsonPlaces } from '../json-schema/places.js';
import { type Comparison, changesBetween } from './comparison.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * Compares what two JSON schemas allow: properties, types, required properties, enums and the usual limits. Other keywords (`oneOf`,
 * `not`, conditions) are reported if they differ, and must be compared by hand.
 */
export function compareJson(before: SchemaText, after: SchemaText): Comparison {
  const [was, is] = [jsonPlaces(before), jsonPlaces(after)];
  return {
    changes: changesBetween(outlineOf(was), outlineOf(is)),
    backward: problems(was, is),
    forward: problems(is, was),
  };
}

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** The most references in a chain; longer chains are circles. */
const HOPS_MAX = 16;

/** The schema that a reference names, merged with the keywords beside the reference. */
function resolved(schema: unknown, places: JsonPlaces, hops = 0): Json {
  const own = objectOf(schema);
  if (typeof own.$ref !== 'string' || hops > HOPS_MAX) return own;
  return { ...resolved(places.find(own.$ref, own), places, hops + 1), ...own };
}

const limits: readonly (readonly [keyword: string, stricter: (was: number, is: number) => boolean])[] = [
  ...['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'].map(
    (keyword) => [keyword, (was: number, is: number) => is > was] as const,
  ),
  ...['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'].map(
    (keyword) => [keyword, (was: number, is: number) => is < was] as const,
  ),
];
const rules = ['pattern', 'format', 'const', 'multipleOf'] as const;
const shapes = [
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'if',
  'then',
  'else',
  'patternProperties',
  'dependentRequired',
] as const;

const typesOf = ({ type }: Json): readonly string[] | undefined =>
  type === undefined ? undefined : Array.isArray(type) ? type.map(String) : [String(type)];

function outlineOf(places: JsonPlaces): Map<string, string> {
  const outline = new Map<string, string>();
  const visit = (schema: unknown, path: string, required: boolean, above: readonly string[]): void => {
    const at = resolved(schema, places);
    const words = [
      typesOf(at)?.join(' | ') ?? 'anything',
      ...[...limits.map(([keyword]) => keyword), ...rules, 'enum', 'default'].flatMap((keyword) =>
        at[keyword] === undefined ? [] : [`${keyword} ${JSON.stringify(at[keyword])}`],
      ),
      ...(required ? ['required'] : []),
      ...(at.additionalProperties === false ? ['closed'] : []),
    ];
    outline.set(path === '' ? '(the value)' : path, words.join(', '));
    const { $ref } = objectOf(schema);
    const inside = typeof $ref === 'string' ? [...above, $ref] : above;
    if (typeof $ref === 'string' && above.includes($ref)) return;
    const needed = requiredOf(at);
    for (const [name, property] of Object.entries(objectOf(at.properties))) {
      visit(property, path === '' ? name : `${path}.${name}`, needed.has(name), inside);
    }
    if (at.items !== undefined && !Array.isArray(at.items)) visit(at.items, `${path}[]`, false, inside);
  };
  visit(places.root, '', false, []);
  return outline;
}

const requiredOf = (schema: Json): Set<string> =>
  new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);

/** Why a value that one schema allows may be refused by another. */
function problems(writer: JsonPlaces, reader: JsonPlaces): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (from: unknown, to: unknown, path: string): void => {
    const key = JSON.stringify([from, to]);
    if (seen.has(key)) return;
    seen.add(key);
    if (to === true) return;
    const [was, is] = [resolved(from, writer), resolved(to, reader)];
    const at = path === '' ? 'the value' : path;
    found.push(...ownProblems(was, is).map((problem) => `${at}: ${problem}`));
    const [before, after] = [objectOf(was.properties), objectOf(is.properties)];
    const [had, has] = [requiredOf(was), requiredOf(is)];
    for (const name of has) {
      if (!had.has(name))
        found.push(`${path === '' ? name : `${path}.${name}`}: it is required, and need not be written`);
    }
    for (const [name, property] of Object.entries(before)) {
      const below = path === '' ? name : `${path}.${name}`;
      if (name in after) visit(property, after[name], below);
      else if (is.additionalProperties === false) found.push(`${below}: it is written, and not allowed`);
    }
    if (was.additionalProperties !== false) {
      if (is.additionalProperties === false && 'properties' in is) {
        found.push(`${at}: further properties may be written, and are not allowed`);
      }
      // A writer with an open schema may have used the name for something else; this cannot be checked.
    }
    if (was.items !== undefined && is.items !== undefined) visit(was.items, is.items, `${path}[]`);
  };
  visit(writer.root, reader.root, '');
  return found;
}

function ownProblems(was: Json, is: Json): string[] {
  const found: string[] = [];
  const [before, after] = [typesOf(was), typesOf(is)];
  if (after !== undefined) {
    const allowed = (type: string) => after.includes(type) || (type === 'integer' && after.includes('number'));
    const refused = before === undefined ? ['anything'] : before.filter((type) => !allowed(type));
    if (refused.length > 0) found.push(`${refused.join(', ')} may be written, and ${after.join(' or ')} is read`);
  }
  for (const [keyword, stricter] of limits) {
    const [a, b] = [was[keyword], is[keyword]];
    if (typeof b === 'number' && (typeof a !== 'number' || stricter(a, b))) found.push(`${keyword} ${b} is stricter`);
  }
  for (const keyword of rules) {
    const [a, b] = [was[keyword], is[keyword]];
    if (b !== undefined && JSON.stringify(a) !== JSON.stringify(b))
      found.push(`${keyword} ${JSON.stringify(b)} is new`);
  }
  if (Array.isArray(is.enum)) {
    const known = new Set(is.enum.map((value) => JSON.stringify(value)));
    const given = Array.isArray(was.enum) ? was.enum : ['anything'];
    const unknown = given.filter((value) => !known.has(JSON.stringify(value)));
    if (unknown.length > 0)
      found.push(`${unknown.map((value) => JSON.stringify(value)).join(', ')} may be written, and is unknown`);
  }
  for (const keyword of shapes) {
    if (is[keyword] !== undefined && JSON.stringify(was[keyword]) !== JSON.stringify(is[keyword])) {
      found.push(`${keyword} is different: look at it yourself`);
    }
  }
  return found;
}
