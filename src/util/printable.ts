// Terminals obey control characters: a record could move the cursor, change the title or rewrite lines above it.

/** C0 but tab and line feed, DEL and C1, line separators, and what reverses the order in which text is shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text that a terminal shows and does not obey: control characters become `\uXXXX`. Lines and tabs stay. JSON stays the same
 * JSON, since such characters stand in its strings only.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

/** The same on one line: a value cannot look like a row of its own. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
