import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Millrace's own package: the nearest package.json above this file, from the sources and from dist alike. */
export function ownPackage(): { readonly version: string; readonly folder: string; readonly nodeMin: string } {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    try {
      const { name, version, engines } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
      if (name === 'millrace')
        return { version, folder: fileURLToPath(folder), nodeMin: engines.node.replace('>=', '') };
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT' || folder.pathname === '/') throw error;
    }
  }
}

/** What installs Millrace for the files of a folder; `undefined` where they find it already. */
export function installStep(folder: string): string | undefined {
  try {
    createRequire(join(resolve(folder), 'file.js')).resolve('millrace/package.json');
    return undefined;
  } catch {
    // A copy that npm put somewhere came from the registry; any other one is a checkout, and is linked to.
    const own = ownPackage().folder;
    const isInstalled = own.includes(`${sep}node_modules${sep}`);
    return `npm install ${isInstalled ? 'millrace' : relative(resolve(folder), own) || '.'}`;
  }
}
