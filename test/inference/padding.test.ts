import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModelInput } from '../../src/core/index.js';
import { measuredSizes } from '../../src/inference/scheduling/latency-curve.js';
import { layoutOf, viewsOf } from '../../src/inference/scheduling/layout.js';
import { measuredSize, padded } from '../../src/inference/session/padding.js';
import type { RunRows } from '../../src/inference/session/runner.js';

const inputs: readonly ModelInput[] = [
  { name: 'x', type: 'float32', shape: [2] },
  { name: 'id', type: 'int64', shape: [] },
  { name: 'words', type: 'string', shape: [2] },
];
const ROWS = 50;
const layout = layoutOf(inputs, 1, ROWS);
const views = viewsOf(layout, new ArrayBuffer(layout.byteLength)) as unknown as [Float32Array, BigInt64Array, string[]];
for (let row = 0; row < ROWS; row++) {
  views[0].set([row, -row], 2 * row);
  views[1][row] = BigInt(row);
  views[2].push(`${row}`, `-${row}`);
}

/** Gives back its rows, and writes down which it was asked about. */
function mirror() {
  const asked: number[][] = [];
  const run: RunRows = async (_, [x, id, words], from, rows) => {
    const ids = Array.from((id as BigInt64Array).subarray(from, from + rows), Number);
    asked.push(ids);
    const wordsOf = (row: number) => (words as string[]).slice(2 * (from + row), 2 * (from + row + 1));
    const discrete = ids.map((each, row) => [each, ...wordsOf(row)]);
    return { scores: (x as Float32Array).slice(2 * from, 2 * (from + rows)), discrete };
  };
  return { run, asked };
}

test('runs have sizes that were run before, and no row but those that were asked about', async () => {
  const anyRows = fc
    .tuple(fc.nat({ max: ROWS - 1 }), fc.integer({ min: 1, max: ROWS }), fc.integer({ min: 1, max: ROWS }))
    .filter(([from, rows, rowsMax]) => from + rows <= ROWS && rows <= rowsMax);
  await fc.assert(
    fc.asyncProperty(anyRows, async ([from, rows, rowsMax]) => {
      const { run, asked } = mirror();
      const sizeOf = (some: number) => measuredSize(some, rowsMax);
      expect(await padded(run, sizeOf)(layout, views, from, rows)).toEqual(
        await mirror().run(layout, views, from, rows),
      );
      const [ids = []] = asked;
      const own = Array.from({ length: rows }, (_, row) => from + row);
      expect(ids.slice(0, rows)).toEqual(own);
      expect(new Set(ids.slice(rows))).toEqual(new Set(ids.length > rows ? own.slice(-1) : []));
      expect(measuredSizes(rowsMax)).toContain(ids.length);
      expect(asked).toHaveLength(1);
    }),
  );
});

test('what is larger than anything that was run is run as it is', async () => {
  const { run, asked } = mirror();
  await padded(run, (rows) => measuredSize(rows, 4))(layout, views, 0, 7);
  expect(asked[0]).toHaveLength(7);
});
