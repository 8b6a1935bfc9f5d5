import type { FeatureVector } from '../../../core/learner.js';
import type { FeatureView } from '../../../ml/features/index.js';
import type { Packing } from '../../../state/index.js';

type Key = string | number;

/** A row that waits for its label: what the model saw, what it and the baselines said, and the baselines' groups. */
export interface WaitingRow {
  readonly features: FeatureVector;
  readonly said: readonly number[];
  readonly groups: readonly Key[];
}

/**
 * Packs waiting rows of a view, with so many numbers said and groups each. Groups are no numbers where one of them is a
 * string: then the array is kept. Unpacked rows are one object, good until the next one is unpacked.
 */
export function waitingRows(view: FeatureView, scorers: number, groupings: number): Packing<WaitingRow> {
  const { denseSize } = view.shape;
  const hashed = view.hashedNames.length;
  const dense = new Float32Array(denseSize);
  const indices = new Uint32Array(hashed);
  const values = new Float32Array(hashed);
  const features: FeatureVector = { view: view.name, hash: view.hash, dense, indices, values };
  const told = new Array<number>(scorers).fill(0);
  const numbers = new Array<number>(groupings).fill(0);
  return {
    width: denseSize + 2 * hashed + scorers + groupings,

    pack({ features: of, said, groups }, into, at) {
      let next = at;
      for (let i = 0; i < denseSize; i++) into[next++] = of.dense[i] as number;
      for (let i = 0; i < hashed; i++) into[next++] = of.indices[i] as number;
      for (let i = 0; i < hashed; i++) into[next++] = of.values[i] as number;
      for (let i = 0; i < scorers; i++) into[next++] = said[i] as number;
      let areNumbers = true;
      for (let i = 0; i < groupings; i++) {
        const group = groups[i] as Key;
        const isNumber = typeof group === 'number';
        into[next++] = isNumber ? group : 0;
        areNumbers &&= isNumber;
      }
      return areNumbers ? null : groups;
    },

    unpack(from, at, groups) {
      let next = at;
      for (let i = 0; i < denseSize; i++) dense[i] = from[next++] as number;
      for (let i = 0; i < hashed; i++) indices[i] = from[next++] as number;
      for (let i = 0; i < hashed; i++) values[i] = from[next++] as number;
      for (let i = 0; i < scorers; i++) told[i] = from[next++] as number;
      for (let i = 0; i < groupings; i++) numbers[i] = from[next++] as number;
      return { features, said: told, groups: (groups as readonly Key[] | null) ?? numbers };
    },
  };
}
