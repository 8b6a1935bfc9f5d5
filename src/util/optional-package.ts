import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
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
      hint: `${neededBy} needs it: ${installCommand(install)}`,
      permanent: true,
      cause,
    });
  }
}

/**
 * The command that installs packages where Millrace finds them: in the folder that Millrace is installed in, which may be above
 * the one where commands run. `file` is one of Millrace's own.
 */
export function installCommand(packages: string, from = process.cwd(), file = fileURLToPath(import.meta.url)): string {
  const end = file.lastIndexOf(join(sep, 'node_modules', 'millrace', sep));
  const folder = file.slice(0, Math.max(0, end));
  // A checkout, or a store of packages, is nobody's folder.
  const isElsewhere = end > 0 && folder !== resolve(from) && existsSync(join(folder, 'package.json'));
  return `npm install ${isElsewhere ? `--prefix ${quoted(relative(resolve(from), folder))} ` : ''}${packages}`;
}

const quoted = (path: string): string => (/^[\w./@-]+$/.test(path) ? path : JSON.stringify(path));
