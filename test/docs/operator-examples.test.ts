import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, linesOf } from '../../docs/examples/run.js';
import { check } from '../../src/topology/index.js';
import { repository } from '../import-graph.js';
import { read as document, fenced, fill, withOutput } from './generated.js';
import { publishedOperators } from './published-operators.js';

// Each example says at its end what comes out of it. `npx vitest run --project unit test/docs -u` writes that anew.

const folder = join(repository, 'docs/examples');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');
const shared = ['io.ts', 'run.ts'];
const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !shared.includes(file));
const fileOf = (operator: string) => `${operator.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`;

describe('examples', () => {
  it('are there for every operator', () => {
    const missing = publishedOperators().filter((operator) => {
      const file = fileOf(operator);
      return (
        !files.includes(file) ||
        !new RegExp(`import \\{[^}]*\\b${operator}\\b[^}]*\\} from 'millrace'`).test(read(file))
      );
    });
    expect(missing).toEqual([]);
  });

  it.each(files)('%s gives what it says', async (file) => {
    const shown = (await import(join(folder, file))) as Example;
    expect(check(shown.example)).toEqual([]);
    // A description calls an operator what the code calls it.
    for (const { kind } of shown.example.steps) expect(publishedOperators()).toContain(kind);
    const lines = await linesOf(shown);
    expect(lines.length).toBeGreaterThan(0);
    await expect(withOutput(read(file), lines)).toMatchFileSnapshot(join(folder, file));
  });
});

describe('the cookbook', () => {
  const recipes = readdirSync(join(folder, 'cookbook')).map((file) => `cookbook/${file}`);
  const page = 'docs/guide/cookbook.md';

  it.each(recipes)('%s gives what it says', async (file) => {
    const shown = (await import(join(folder, file))) as Example;
    expect(check(shown.example)).toEqual([]);
    const lines = await linesOf(shown);
    expect(lines.length).toBeGreaterThan(0);
    await expect(withOutput(read(file), lines)).toMatchFileSnapshot(join(folder, file));
  });

  it('shows each of them, as it is tested', async () => {
    const name = (file: string) => file.replace('cookbook/', '').replace('.ts', '');
    const shown = recipes.reduce((text, file) => fill(text, name(file), fenced('ts', read(file))), document(page));
    await expect(shown).toMatchFileSnapshot(join(repository, page));
  });
});
