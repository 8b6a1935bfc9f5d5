import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installCommand } from '../../util/optional-package.js';

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

/**
 * The commands that install Millrace for the files of a folder, what these import of it needs beside, and what `package.json` declares;
 * none where all of it is there already.
 */
export function installSteps(folder: string, files: Iterable<string>): readonly string[] {
  const millrace = own(folder);
  const peers = besides(files);
  // What package.json declares is installed beside.
  const declared = isFound('typescript', join(resolve(folder), 'file.js')) ? [] : ['npm install'];
  if (millrace.length > 0) return [`npm install ${[...millrace, ...peers].join(' ')}`];
  if (peers.length === 0) return declared;
  const install = installCommand(peers.join(' '), folder);
  return install.includes('--prefix') ? [install, ...declared] : [install];
}

function own(folder: string): readonly string[] {
  if (isFound('millrace/package.json', join(resolve(folder), 'file.js'))) return [];
  // A copy that npm put somewhere came from the registry; any other one is a checkout, and is linked to.
  const { folder: here } = ownPackage();
  return [here.includes(`${sep}node_modules${sep}`) ? 'millrace' : relative(resolve(folder), here) || '.'];
}

/** Optional peers, by what imports of them say. */
const peers = [{ entry: 'millrace/connectors/clickhouse', name: 'chdb', install: 'chdb@3' }];

function besides(files: Iterable<string>): readonly string[] {
  const texts = [...files];
  return peers
    .filter(({ entry, name }) => texts.some((text) => text.includes(`'${entry}'`)) && !isFound(name, import.meta.url))
    .map(({ install }) => install);
}

function isFound(name: string, from: string): boolean {
  try {
    createRequire(from).resolve(name);
    return true;
  } catch {
    return false;
  }
}
