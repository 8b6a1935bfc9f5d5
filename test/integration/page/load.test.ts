import { expect, it } from 'vitest';
import { watchPage } from '../../../benchmarks/page-load/watch.js';

// What `npm run bench -- page-load` measures, without the clock: a machine may be slow.

it('shows a run of 300 steps, 64 tasks and 200 measures for few bytes and few changes', async () => {
  const cost = await watchPage({ steps: 300, tasks: 64, measures: 200, seconds: 6 });
  // Boxes that are scrolled away get their figures within five pictures.
  expect(cost.pictures).toBeGreaterThanOrEqual(5);
  expect(cost.emptyBoxes).toBe(0);
  expect(cost.bytesASecond).toBeLessThan(20_000);
  // 350 of the table of measures, 130 of that of inputs, and those of the boxes on the screen.
  expect(cost.changesAPicture).toBeLessThan(1_200);
  expect(cost.pageHeap.at(-1)).toBeLessThan(8 * 2 ** 20);
});
