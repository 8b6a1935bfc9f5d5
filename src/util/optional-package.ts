import { MillraceError } from '../core/errors.js';

export interface OptionalPackage {
  readonly name: string;
  /** What npm is told to install, where the newest version may not do. */
  readonly install?: string;
  /** What cannot work without it. */
  readonly neededBy: string;
  readonly where: string;
}

/**
 * Loads a package that only some topologies need: an optional peer, which those who need it install.
 *
 * @throws MillraceError `config` with the command that installs it.
 */
export async function optionalPackage<T>(
  { name, install = name, neededBy, where }: OptionalPackage,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new MillraceError('config', `the package '${name}' cannot be loaded`, {
      where,
      hint: `${neededBy} needs it: npm install ${install}`,
      permanent: true,
      cause,
    });
  }
}
