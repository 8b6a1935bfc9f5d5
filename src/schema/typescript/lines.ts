/** A field of an interface. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional?: boolean | undefined;
  readonly doc?: string | undefined;
}

/** A declared type: an interface with members, or an alias. */
export type Declaration = {
  readonly name: string;
  readonly doc?: string | undefined;
} & ({ readonly members: readonly Member[] } | { readonly type: string });

const isName = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name);

export const declarationText = (declared: Declaration): string =>
  'members' in declared
    ? interfaceText(declared.name, declared.doc, declared.members)
    : `export type ${declared.name} = ${declared.type};`;

/** A valid name of an interface, made from a name in a schema. */
export function typeName(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return /^[A-Za-z]/.test(joined) ? joined : `T${joined}`;
}

/** The first of these names that is free, or the last one with a number. */
export function freeName(wanted: readonly string[], names: ReadonlyMap<unknown, string>): string {
  const taken = new Set(names.values());
  const free = wanted.find((name) => !taken.has(name));
  if (free !== undefined) return free;
  for (let n = 2; ; n++) if (!taken.has(`${wanted.at(-1)}${n}`)) return `${wanted.at(-1)}${n}`;
}

function interfaceText(name: string, doc: string | undefined, members: readonly Member[]): string {
  const lines = members.flatMap(({ name: field, type, optional, doc: comment }) => [
    ...docLines(comment, '  '),
    `  readonly ${isName(field) ? field : JSON.stringify(field)}${optional ? '?' : ''}: ${type};`,
  ]);
  return [...docLines(doc, ''), `export interface ${name} {`, ...lines, '}'].join('\n');
}

const docLines = (doc: string | undefined, indent: string): string[] =>
  doc === undefined || doc.trim() === ''
    ? []
    : [`${indent}/** ${doc.trim().replaceAll('*/', '* /').replace(/\s+/g, ' ')} */`];

/** A type as the item of an array type: a union in parentheses. */
export const arrayOf = (type: string): string => (/[ |]/.test(type) ? `readonly (${type})[]` : `readonly ${type}[]`);

export const mapOf = (type: string): string => `Readonly<Record<string, ${type}>>`;

/** The union of types: each once, `null` last; `never` for none. */
export const unionOf = (types: readonly string[]): string =>
  [...new Set(types.length === 0 ? ['never'] : types)]
    .sort((a, b) => Number(a === 'null') - Number(b === 'null'))
    .join(' | ');

/** The intersection of types, without those that are `unknown`. */
export function intersectionOf(types: readonly string[]): string {
  const saying = [...new Set(types)].filter((type) => type !== 'unknown');
  if (saying.length < 2) return saying[0] ?? 'unknown';
  return saying.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ');
}

/** A union of string literals. */
export const literals = (values: readonly string[]): string =>
  unionOf(
    values.map((value) => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`),
  );
