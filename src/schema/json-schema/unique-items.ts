import type { FuncKeywordDefinition } from 'ajv';

/** `uniqueItems` in time linear in the items: held against each other in pairs, one large payload would take hours. */
export const uniqueItems: FuncKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  error: { message: 'must NOT have duplicate items' },
  validate: (isAsked: boolean, items: readonly unknown[]) => !isAsked || areUnique(items),
};

function areUnique(items: readonly unknown[]): boolean {
  const scalars = new Set<unknown>();
  const texts = new Set<string>();
  for (const item of items) {
    if (typeof item === 'object' && item !== null) texts.add(canonical(item));
    else scalars.add(item);
  }
  return scalars.size + texts.size === items.length;
}

/** The same text for values that are equal as JSON: the order of names does not count. */
const canonical = (value: object): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
