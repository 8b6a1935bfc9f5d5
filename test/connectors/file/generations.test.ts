import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findAgain, generationsOf, headOf, idOf, openGeneration } from '../../../connectors/file/generations.js';
import { newFolder } from './folder.js';

it('the generations of a file are its rotated ones, the oldest first, and it itself last, however old it is', async () => {
  const folder = newFolder();
  const names = [
    '',
    '.1',
    '.2',
    '-20261126',
    '_old',
    '.old',
    '.older',
    'x',
    '.gz',
    '.3.gz',
    '-1.zst',
    '.4.xz',
    '.5.bz2',
  ];
  for (const name of names) writeFileSync(join(folder, `app.log${name}`), name);
  mkdirSync(join(folder, 'app.log.9'));
  const written = { '': 1, '.1': 9, '.2': 5, '-20261126': 3, _old: 7, '.old': 7 };
  for (const [name, seconds] of Object.entries(written)) utimesSync(join(folder, `app.log${name}`), seconds, seconds);
  const found = await generationsOf(join(folder, 'app.log'));
  expect(found.map(({ path, writtenMs }) => [path.slice(folder.length + 1), writtenMs])).toEqual([
    ['app.log-20261126', 3_000],
    ['app.log.2', 5_000],
    ['app.log_old', 7_000],
    ['app.log.old', 7_000],
    ['app.log.1', 9_000],
    ['app.log', 1_000],
  ]);
  expect(await generationsOf(join(folder, 'none', 'app.log'))).toEqual([]);
});

it('a file is known by its inode and its first bytes: another one in its place is not it', async () => {
  const path = join(newFolder(), 'app.log');
  writeFileSync(path, 'x'.repeat(1_000));
  const [own] = await generationsOf(path);
  const file = own && (await openGeneration(own));
  if (!own || !file) throw new Error('it is there');
  const identity = { id: own.id, head: await headOf(file) };
  await file.close();
  expect(identity.head).toEqual({ bytes: 256, digest: 'heYqzXUMTrVre2od' }); // as it stands in checkpoints
  writeFileSync(path, `${'x'.repeat(256)} and longer`); // of the same beginning
  expect((await findAgain(path, identity))?.id).toBe(own.id);
  writeFileSync(path, `${'x'.repeat(255)}y`);
  expect(await findAgain(path, identity)).toBeUndefined();
  writeFileSync(path, 'x'.repeat(255)); // shorter than what was seen
  expect(await findAgain(path, identity)).toBeUndefined();
  expect(await findAgain(path, { ...identity, id: '0:0' })).toBeUndefined();
  expect(await openGeneration({ ...own, id: '0:0' })).toBeUndefined();
});

it('a file is found again, and none is left out, where all of them are renamed meanwhile', async () => {
  const path = join(newFolder(), 'app.log');
  const kept = 4;
  for (const name of ['', '.1', '.2', '.3']) writeFileSync(path + name, `first line of ${name}`);
  const [own] = (await generationsOf(path)).filter((each) => each.path === path);
  const file = own && (await openGeneration(own));
  if (file === undefined) throw new Error('it is there');
  const identity = { id: idOf(await stat(path)), head: await headOf(file) };
  await file.close();

  const rotate = () => {
    renameSync(`${path}.3`, `${path}.0`);
    for (const n of [2, 1]) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
    renameSync(path, `${path}.1`);
    renameSync(`${path}.0`, path);
  };
  for (let times = 0; times < 300; times++) {
    const looking = [generationsOf(path), findAgain(path, identity)] as const;
    for (let turn = 0; turn < times % 20; turn++) await nextTurn();
    rotate();
    const [generations, found] = await Promise.all(looking);
    expect(new Set(generations.map(({ id }) => id)).size).toBe(kept);
    expect(found?.id).toBe(identity.id);
  }
});
