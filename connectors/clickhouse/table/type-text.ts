/** A parsed type: `Map(String, UInt8)` has the name `Map` and two parameters. */
export interface TypeText {
  readonly name: string;
  readonly parameters: readonly string[];
}

/**
 * Parses a type into its name and parameters; quoted texts are kept whole.
 *
 * @example
 * typeTextOf("Enum8('a, b' = 1, 'c' = 2)"); // { name: 'Enum8', parameters: ["'a, b' = 1", "'c' = 2"] }
 */
export function typeTextOf(type: string): TypeText {
  const text = type.trim();
  const open = text.indexOf('(');
  if (open < 0 || !text.endsWith(')')) return { name: text, parameters: [] };
  return { name: text.slice(0, open).trim(), parameters: split(text.slice(open + 1, -1)) };
}

function split(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "'" || char === '`') at = endOfQuoted(text, at);
    else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts.filter((part) => part !== '');
}

function endOfQuoted(text: string, from: number): number {
  const quote = text[from];
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return at;
  }
  return text.length;
}

/** A name in backquotes. */
export const quotedName = (name: string): string => `\`${name.replaceAll(/[`\\]/g, '\\$&')}\``;

/** The content of a quoted text. */
export function unquoted(text: string): string {
  const [, quote, content] = /^(['`])(.*)\1$/s.exec(text) ?? [];
  if (quote === undefined || content === undefined) return text;
  return content.replaceAll(/\\(.)|''|``/gs, (pair, escaped?: string) => escaped ?? (pair[0] === quote ? quote : pair));
}

/** A type without its `Nullable` and `LowCardinality` wrappers. */
export function bareTypeOf(type: string): { readonly type: string; readonly nullable: boolean } {
  const { name, parameters } = typeTextOf(type);
  if (name !== 'Nullable' && name !== 'LowCardinality') return { type: type.trim(), nullable: false };
  const bare = bareTypeOf(parameters[0] ?? '');
  return { type: bare.type, nullable: bare.nullable || name === 'Nullable' };
}

/** The elements of a `Tuple`: their types, and their names if it has any. */
export const tupleElements = (parameters: readonly string[]): readonly { name: string | undefined; type: string }[] =>
  parameters.map((parameter) => {
    const [, name, type] = /^(`(?:[^`\\]|\\.)+`|\w+)\s+(.+)$/s.exec(parameter) ?? [];
    return name === undefined || type === undefined
      ? { name: undefined, type: parameter }
      : { name: unquoted(name), type };
  });
