import { describe, expect, it } from 'vitest';
import { multinomialBayes } from '../../../../src/ml/index.js';
import { checkLearner } from '../../../../src/testing.js';
import { agreesWithPeer, counts, hashedShape, peerClasses, peerRows } from '../../peers.js';
import { openLearner, vector } from '../../support.js';

const classes = peerClasses as readonly string[];
const classOf = ({ class: label }: { class: string }) => label;

describe('multinomialBayes', () => {
  it('predicts what scikit-learn predicts, weighted or not', () => {
    agreesWithPeer('multinomial', multinomialBayes({ classes, smoothing: 0.5 }), classOf, counts);
    agreesWithPeer('multinomial weighted', multinomialBayes({ classes }), classOf, counts, true);
  });

  it('counts hashed coordinates as dense ones', () => {
    const hashed = openLearner(multinomialBayes({ classes }), { denseSize: 0, hashedSize: 4 });
    const dense = openLearner(multinomialBayes({ classes }), { denseSize: 4, hashedSize: 0 });
    for (const [indices, label] of [
      [[0, 2], 'a'],
      [[1, 2], 'b'],
      [[3], 'c'],
    ] as const) {
      hashed.learnOne(vector([], indices), label);
      dense.learnOne(vector([0, 1, 2, 3].map((i) => Number(indices.includes(i as never)))), label);
    }
    expect(Array.from(hashed.predictOne(vector([], [2, 3])))).toEqual(
      Array.from(dense.predictOne(vector([0, 0, 1, 1]))),
    );
  });

  it('keeps the promises of a learner, a weight being a count of rows', () => {
    const rows = peerRows.slice(0, 15).map((row) => ({ features: vector(row.counts, row.indices), label: row.class }));
    checkLearner(multinomialBayes({ classes }), rows, hashedShape, { weightIsCount: true });
  });

  it('refuses counts below 0', () => {
    const model = openLearner(multinomialBayes({ classes }), { denseSize: 1, hashedSize: 0 });
    expect(model.learnOne(vector([-1]), 'a')).toBe('negative');
  });
});
