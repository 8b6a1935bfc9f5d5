import type { FeatureVector } from '../../../core/learner.js';
import type { FeatureView } from '../../../ml/features/index.js';
import { areOnes, onesOf } from '../../../ml/features/ones.js';
import type { Packing } from '../../../state/index.js';

type Key = string | number;

/** A row that waits for its label: what the model saw, what it and the baselines said, and the baselines' groups. */
export interface WaitingRow {
  readonly features: FeatureVector;
  readonly said: readonly number[];
  readonly groups: readonly Key[];
}

/** What of a waiting row is no number of its packed form: groups of which one is a text, hashed values of which one is not 1. */
interface Rest {
  readonly groups?: readonly Key[];
  readonly values?: readonly number[];
}

/**
 * Packs waiting rows of a view, with so many numbers said and groups each. Unpacked rows are one object, good until the next one
 * is unpacked.
 */
export function waitingRows(view: FeatureView, scorers: number, groupings: number): Packing<WaitingRow, Rest | null> {
  const { denseSize } = view.shape;
  const hashed = view.hashedNames.length;
  const dense = new Float32Array(denseSize);
  const indices = new Uint32Array(hashed);
  const named = { view: view.name, hash: view.hash, dense, indices };
  const features: FeatureVector = { ...named, values: onesOf(hashed) };
  const told = new Array<number>(scorers).fill(0);
  const numbers = new Array<number>(groupings).fill(0);
  return {
    width: denseSize + hashed + scorers + groupings,

    pack({ features: of, said, groups }, into, at) {
      let next = at;
      for (let i = 0; i < denseSize; i++) into[next++] = of.dense[i] as number;
      for (let i = 0; i < hashed; i++) into[next++] = of.indices[i] as number;
      for (let i = 0; i < scorers; i++) into[next++] = said[i] as number;
      let isPacked = areOnes(of.values, hashed);
      for (let i = 0; i < groupings; i++) {
        const group = groups[i] as Key;
        const isNumber = typeof group === 'number';
        into[next++] = isNumber ? group : 0;
        isPacked &&= isNumber;
      }
      if (isPacked) return null;
      return {
        ...(groups.some((group) => typeof group !== 'number') && { groups }),
        ...(!areOnes(of.values, hashed) && { values: [...of.values] }),
      };
    },

    unpack(from, at, rest) {
      let next = at;
      for (let i = 0; i < denseSize; i++) dense[i] = from[next++] as number;
      for (let i = 0; i < hashed; i++) indices[i] = from[next++] as number;
      for (let i = 0; i < scorers; i++) told[i] = from[next++] as number;
      for (let i = 0; i < groupings; i++) numbers[i] = from[next++] as number;
      return {
        features: rest?.values ? { ...named, values: Float32Array.from(rest.values) } : features,
        said: told,
        groups: rest?.groups ?? numbers,
      };
    },
  };
}
