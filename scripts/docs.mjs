// The documents as a site, made by VitePress, whose packages are apart from those of the repository: only who looks at the site
// needs them. `npm run docs` serves it and follows changes; `npm run docs:build` builds it and checks every link, without a network.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
const own = join(repository, 'website');
const site = join(own, '.vitepress/dist');

if (process.argv.includes('--help')) {
  console.log(`npm run docs           serves the documents as a site, and follows changes
npm run docs:build     builds it in website/.vitepress/dist, and checks every link of it`);
  process.exit(0);
}

const isBuild = process.argv[2] === 'build';
if (!existsSync(join(own, 'node_modules/vitepress')))
  execFileSync('npm', ['ci', '--no-fund', '--no-audit'], { cwd: own, stdio: 'inherit' });
const program = join(own, 'node_modules/vitepress/bin/vitepress.js');
const { status } = spawnSync(process.execPath, [program, isBuild ? 'build' : 'dev', 'website'], {
  cwd: repository,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
if (isBuild) {
  const { pages, links, broken } = checkLinks();
  for (const each of broken) console.error(`broken: ${each}`);
  console.log(`${pages} pages, ${links} links, ${broken.length} broken`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

/** Every link of the built site: to a file that is there, to an anchor that is in it; and nothing that a page loads from elsewhere. */
function checkLinks() {
  const files = new Set(
    readdirSync(site, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => posix.join('/', entry.parentPath.slice(site.length), entry.name)),
  );
  const pages = new Map(
    [...files]
      .filter((path) => path.endsWith('.html'))
      .map((path) => {
        const text = readFileSync(join(site, path), 'utf8');
        return [path, { text, ids: new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)) }];
      }),
  );
  const broken = [];
  let links = 0;
  for (const [page, { text }] of pages) {
    for (const [, tag, , value] of text.matchAll(/<(\w+)[^>]* (href|src)="([^"]*)"/g)) {
      const isExternal = /^(\w+:)?\/\//.test(value);
      if (isExternal && tag !== 'a') broken.push(`${page} loads ${value}`);
      if (isExternal || /^(mailto|data):/.test(value)) continue;
      links += 1;
      const [path, hash] = value.replaceAll('&amp;', '&').split('#');
      const at = path === '' ? page : posix.join(path.startsWith('/') ? '/' : dirname(page), decodeURI(path));
      const target = [at, `${at}.html`, posix.join(at, 'index.html')].find((each) => files.has(each));
      if (target === undefined) broken.push(`${page} -> ${value}`);
      else if (hash && pages.has(target) && !pages.get(target).ids.has(decodeURIComponent(hash)))
        broken.push(`${page} -> ${value}: no such anchor`);
    }
  }
  return { pages: pages.size, links, broken };
}
