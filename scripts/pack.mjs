// Packs the package as it is published: as `npm pack` does, but its documents link to nothing that the package lacks, such as tests.
// `npm run pack` prints the name of the file.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Packs into a folder, and returns the path of the file. */
export function pack(destination, env = process.env) {
  const temp = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
  const npmPack = (cwd, to, ...args) => {
    const options = { cwd, env, encoding: 'utf8' };
    const printed = execFileSync('npm', ['pack', '--silent', '--pack-destination', to, ...args], options);
    return join(to, printed.trim().split('\n').at(-1));
  };
  try {
    execFileSync('tar', ['xzf', npmPack(repository, temp), '-C', temp]);
    const folder = join(temp, 'package');
    for (const path of documentsOf(folder)) {
      const text = readFileSync(path, 'utf8');
      writeFileSync(
        path,
        text.replaceAll(LINK, (all, name, target) => (target === undefined || leads(path, target) ? all : name)),
      );
    }
    return npmPack(folder, destination, '--ignore-scripts');
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** The links of the documents in a folder, but those to elsewhere, and which of them lead nowhere. */
export function linksOf(folder) {
  const links = documentsOf(folder).flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(LINK)].flatMap(([, , target]) => (target ? [{ path, target }] : [])),
  );
  return { links, dead: links.filter(({ path, target }) => !leads(path, target)) };
}

/** The text and the path of a link that is no URL and no anchor of its own page. Code comes first: it has brackets, and no links. */
const LINK =
  /^ *```[\s\S]*?^ *```|(?<!\[)`[^`\n]+`|(?<!!)\[((?:[^\][]|\[[^\][]*\])*)\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)/gm;

const leads = (path, target) => existsSync(resolve(dirname(path), target));

const documentsOf = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(pack(repository));
