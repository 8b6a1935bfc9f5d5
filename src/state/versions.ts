import { isDigest, MillraceError, OTHER_SETTINGS } from '../core/index.js';

/** Converts a value of an earlier version to the current one. */
export type Migrate<T> = (old: unknown, fromVersion: number) => T;

/**
 * How to read a bucket of version `from`: `undefined` if nothing changed, otherwise the migration.
 *
 * @throws MillraceError `state` for a newer version, and for an older one without a migration.
 */
export function migrationFor<T>(from: number, own: number, migrate: Migrate<T> | undefined): Migrate<T> | undefined {
  if (from === own) return undefined;
  if (from < own && migrate) return migrate;
  if (isDigest(from) || isDigest(own)) {
    const message = 'the checkpoint holds state of other settings of the step than those of the code';
    throw new MillraceError('state', message, { hint: OTHER_SETTINGS, permanent: true });
  }
  const hint =
    from > own
      ? 'run the version of the topology that wrote it, or restore an older checkpoint'
      : 'give the cell a `migrate`, or start with empty state';
  throw new MillraceError('state', `the checkpoint holds version ${from} of a cell whose code is at version ${own}`, {
    hint,
    permanent: true,
  });
}
