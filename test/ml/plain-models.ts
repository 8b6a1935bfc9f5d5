import type { FeatureNumbers, FeatureShape, Learner } from '../../src/core/index.js';
import { numberCells } from '../../src/ml/model-by-key.js';
import { openCells } from './support.js';

type Key = string | number;

/** Models by key as one would write them down: each a learner of its own, the least recently used first. */
export class PlainModels {
  private readonly models = new Map<Key, ReturnType<PlainModels['open']>>();
  private readonly pooled;
  evicted = 0;

  constructor(
    private readonly learner: Learner<boolean, number>,
    private readonly shape: FeatureShape,
    private readonly modelsMax: number,
  ) {
    this.pooled = this.open();
  }

  private open(from: readonly Float64Array[] = []) {
    const cells = openCells(this.learner.cells(this.shape));
    const numbers = (numberCells(this.learner, this.shape, cells) ?? []).map(({ values }) => values);
    from.forEach((values, i) => {
      numbers[i]?.set(values);
    });
    return { logic: this.learner.open(cells as never, this.shape), numbers };
  }

  predict(features: FeatureNumbers, key: Key): number {
    return (this.models.get(key) ?? this.pooled).logic.predictOne(features);
  }

  /** Returns whether the row was learnt. */
  learn(features: FeatureNumbers, label: boolean, key: Key): boolean {
    const model = this.models.get(key) ?? this.open(this.pooled.numbers);
    if (model.logic.learnOne(features, label) !== 'learnt') return false;
    this.pooled.logic.learnOne(features, label);
    this.models.delete(key);
    if (this.models.size === this.modelsMax) {
      this.models.delete(this.models.keys().next().value as Key);
      this.evicted += 1;
    }
    this.models.set(key, model);
    return true;
  }
}
