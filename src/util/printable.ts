// Terminals execute control characters: a record could move the cursor, change the title or overwrite earlier lines.

/** C0 except tab and line feed, DEL and C1, line separators, and characters that reverse the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text without effect on a terminal: control characters become `\uXXXX`. Lines and tabs stay. JSON stays equivalent, since such
 * characters occur in its strings only.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

/** The same on one line, so that a value cannot look like another row. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
