import { defineConfig } from 'vitepress';
import { copyLinked, foldedMermaid, siteLinks } from './links.js';
import { excluded, sidebar } from './pages.js';

// The documents as a site: `npm run docs`. Pages are those of the repository as they are, so that they also read well in a clone
// and in the package. Nothing is loaded from elsewhere, and a link to a page that there is not fails the build.

export default defineConfig({
  title: 'Millrace',
  description: 'Stream processing with online learning and micro-batched inference, in one typed topology file',
  srcDir: '..',
  srcExclude: excluded(),
  rewrites: {
    'README.md': 'index.md',
    'docs/adr/README.md': 'docs/adr/index.md',
    'docs/connectors/README.md': 'docs/connectors/index.md',
  },
  markdown: {
    config(md) {
      siteLinks(md);
      foldedMermaid(md);
    },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/docs/guide/topologies' },
      { text: 'Operators', link: '/docs/guide/operators' },
      { text: 'Connectors', link: '/docs/connectors/' },
      { text: 'API', link: '/docs/api/millrace' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
  },
  // The index of the search is one file.
  vite: { build: { chunkSizeWarningLimit: 4_000 } },
  buildEnd: ({ outDir }) => copyLinked(outDir),
});
