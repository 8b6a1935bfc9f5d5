/** The rows of a result in `JSONEachRow`. */
export function parseRows<T>(text: string): T[] {
  const rows: T[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    if (to > from) rows.push(JSON.parse(text.slice(from, to)) as T);
    from = to + 1;
  }
  return rows;
}
