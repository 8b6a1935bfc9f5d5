// Pieces of TypeScript as text.

const LINE_MAX = 110;

/** Whether a text is a name that stands without quotes. */
export const isName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text);

/** A text as a literal. */
export const quoted = (text: string): string => {
  const [, inner = ''] = /^"(.*)"$/s.exec(JSON.stringify(text)) ?? [];
  return `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
};

/** A field of a value: `order.id`, or `order['unit price']`. */
export const access = (value: string, field: string): string =>
  isName(field) ? `${value}.${field}` : `${value}[${quoted(field)}]`;

export const propertyName = (field: string): string => (isName(field) ? field : quoted(field));

/** An object of properties, on one line where it fits. A property whose text is its name stands alone. */
export function objectText(properties: readonly (readonly [name: string, text: string])[], indent: string): string {
  const parts = properties.map(([name, text]) => (name === text ? name : `${propertyName(name)}: ${text}`));
  if (parts.length === 0) return '{}';
  const line = `{ ${parts.join(', ')} }`;
  if (!line.includes('\n') && indent.length + line.length <= LINE_MAX) return line;
  return `{\n${parts.map((part) => `${indent}  ${part},\n`).join('')}${indent}}`;
}

/** A value as a literal: dates as dates. */
export function literalOf(value: unknown, indent: string): string {
  if (value instanceof Date) return `new Date(${quoted(value.toISOString())})`;
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(', ')}])`;
  if (Array.isArray(value)) return `[${value.map((item) => literalOf(item, indent)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return objectText(
    Object.entries(value).map(([name, field]) => [name, literalOf(field, `${indent}  `)]),
    indent,
  );
}

/** A name for a value, made of words: `order-lines` is `orderLines`. */
export function variableName(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const [first = 'stream', ...others] = words;
  const joined = first.charAt(0).toLowerCase() + first.slice(1) + others.map(capitalized).join('');
  return /^[0-9]/.test(joined) || reserved.has(joined) ? `_${joined}` : joined;
}

const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for ' +
    'function if implements import in instanceof interface let new null package private protected public return static super switch ' +
    'this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** What a file imports, collected while its text is written. */
export class Imports {
  private readonly names = new Map<string, Set<string>>();

  add(module: string, ...names: readonly string[]): void {
    const known = this.names.get(module) ?? new Set();
    for (const name of names) known.add(name);
    this.names.set(module, known);
  }

  text(): string {
    const plain = (name: string) => name.replace(/^type /, '').toLowerCase();
    const lines = [...this.names]
      .sort(([a], [b]) => Number(a.startsWith('.')) - Number(b.startsWith('.')) || (a < b ? -1 : 1))
      .map(([module, names]) => {
        const sorted = [...names].sort((a, b) => (plain(a) < plain(b) ? -1 : 1));
        const line = `import { ${sorted.join(', ')} } from '${module}';`;
        return line.length <= LINE_MAX
          ? line
          : `import {\n${sorted.map((name) => `  ${name},\n`).join('')}} from '${module}';`;
      });
    return `${lines.join('\n')}\n`;
  }
}
