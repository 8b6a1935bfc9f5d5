/** A field of an interface that is to be written. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional?: boolean | undefined;
  readonly doc?: string | undefined;
}

/** A type that a schema gives: an interface of members, or a name for another type. */
export type Declaration = {
  readonly name: string;
  readonly doc?: string | undefined;
} & ({ readonly members: readonly Member[] } | { readonly type: string });

const isName = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name);

export const declarationText = (declared: Declaration): string =>
  'members' in declared
    ? interfaceText(declared.name, declared.doc, declared.members)
    : `export type ${declared.name} = ${declared.type};`;

/** A name that an interface may have, made of one that a schema gave. */
export function typeName(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return /^[A-Za-z]/.test(joined) ? joined : `T${joined}`;
}

/** The first of these names that no other type has; the last one with a number behind it where all are taken. */
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

/** A union as it is written inside an array type. */
export const arrayOf = (type: string): string => (/[ |]/.test(type) ? `readonly (${type})[]` : `readonly ${type}[]`);

export const mapOf = (type: string): string => `Readonly<Record<string, ${type}>>`;

/** Each type once, `null` last; of none, `never`. */
export const unionOf = (types: readonly string[]): string =>
  [...new Set(types.length === 0 ? ['never'] : types)]
    .sort((a, b) => Number(a === 'null') - Number(b === 'null'))
    .join(' | ');

/** What is of all these types; where one of them says nothing, what the others say. */
export function intersectionOf(types: readonly string[]): string {
  const saying = [...new Set(types)].filter((type) => type !== 'unknown');
  if (saying.length < 2) return saying[0] ?? 'unknown';
  return saying.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ');
}

/** Texts as a union of literals. */
export const literals = (values: readonly string[]): string =>
  unionOf(
    values.map((value) => `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`),
  );
