import type { Settings } from '../core/operator.js';
import type { Cell, CellSpec, CellSpecs } from '../core/state.js';

// What is made of several learners or transformers has the settings and the cells of all of them.

/** Settings of all parts, each under the name of its part. */
export const settingsOfParts = (
  parts: readonly (readonly [name: string, settings: Settings | undefined])[],
): Settings =>
  Object.freeze(
    Object.fromEntries(
      parts.flatMap(([part, settings = {}]) =>
        Object.entries(settings).map(([name, value]) => [`${part}.${name}`, value]),
      ),
    ),
  );

/** The revision of all parts. Each one only rises, so no two states of the parts have one sum. */
export const revisionOfParts = (parts: readonly { readonly revision?: number }[]): number =>
  parts.reduce((sum, { revision = 1 }) => sum + revision, 0);

const prefixOf = (part: number): string => `${part}-`;

/** The cells of all parts, in their order. */
export const cellsOfParts = (parts: readonly CellSpecs[]): CellSpecs =>
  Object.fromEntries(
    parts.flatMap((specs, part) =>
      Object.entries<CellSpec>(specs).map(([name, spec]) => [prefixOf(part) + name, spec]),
    ),
  );

/** Those of one part among the cells of all. */
export const cellsOfPart = <C extends Cell>(cells: Readonly<Record<string, C>>, part: number): Record<string, C> =>
  Object.fromEntries(
    Object.entries(cells)
      .filter(([name]) => name.startsWith(prefixOf(part)))
      .map(([name, cell]) => [name.slice(prefixOf(part).length), cell]),
  );
