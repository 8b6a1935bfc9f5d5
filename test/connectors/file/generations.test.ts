import { renameSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findAgain, generationsOf, headOf, idOf, openGeneration } from '../../../connectors/file/generations.js';
import { newFolder } from './folder.js';

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
