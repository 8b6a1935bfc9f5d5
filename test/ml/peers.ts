import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { FeatureVector, Learner } from '../../src/core/index.js';
import { openLearner, vector } from './support.js';

/** A row of the golden file that `benchmarks/peers/learners.py` writes. */
export interface PeerRow {
  readonly dense: readonly number[];
  readonly indices: readonly number[];
  readonly counts: readonly number[];
  readonly binary: boolean;
  readonly number: number;
  readonly class: string;
  readonly weight: number;
}

type Predictions = readonly (readonly number[] | null)[];
const lines: readonly { row?: PeerRow; name?: string; predictions?: Predictions }[] = readFileSync(
  new URL('peers.ndjson', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

export const peerRows: readonly PeerRow[] = lines.flatMap(({ row }) => row ?? []);
const predictionsOf = new Map(lines.map(({ name, predictions }) => [name, predictions]));
export const peerClasses = ['a', 'b', 'c'] as const;
/** Dense features only, and with hashed ones. */
export const denseShape = { denseSize: 4, hashedSize: 0 };
export const hashedShape = { denseSize: 4, hashedSize: 8 };

export const both = ({ dense, indices }: PeerRow): FeatureVector => vector(dense, indices);
export const onlyDense = ({ dense }: PeerRow): FeatureVector => vector(dense);
export const counts = ({ counts: of }: PeerRow): FeatureVector => vector(of);

/** Whether a learner predicts each row as the peer did, to 1e-9 of the size of the prediction, or of 1. */
export function agreesWithPeer<Y, P>(
  name: string,
  learner: Learner<Y, P>,
  labelOf: (row: PeerRow) => Y,
  featuresOf: (row: PeerRow) => FeatureVector = both,
  isWeighted = false,
): void {
  const expected = predictionsOf.get(name);
  if (!expected) throw new Error(`the golden file has no ${name}`);
  const { dense, indices } = featuresOf(peerRows[0] as PeerRow);
  const logic = openLearner(learner, { denseSize: dense.length, hashedSize: indices.length > 0 ? 8 : 0 });
  peerRows.forEach((row, i) => {
    const features = featuresOf(row);
    const prediction = logic.predictOne(features);
    const said = typeof prediction === 'number' ? [prediction] : Array.from(prediction as Float64Array);
    // A row before anything is known counts where the peer has an answer for it.
    expected[i]?.forEach((of, place) => {
      const off = Math.abs((said[place] as number) - of) / Math.max(1, Math.abs(of));
      expect(off, `${name}, row ${i}: ${said[place]} is not ${of}`).toBeLessThan(1e-9);
    });
    expect(logic.learnOne(features, labelOf(row), isWeighted ? row.weight : 1)).toBe('learnt');
  });
}
