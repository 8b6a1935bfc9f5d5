import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filesOf, isCovered, isMatch, likenessOf } from '../../../connectors/file/listing.js';
import { newFolder } from './folder.js';

describe('names', () => {
  /** The definition: a star takes any characters, others themselves. */
  function matches([first, ...rest]: readonly string[], name: readonly string[]): boolean {
    if (first === undefined) return name.length === 0;
    if (first === '*') return name.some((_, i) => matches(rest, name.slice(i))) || matches(rest, []);
    return name[0] === first && matches(rest, name.slice(1));
  }
  const letters = (more: readonly string[]) =>
    fc.array(fc.constantFrom('a', 'b', '.', '+', '\n', ...more), { maxLength: 6 });

  it('match patterns by stars alone', () => {
    fc.assert(
      fc.property(letters(['*']), letters([]), (pattern, name) => {
        const isHidden = name[0] === '.' && pattern[0] !== '.';
        expect(isMatch(pattern.join(''), name.join(''))).toBe(!isHidden && matches(pattern, name));
      }),
      { numRuns: 1_000 },
    );
  });

  it('that begin with a dot or an underscore match only what does so too', () => {
    for (const [pattern, name, is] of [
      ['*', '_a', false],
      ['_*', '_a', true],
      ['*', '.a', false],
      ['.*', '.a', true],
      ['*', 'a_', true],
    ] as const)
      expect(isMatch(pattern, name)).toBe(is);
  });

  it('of paths match part by part, however they are written', () => {
    for (const [path, file, is] of [
      ['out/*.csv', 'out/a.csv', true],
      ['./out/*.csv', 'out/x/../a.csv', true],
      ['out/*', 'out/day/a.csv', false],
      ['out/*/*.csv', 'out/day/a.csv', true],
      ['out/a.csv', 'out/b.csv', false],
    ] as const)
      expect(isCovered(path, file)).toBe(is);
  });
});

describe('files', () => {
  const folderOf = (...names: readonly string[]) => {
    const folder = newFolder();
    for (const name of names) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), name);
    }
    return folder;
  };

  it('are those that a path matches, by code units, and no folders', async () => {
    const folder = folderOf('b.csv', 'a.csv', 'B.csv', 'ä.csv', 'c.csv/d.csv', 'c.csv/_e.csv', 'f/g.csv');
    const below = async (path: string) =>
      (await filesOf(join(folder, path))).map((file) => file.slice(folder.length + 1));
    expect(await below('*.csv')).toEqual(['B.csv', 'a.csv', 'b.csv', 'ä.csv']);
    expect(await below('*/*.csv')).toEqual(['c.csv/d.csv', 'f/g.csv']);
    expect([await below('a.csv'), await below('c.csv'), await below('z.csv')]).toEqual([['a.csv'], [], []]);
    await expect(filesOf(join(folder, 'none/*.csv'))).rejects.toMatchObject({
      ...{ code: 'source', where: join(folder, 'none') },
    });
  });

  it('of the working directory keep the names that they are given by, and those of the root theirs', async () => {
    expect(await filesOf('package*.json')).toEqual(['package-lock.json', 'package.json']);
    const folder = realpathSync(folderOf('a'));
    const [, first = '', ...rest] = folder.split('/');
    expect(await filesOf(`/${first.slice(0, -1)}*/${rest.join('/')}/*`)).toEqual([join(folder, 'a')]);
  });

  it('are alike only where size, beginning and end are', async () => {
    const folder = newFolder();
    const path = join(folder, 'a');
    const stateOf = async (bytes: Buffer) => {
      writeFileSync(path, bytes);
      const { size, mark, writtenMs } = (await likenessOf(path)) ?? { size: -1, mark: '', writtenMs: 0.5 };
      expect([size, Number.isInteger(writtenMs)]).toEqual([bytes.length, true]);
      return `${size} ${mark}`;
    };
    const bytes = Buffer.alloc(20_000, 'x');
    const same = await stateOf(bytes);
    expect(same).toBe('20000 GPjS60o4e7weN-wJ'); // as it stands in checkpoints
    expect(await stateOf(Buffer.from(bytes))).toBe(same);
    for (const at of [0, 4_095, 20_000 - 4_096, 19_999]) {
      const other = Buffer.from(bytes);
      other[at] = 0;
      expect([at, (await stateOf(other)) === same]).toEqual([at, false]);
    }
    expect(await stateOf(Buffer.alloc(19_999, 'x'))).not.toBe(same);
    expect(await stateOf(Buffer.from('short'))).not.toBe(await stateOf(Buffer.from('shorn')));
    expect(await likenessOf(join(folder, 'none'))).toBeUndefined();
    await expect(likenessOf(join(path, 'below'))).rejects.toMatchObject({ code: 'source', where: join(path, 'below') });
  });
});
