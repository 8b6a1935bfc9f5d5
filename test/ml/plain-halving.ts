import type {
  BucketChange,
  Cell,
  CellSpec,
  FeatureShape,
  FeatureVector,
  Learner,
  LearnerLogic,
} from '../../src/core/index.js';
import { openCells } from './support.js';

/** A candidate that was dropped. */
export interface PlainDrop {
  readonly candidate: string;
  readonly loss: number;
  readonly best: string;
  readonly bestLoss: number;
  readonly labels: number;
}

interface Runner {
  readonly name: string;
  readonly place: number;
  readonly cells: Readonly<Record<string, Cell>>;
  readonly model: LearnerLogic<boolean, number>;
  sum: number;
}

const empty = new Uint8Array();
const logLoss = (probability: number, label: boolean): number => {
  const given = label ? probability : 1 - probability;
  return -Math.log(Math.min(Math.max(given, 1e-15), 1 - 1e-15));
};

/** Successive halving as a plain loop over learners, each with cells of its own. */
export class PlainHalving {
  private left: Runner[];
  private readonly all: readonly Runner[];
  private labels = 0;
  private rungEnd: number;

  constructor(
    candidates: Readonly<Record<string, Learner<boolean, number>>>,
    shape: FeatureShape,
    private readonly rungLabels: number,
  ) {
    this.all = Object.entries(candidates).map(([name, learner], place) => {
      const cells = openCells(learner.cells(shape) as Readonly<Record<string, CellSpec>>);
      return { name, place, cells, model: learner.open(cells, shape), sum: 0 };
    });
    this.left = [...this.all];
    this.rungEnd = rungLabels;
  }

  /** What each candidate says that is left, and what a record gets. */
  predict(features: FeatureVector) {
    const said = this.all.map((one) => (this.left.includes(one) ? one.model.predictOne(features) : Number.NaN));
    const { name, place } = this.best;
    return { said, probability: said[place] as number, candidate: name };
  }

  /** Learns a label of a row of which this was said; returns who was dropped for it, or nothing if all refused. */
  learn(features: FeatureVector, label: boolean, said: readonly number[]): PlainDrop[] | undefined {
    const results = this.left.map(({ model }) => model.learnOne(features, label));
    if (!results.includes('learnt')) return undefined;
    if (this.left.length === 1) return [];
    for (const one of this.left) one.sum += logLoss(said[one.place] as number, label);
    this.labels += 1;
    if (this.labels < this.rungEnd) return [];
    this.rungEnd = 2 * this.rungEnd + this.rungLabels;
    const ranked = [...this.left].sort((a, b) => a.sum - b.sum || a.place - b.place);
    const dropped = ranked.splice(Math.ceil(ranked.length / 2)).reverse();
    this.left = this.left.filter((one) => !dropped.includes(one));
    const { name, sum } = this.best;
    return dropped.map((one) => ({
      candidate: one.name,
      loss: one.sum / this.labels,
      best: name,
      bestLoss: sum / this.labels,
      labels: this.labels,
    }));
  }

  /** Throws if the stored cells are not those of the candidates that are left. */
  checkStored(storedOf: (cell: string) => readonly BucketChange[]): void {
    for (const one of this.all)
      for (const [name, cell] of Object.entries(one.cells)) {
        const what = `${name} of ${one.name}`;
        const expected = this.left.includes(one) ? cell.takeChanges().filter(({ bytes }) => bytes) : [];
        const stored = storedOf(`${one.place}-${name}`).filter(({ bytes }) => bytes);
        if (stored.length !== expected.length)
          throw new Error(`${what} has ${stored.length} blocks in the checkpoint, expected ${expected.length}`);
        for (const { bucket, bytes } of expected)
          if (Buffer.compare(stored.find((block) => block.bucket === bucket)?.bytes ?? empty, bytes ?? empty) !== 0)
            throw new Error(`block ${bucket} of ${what} is not as a plain loop leaves it`);
      }
  }

  private get best(): Runner {
    return this.left.reduce((a, b) => (b.sum < a.sum ? b : a));
  }
}
