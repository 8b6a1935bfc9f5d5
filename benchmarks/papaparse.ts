import { createRequire } from 'node:module';

/** The two calls of papaparse that benchmarks make; its types are a package of their own. */
export interface Papaparse {
  parse(text: string, options?: { readonly dynamicTyping?: boolean }): { readonly data: readonly unknown[][] };
  unparse(
    rows: readonly object[],
    options: { readonly header: boolean; readonly columns: readonly string[]; readonly newline: string },
  ): string;
}

/** A CSV library that many use. */
export const papaparse = createRequire(import.meta.url)('papaparse') as Papaparse;
