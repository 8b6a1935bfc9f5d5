import type { SchemaText } from '../../core/schema.js';
import { type AvroType, nameOf } from '../avro/avro-type.js';
import { parseAvro } from '../avro/parse.js';
import { compileRead } from '../avro/read.js';
import { DecodeFailure } from '../failures.js';
import { type Comparison, changesBetween } from './comparison.js';

/** Compares two Avro schemas by Avro's rules of resolution. */
export function compareAvro(before: SchemaText, after: SchemaText): Comparison {
  const [was, is] = [parseAvro(before), parseAvro(after)];
  return {
    changes: changesBetween(outlineOf(was), outlineOf(is)),
    backward: problems(was, is),
    forward: problems(is, was),
  };
}

export function outlineOf(type: AvroType): Map<string, string> {
  const outline = new Map<string, string>();
  const visit = (at: AvroType, path: string, above: readonly AvroType[], suffix: string): void => {
    outline.set(path === '' ? '(the value)' : path, shown(at) + suffix);
    if (above.includes(at)) return;
    const inside = [...above, at];
    if (at.kind === 'record') {
      for (const field of at.fields) {
        const fallback = field.default === undefined ? '' : ` = ${JSON.stringify(field.default)}`;
        visit(field.type, path === '' ? field.name : `${path}.${field.name}`, inside, fallback);
      }
    } else if (at.kind === 'array') visit(at.items, `${path}[]`, inside, '');
    else if (at.kind === 'map') visit(at.values, `${path}{}`, inside, '');
    else if (at.kind === 'union') {
      for (const branch of at.branches) {
        if (branch.kind === 'record') visitFields(branch, path, inside);
      }
    }
  };
  const visitFields = (record: AvroType, path: string, above: readonly AvroType[]): void => {
    if (record.kind !== 'record' || above.includes(record)) return;
    for (const field of record.fields) visit(field.type, `${path}.${field.name}`, [...above, record], '');
  };
  visit(type, '', [], '');
  return outline;
}

function shown(type: AvroType): string {
  switch (type.kind) {
    case 'union':
      return type.branches.map(shown).join(' | ');
    case 'array':
    case 'map':
      return `${type.kind} of ${shown(type.kind === 'array' ? type.items : type.values)}`;
    case 'enum':
      return `enum ${type.name} (${type.symbols.join(', ')})`;
    case 'fixed':
      return `fixed ${type.name} of ${type.size} bytes${logical(type.logical)}`;
    case 'record':
      return `record ${type.name}`;
    default:
      return `${type.kind}${logical(type.logical)}`;
  }
}

const logical = (of: { readonly name: string } | undefined): string =>
  of === undefined
    ? ''
    : ` (${Object.values(of)
        .filter((part) => typeof part !== 'boolean')
        .join(' ')})`;

/** Why some or all payloads of one type cannot be read as another. */
function problems(writer: AvroType, reader: AvroType): string[] {
  const found: string[] = [];
  const seen = new Map<AvroType, Set<AvroType>>();
  const visit = (from: AvroType, to: AvroType, path: string): void => {
    const met = seen.get(from) ?? new Set<AvroType>();
    if (met.has(to)) return;
    seen.set(from, met.add(to));
    const inner = innerPairs(from, to, path);
    if (inner === undefined) found.push(...leafProblems(from, to).map((reason) => `${at(path)}: ${reason}`));
    else if (typeof inner === 'string') found.push(inner);
    else {
      for (const pair of inner) {
        if (typeof pair === 'string') found.push(pair);
        else visit(...pair);
      }
    }
  };
  visit(writer, reader, '');
  return found;
}

const at = (path: string): string => (path === '' ? 'the value' : path);

type Pair = readonly [from: AvroType, to: AvroType, path: string];

/** The pairs of types inside two types that match, and problems of the two themselves; `undefined` if they have no inner types. */
function innerPairs(from: AvroType, to: AvroType, path: string): readonly (Pair | string)[] | string | undefined {
  if (from.kind === 'union') return from.branches.map((branch) => [branch, to, path] as const);
  if (to.kind === 'union') {
    const into = to.branches.find((branch) => isReadable(from, branch));
    return into === undefined ? `${at(path)}: ${nameOf(from)} is none of ${shown(to)}` : [[from, into, path]];
  }
  if (from.kind === 'array' && to.kind === 'array') return [[from.items, to.items, `${path}[]`]];
  if (from.kind === 'map' && to.kind === 'map') return [[from.values, to.values, `${path}{}`]];
  if (from.kind !== 'record' || to.kind !== 'record' || !isNamed(from, to)) return undefined;
  return to.fields.flatMap((field): (Pair | string)[] => {
    const source = from.fields.find(({ name }) => name === field.name || field.aliases.includes(name));
    const below = path === '' ? field.name : `${path}.${field.name}`;
    if (source !== undefined) return [[source.type, field.type, below]];
    return field.default === undefined ? [`${below}: it is not written, and has no default`] : [];
  });
}

function leafProblems(from: AvroType, to: AvroType): string[] {
  const reason = reasonAgainst(from, to);
  if (reason !== undefined) return [reason];
  if (from.kind !== 'enum' || to.kind !== 'enum' || to.default !== undefined) return [];
  const unknown = from.symbols.filter((symbol) => !to.symbols.includes(symbol));
  return unknown.length === 0 ? [] : [`symbols ${unknown.join(', ')} are unknown, and ${to.name} has no default`];
}

const isReadable = (from: AvroType, to: AvroType): boolean =>
  from.kind === 'record' && to.kind === 'record' ? isNamed(from, to) : reasonAgainst(from, to) === undefined;

/** Whether the names of two records match, whatever their fields. */
const isNamed = (from: Extract<AvroType, { kind: 'record' }>, to: Extract<AvroType, { kind: 'record' }>): boolean =>
  reasonAgainst({ ...from, fields: [] }, { ...to, fields: [] }) === undefined;

function reasonAgainst(from: AvroType, to: AvroType): string | undefined {
  try {
    compileRead(from, to, {});
    return undefined;
  } catch (error) {
    if (error instanceof DecodeFailure) return error.message;
    throw error;
  }
}
