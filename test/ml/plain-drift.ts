import type { FeatureNumbers, FeatureShape, Learner } from '../../src/core/index.js';
import type { DriftDetector, DriftEvidence } from '../../src/ml/drift/index.js';
import { chance } from '../../src/ml/index.js';
import { logLossOf } from '../../src/ml/metrics/probabilities/log-loss.js';
import { openLearner } from './support.js';

type Model = ReturnType<typeof openLearner<boolean, number>>;

interface Pair {
  model: Model;
  challenger: Model | undefined;
  isCompared: boolean;
  /** By how much the model had more loss, of each label. */
  gains: number[];
}

/** What each learner said of a row, and what a record got. */
export interface PlainSaid {
  readonly by: ReadonlyMap<Model, number>;
  readonly probability: number;
  readonly dummy: number;
}

/** A learner under a detector as plain objects: no slots, no cells, no log. */
export class PlainDrift {
  dummyDrifts = 0;
  private readonly real: Pair;
  private readonly dummy: Pair;
  private state: Float64Array;
  private isWarned = false;
  private labels = 0;
  private drifts = 0;

  constructor(
    private readonly learner: Learner<boolean, number>,
    private readonly shape: FeatureShape,
    private readonly plan: {
      readonly detector: DriftDetector;
      readonly act: string;
      readonly compareLabels: number;
    },
  ) {
    const model = this.fresh();
    this.real = { model, challenger: undefined, isCompared: false, gains: [] };
    this.dummy = { model, challenger: undefined, isCompared: false, gains: [] };
    this.state = new Float64Array(plan.detector.size);
  }

  predict(features: FeatureNumbers): PlainSaid {
    const by = new Map([...this.learners()].map((one) => [one, one.predictOne(features)]));
    return { by, probability: by.get(this.real.model) as number, dummy: by.get(this.dummy.model) as number };
  }

  /** Whether the learner that is the model by now had said something of a row. */
  watches({ by }: PlainSaid): boolean {
    return by.has(this.real.model);
  }

  /** Learns a label; returns what happened, or nothing for a row that is refused. */
  learn(features: FeatureNumbers, label: boolean, { by }: PlainSaid): string[] | undefined {
    const { detector, act } = this.plan;
    const own = by.get(this.real.model);
    const results = [...this.learners()].map((one) => one.learnOne(features, label));
    if (!results.includes('learnt')) return undefined;
    this.labels += 1;
    const events: string[] = [];
    let isReplaced = false;
    if (act === 'replace') {
      isReplaced = this.compare(this.real, by, label);
      this.compare(this.dummy, by, label);
    }
    if (isReplaced) {
      events.push('replaced');
      this.state = new Float64Array(detector.size);
      this.isWarned = false;
    } else if (own !== undefined) {
      const seen = detector.add(this.state, 0, Number(own > 0.5 !== label));
      const isTold = seen !== undefined && !(seen.level === 'warning' && this.isWarned);
      this.isWarned = seen?.level === 'warning';
      if (isTold) {
        events.push(seen.level);
        this.follow(seen);
      }
    }
    if ((act === 'reset' || act === 'replace') && chance(0, 0, this.labels) * this.labels < this.drifts) {
      this.dummyDrifts += 1;
      this.answer(this.dummy);
    }
    return events;
  }

  private fresh(): Model {
    return openLearner(this.learner, this.shape);
  }

  private learners(): Set<Model> {
    const { real, dummy } = this;
    return new Set([real.model, real.challenger, dummy.model, dummy.challenger].filter((one) => one !== undefined));
  }

  private compare(pair: Pair, by: PlainSaid['by'], label: boolean): boolean {
    const [model, challenger] = [by.get(pair.model), pair.challenger && by.get(pair.challenger)];
    if (!pair.isCompared || model === undefined || challenger === undefined) return false;
    pair.gains.push(logLossOf(model, label) - logLossOf(challenger, label));
    const { gains } = pair;
    if (gains.length < this.plan.compareLabels) return false;
    pair.gains = [];
    const gain = gains.reduce((sum, x) => sum + x, 0) / gains.length;
    const variance = gains.reduce((sum, x) => sum + (x - gain) ** 2, 0) / gains.length;
    if (!(gain > 3 * Math.sqrt(variance / gains.length))) return false;
    pair.model = pair.challenger as Model;
    pair.challenger = undefined;
    pair.isCompared = false;
    return true;
  }

  private follow({ level, before, after }: DriftEvidence): void {
    const { act } = this.plan;
    if (before !== null && after !== null && after <= before) return;
    if (level === 'drift') {
      this.drifts += 1;
      this.answer(this.real);
    } else if (act === 'warn' || (act === 'replace' && !this.real.isCompared)) {
      this.real.challenger = this.fresh();
      this.real.isCompared = false;
    }
  }

  private answer(to: Pair): void {
    const { act } = this.plan;
    if (act === 'reset') to.model = this.fresh();
    if (act !== 'warn' && act !== 'replace') return;
    if (to.challenger === undefined || to.isCompared) to.challenger = this.fresh();
    to.isCompared = true;
    to.gains = [];
  }
}
