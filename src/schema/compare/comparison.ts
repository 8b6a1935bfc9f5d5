/** A difference between two versions of a schema. */
export interface Change {
  readonly kind: 'added' | 'removed' | 'changed';
  /** The field, from the top: `lines[].price`. */
  readonly path: string;
  readonly was: string | undefined;
  readonly is: string | undefined;
}

/** What lies between two versions of a schema, and who can go on reading whom. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** Why readers with the new version cannot read all that was written with the old; empty where they can. */
  readonly backward: readonly string[];
  /** Why readers with the old version cannot read all that is written with the new; empty where they can. */
  readonly forward: readonly string[];
}

/** The fields of a schema by their path, each in a few words. */
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
