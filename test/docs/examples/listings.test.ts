import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { TopologyTest } from '../../../src/testing.js';
import { check } from '../../../src/topology/index.js';
import type { Golden } from '../../golden/embeddings.js';
import { listings } from './listings.js';

const { texts } = JSON.parse(readFileSync(new URL('../../golden/embeddings.json', import.meta.url), 'utf8')) as Golden;

it('the listings of the guide get vectors of their photos and titles', async () => {
  expect(check(listings)).toEqual([]);
  const photo = await sharp({ create: { width: 90, height: 60, channels: 3, background: '#c84' } })
    .jpeg()
    .toBuffer();
  const test = new TopologyTest(listings, { partitions: 2 });
  for (const partition of [0, 1]) {
    const values = texts.map(({ text }, i) => ({ id: `${partition}-${i}`, listedAt: i, title: text, photo }));
    await test.pipe(
      'listed',
      [...values, { id: 'broken', listedAt: 99, title: '', photo: Buffer.from('GIF8') }],
      partition,
    );
  }
  await test.finish();
  await test.close();

  const rows = test.output('history') as { id: string; look: number[]; meaning: number[] }[];
  expect(rows).toHaveLength(2 * texts.length);
  for (const { id, look, meaning } of rows) {
    const expected = texts[Number(id.slice(2))]?.['word-piece'].embedding ?? [];
    for (const [i, number] of meaning.entries()) expect(number).toBeCloseTo(expected[i] as number, 5);
    expect(look).toEqual(rows[0]?.look); // one photo, in any batch
    expect(Math.hypot(...look)).toBeCloseTo(1, 6);
  }
  expect(test.output('online')).toEqual(rows);
  expect(test.deadLetters()).toHaveLength(2);
  expect(test.deadLetters()[0]).toMatchObject({ reason: 'image', step: 'pixels' });
});
