import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { addressOf, isPage, repository } from './pages.js';

// Documents link to each other and to the sources by relative paths, which work in a clone and in the package. The site has the
// sources that are linked to beside it, as text.

const FOLDER = 'files';
const linked = new Set<string>();

/** Makes relative links of documents those of the site. @throws Error for a target that there is not */
export function siteLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('site-links', ({ tokens, env }) => {
    for (const token of tokens)
      for (const child of token.children ?? []) {
        const href = child.type === 'link_open' ? child.attrGet('href') : null;
        if (href !== null && !/^(\w+:|#|\/)/.test(href)) child.attrSet('href', addressIn(env.relativePath, href));
      }
  });
}

/** GitHub draws Mermaid. Here it is text, which who wants to can open: a library that draws it is larger than the site. */
export function foldedMermaid(md: MarkdownRenderer): void {
  const { fence } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, ...others) => {
    const block = fence?.(tokens, index, ...others) ?? '';
    return tokens[index]?.info === 'mermaid'
      ? `<details><summary>The graph, in Mermaid</summary>${block}</details>`
      : block;
  };
}

function addressIn(page: string, href: string): string {
  const [path = '', hash] = href.split('#');
  const target = posix.join(posix.dirname(page), decodeURI(path)).replace(/\/$/, '');
  const anchor = hash === undefined ? '' : `#${hash}`;
  if (isPage(target)) return addressOf(target) + anchor;
  if (!statSync(join(repository, target)).isDirectory()) return fileAddress(target);
  const names = readdirSync(join(repository, target));
  const first = ['README.md', 'millrace.md'].find((name) => names.includes(name));
  return first === undefined ? fileAddress(target) : addressOf(`${target}/${first}`);
}

function fileAddress(path: string): string {
  linked.add(path);
  return `/${FOLDER}/${path}.txt`;
}

/** Puts the sources that documents link to into the built site; of a folder the names in it. */
export function copyLinked(site: string): void {
  for (const path of linked) {
    const from = join(repository, path);
    const to = join(site, FOLDER, `${path}.txt`);
    mkdirSync(dirname(to), { recursive: true });
    if (statSync(from).isDirectory()) writeFileSync(to, `${readdirSync(from).join('\n')}\n`);
    else cpSync(from, to);
  }
}
