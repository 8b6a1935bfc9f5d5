import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { DataSet } from './data-set.js';

const FILE = 'sklearn/datasets/data/digits.csv.gz';
const SIDE = 8;
const EVERY_MS = 10_000;
const LABEL_AFTER_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 5, 8);

/** How many pixels the camera has moved in each replay, to the right. */
const SHIFTS = [0, 1, -1];

/** The digits three times: as they were scanned, then as a camera sees them that was knocked a pixel to one side, then to the other. */
export const digits: DataSet = {
  name: 'digits',
  topologies: ['digits'],
  revision: 1,
  about:
    'Optical Recognition of Handwritten Digits (Alpaydin, Kaynak 1998), test part: 1,797 images, CC BY 4.0, as in scikit-learn (BSD)',
  from: {
    package: {
      registry: 'pypi',
      name: 'scikit-learn',
      version: '1.7.2',
      sha256: '89877e19a80c7b11a2891a27c21c4894fb18e2c2e077815bcade10d34287b20d',
    },
    paths: [FILE],
  },
  async streams(folder) {
    const text = gunzipSync(await readFile(join(folder, FILE))).toString();
    const images = text
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number));
    const scans = SHIFTS.flatMap((shift) =>
      images.map((image) => ({ pixels: shifted(image.slice(0, 64), shift), digit: image[64] })),
    );
    const at = (id: number) => START_MS + id * EVERY_MS;
    return {
      digits: scans.map(({ pixels }, id) => ({ id, camera: 'a', scannedAt: at(id), pixels })),
      labels: scans.map(({ digit }, id) => ({ id, readAt: at(id) + LABEL_AFTER_MS, digit })),
    };
  },
};

/** An image whose rows are moved to the right; what comes in from the side is blank. */
function shifted(pixels: readonly number[], by: number): number[] {
  return pixels.map((_, place) => {
    const column = (place % SIDE) - by;
    return column < 0 || column >= SIDE ? 0 : (pixels[place - by] ?? 0);
  });
}
