import { printableLine } from './printable.js';

/** Rows as an aligned table with a header; numbers are right-aligned. */
export function textTable(objects: readonly object[]): string {
  const rows = objects as readonly Readonly<Record<string, unknown>>[];
  const [first] = rows;
  if (first === undefined) return 'no rows\n';
  const columns = Object.keys(first);
  const cells = rows.map((row) => columns.map((column) => cellText(row[column])));
  const widths = columns.map((column, index) =>
    Math.max(printableLine(column).length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const isNumeric = columns.map((column) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === null),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => (isNumeric[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[columns.map(printableLine), widths.map((width) => '-'.repeat(width)), ...cells].map(line).join('\n')}\n`;
}

const cellText = (value: unknown): string =>
  printableLine(typeof value === 'object' ? JSON.stringify(value) : String(value));
