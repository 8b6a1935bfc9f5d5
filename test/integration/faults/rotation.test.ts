import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { Source } from '../../../src/core/source.js';
import { localRegistry, ndjson } from '../../../src/schema/index.js';
import { range } from '../../../src/testing/sink-task.js';
import { generator } from '../../random.js';

const ROTATIONS = 4;
const LINES = 1_500;

/** Writes numbered lines, cut anywhere, as a program does whose log is rotated under it: for a while it goes on in the old file. */
async function writeOn(path: string, random: () => number, isBegun: () => boolean): Promise<void> {
  const text = Buffer.from(
    range(0, LINES)
      .map((n) => `${n}\n`)
      .join(''),
  );
  let target = path;
  let rotations = 0;
  for (let at = 0; at < text.length; ) {
    const most = text.length - at;
    const length = Math.min(most, 1 + Math.floor(random() * 60));
    appendFileSync(target, text.subarray(at, at + length));
    at += length;
    const isLineEnd = text[at - 1] === 10;
    if (target !== path && isLineEnd) target = path; // it opens its log anew
    if (target === path && rotations < ROTATIONS && at > ((rotations + 1) * text.length) / (ROTATIONS + 1)) {
      // Who has read nothing yet begins with the newest file.
      while (!isBegun()) await sleep(5);
      for (let n = rotations; n > 0; n--) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
      renameSync(path, `${path}.1`);
      rotations += 1;
      target = `${path}.1`;
      if (random() < 0.5) writeFileSync(path, ''); // logrotate's `create`
    }
    await sleep(random() * 12);
  }
  expect(rotations).toBe(ROTATIONS);
}

it.concurrent.each([1, 2])(
  'file.tailSource loses and doubles no line of a log that is rotated under it, wherever it dies (seed %i)',
  async (seed) => {
    const random = generator(seed);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-rotation-'));
    const path = join(folder, 'app.log');
    const source = file.tailSource({ path, schema: ndjson<unknown>(), eventTime: () => 0 }) as Source<unknown>;
    const { source: driver } = openFiles({ schemas: localRegistry() });
    const read: number[] = [];
    let place: unknown;
    const writing = writeOn(path, random, () => place !== undefined);
    let deaths = 0;
    while (read.length < LINES) {
      const offset = read.length === 0 ? EARLIEST : read.length;
      const reader = await driver.open(source, {
        task: { topology: 't', partition: 0 },
        partition: 0,
        offset,
        bounded: false,
        step: 'in',
        sourceState: place,
      });
      const kept: number[] = [];
      const polls = 1 + Math.floor(random() * 25);
      for (let poll = 0; poll < polls && read.length + kept.length < LINES; poll++) {
        const { records } = await reader.poll(1 + Math.floor(random() * 200));
        kept.push(...records.map(({ value }) => Number(Buffer.from(value ?? []).toString())));
        if (records.length === 0 || random() < 0.5) continue;
        read.push(...kept.splice(0)); // a checkpoint
        place = JSON.parse(JSON.stringify(reader.sourceStateOf?.(read.length)));
      }
      if (read.length + kept.length === LINES) read.push(...kept.splice(0));
      expect(read).toEqual(range(0, read.length));
      await reader.close(); // what came since the checkpoint is forgotten
      deaths += 1;
    }
    await writing;
    expect(existsSync(`${path}.${ROTATIONS}`)).toBe(true);
    expect(deaths).toBeGreaterThan(2);
    rmSync(folder, { recursive: true });
  },
);
