/** A difference between two versions of a schema. */
export interface Change {
  readonly kind: 'added' | 'removed' | 'changed';
  /** The field, from the top: `lines[].price`. */
  readonly path: string;
  readonly was: string | undefined;
  readonly is: string | undefined;
}

/** The changes between two versions of a schema, and whether readers of one version can read data of the other. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** Why the new version cannot read all data of the old one; empty if it can. */
  readonly backward: readonly string[];
  /** Why the old version cannot read all data of the new one; empty if it can. */
  readonly forward: readonly string[];
}

/** A short description of each field of a schema, by path. */
export type Outline = ReadonlyMap<string, string>;

/** The changes that lead from one outline to another, in the order of the fields. */
export function changesBetween(before: Outline, after: Outline): Change[] {
  const removed = [...before]
    .filter(([path]) => !after.has(path))
    .map(([path, was]): Change => ({ kind: 'removed', path, was, is: undefined }));
  const others = [...after].flatMap(([path, is]): Change[] => {
    const was = before.get(path);
    if (was === is) return [];
    return [{ kind: was === undefined ? 'added' : 'changed', path, was, is }];
  });
  return [...removed, ...others];
}
