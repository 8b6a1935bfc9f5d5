import type { FeatureNumbers, FeatureShape, Learner, LearnResult } from '../core/learner.js';
import type { Origin } from '../core/record.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { type Float64Cell, float64Cell } from '../state/index.js';
import { chance } from './chance.js';
import type { DriftDetector, DriftEvidence } from './drift/index.js';
import { openSlots, slotCells } from './learner-slots.js';
import { type AnyLearner, learnerCells, loggedLearning, type ModelPlace, modelCells } from './model.js';

/** What is done where the errors of a model change. */
export type DriftAction = 'event' | 'warn' | 'replace' | 'reset';

/** How a model answers drifts. */
export interface DriftPlan {
  readonly detector: DriftDetector;
  readonly act: DriftAction;
  /** Whether only a rise is acted on, where the detector knows what it was. */
  readonly onlyRises: boolean;
  /** Labels by which a challenger is compared. */
  readonly compareLabels: number;
}

/** What happened to a model: a warning or a drift of its errors, or its challenger has taken over. */
export interface ModelChange extends Omit<DriftEvidence, 'level'> {
  readonly event: DriftEvidence['level'] | 'replaced';
  /** Labels since the last drift; of a replacement those that both were compared by. */
  readonly labels: number;
}

/** What is known of an update: the number that is watched, and how wrong each role was. Null is not known. */
export type Seen = readonly [watched: number | null, ...losses: (number | null)[]];

/** A model, the learner that may replace it, and both again where the detector is a dummy. */
export const ROLES = Object.freeze({ model: 0, challenger: 1, dummy: 2, dummyChallenger: 3 });

/** Learners under a drift detector. Each lies in a slot, which several roles may share. */
export interface DriftingModel<Y, P> {
  /** The slot of a role; -1 for none. */
  slotOf(role: number): number;
  /** Tells the learners of a slot apart, one after another. */
  birthOf(slot: number): number;
  /** Calls `use` with the prediction of each learner. */
  predictOne(features: FeatureNumbers, use: (prediction: P, slot: number) => void): void;
  learnOne(features: FeatureNumbers, label: Y, weight: number, origin: Origin, seen: Seen): LearnResult;
  /** What the last update has led to. */
  readonly changes: readonly ModelChange[];
  /** Drifts of the dummy so far. */
  dummyDrifts(): number;
}

const SLOTS: Readonly<Record<DriftAction, number>> = { event: 1, warn: 2, reset: 2, replace: 4 };
/** One of none of these too, which `check` refuses. */
export const slotsOf = (act: DriftAction): number => SLOTS[act] ?? 1;
export const driftActions = Object.keys(SLOTS);

/** Whether a dummy does the same at other times. */
export const hasDummy = (act: DriftAction): boolean => act === 'reset' || act === 'replace';

const ANSWER = 'drift';

/** Labels so far; those since the last drift; whether there is a warning; drifts acted on, of detector and dummy; learners begun. */
const LABELS = 0;
const SINCE = 1;
const WARNED = 2;
const DRIFTS = 3;
const BEGUN = 5;
/**
 * A pair: the slot of the model, 1 + that of its challenger, whether they are compared since a drift, by so many labels, their losses, and
 * the squares of the differences.
 */
const PAIRS = 6;
const COMPARED = 2;
const COUNT = 3;
const LOSSES = 4;
const SQUARES = 6;
const PAIR = 7;
const BIRTHS = PAIRS + 2 * PAIR;
const DETECTOR = BIRTHS + 4;

/** What a prediction costs at most, and one that is no number: sums of losses stay finite, so that they can be compared. */
const LOSS_MAX = 1e100;

/** Standard errors by which a challenger must be better: less is chance. */
const SURE = 3;

/** All learners as one, with what decides about them: their cells are one state. */
const together = (learner: AnyLearner, { detector, act, onlyRises, compareLabels }: DriftPlan): AnyLearner => ({
  ...learner,
  kind: `${learner.kind} under ${detector.kind}`,
  settings: {
    ...learner.settings,
    ...Object.fromEntries(Object.entries(detector.settings).map(([name, value]) => [`drift.${name}`, value])),
    'drift.onlyRises': onlyRises,
    'drift.compareLabels': compareLabels,
  },
  structure: { ...learner.structure, 'drift.act': act },
  cells: (shape) => ({
    [ANSWER]: float64Cell({ size: DETECTOR + detector.size }),
    ...slotCells(Array(slotsOf(act)).fill(learner), shape),
  }),
});

/** The cells of a model under a drift detector. */
export const driftingCells = (
  learner: AnyLearner,
  plan: DriftPlan,
  shape: FeatureShape,
  place: ModelPlace,
): CellSpecs => modelCells(together(learner, plan), shape, place);

/**
 * Opens a model under a drift detector on the cells that `driftingCells` declared. After each update the detector sees a number, such as
 * whether the prediction was wrong, and the plan is followed: see `learn`.
 *
 * A dummy does what the plan says for its own model, by chance: what it gains, any change would have gained. At each label that is
 * learnt the chance of its drift is the number of drifts that were acted on so far, divided by the number of labels learnt so far. It
 * shares the learner of the model until one of them changes, so it costs nothing before.
 *
 * Guarantees: those of `openModel`, for all learners and for when they begin and end. A row that one of them refuses is learnt by the others.
 */
export function openDriftingModel<Y, P>(
  one: Learner<Y, P>,
  plan: DriftPlan,
  shape: FeatureShape,
  opened: Readonly<Record<string, Cell>>,
  { prefix = '', name = '' }: ModelPlace & { readonly name?: string } = {},
): DriftingModel<Y, P> {
  const { detector, act, onlyRises, compareLabels } = plan;
  const learner = together(one, plan);
  const cells = learnerCells(learner, shape, opened, prefix);
  const answer = cells[ANSWER] as Float64Cell;
  const { values } = answer;
  const pairs = hasDummy(act) ? 2 : 1;
  const changes: ModelChange[] = [];

  const get = (at: number): number => values[at] as number;
  const slotOf = (role: number): number =>
    role < 2 * pairs ? get(PAIRS + (role >> 1) * PAIR + (role & 1)) - (role & 1) : -1;
  const setSlot = (role: number, slot: number): void => {
    values[PAIRS + (role >> 1) * PAIR + (role & 1)] = slot + (role & 1);
  };
  const isUsed = (slot: number): boolean => [0, 1, 2, 3].some((role) => slotOf(role) === slot);
  const learners = Array<typeof one>(slotsOf(act)).fill(one);
  const slots = openSlots(learners, shape, cells, isUsed);

  const freeUnused = (): void =>
    learners.forEach((_, slot) => {
      if (!isUsed(slot)) slots.free(slot);
    });
  /** Gives a role a learner that has learnt nothing. */
  const begin = (role: number): void => {
    setSlot(role, -1);
    freeUnused();
    const slot = slots.begin();
    values[BEGUN] = get(BEGUN) + 1;
    values[BIRTHS + slot] = get(BEGUN);
    setSlot(role, slot);
  };
  const compareFromHere = (pair: number, isCompared: 0 | 1): void => {
    values[pair + COMPARED] = isCompared;
    values.fill(0, pair + COUNT, pair + PAIR);
  };

  const warn = (): void => {
    // A challenger that is being compared since a drift is left to that.
    if (act === 'warn' || (act === 'replace' && get(PAIRS + COMPARED) === 0)) {
      begin(ROLES.challenger);
      compareFromHere(PAIRS, 0);
    }
  };
  const drift = (p: number): void => {
    const pair = PAIRS + p * PAIR;
    values[DRIFTS + p] = get(DRIFTS + p) + 1;
    if (act === 'event') return;
    if (act === 'reset') {
      begin(2 * p);
      return;
    }
    const wasWarned = slotOf(2 * p + 1) >= 0 && get(pair + COMPARED) === 0;
    if (!wasWarned) begin(2 * p + 1);
    compareFromHere(pair, 1);
  };

  /** Compares a model with its challenger, and says whether that has replaced it. */
  const compare = (p: number, losses: readonly (number | null)[]): boolean => {
    const pair = PAIRS + p * PAIR;
    const [own, others] = [losses[2 * p], losses[2 * p + 1]];
    if (get(pair + COMPARED) === 0 || typeof own !== 'number' || typeof others !== 'number') return false;
    values[pair + COUNT] = get(pair + COUNT) + 1;
    values[pair + LOSSES] = get(pair + LOSSES) + own;
    values[pair + LOSSES + 1] = get(pair + LOSSES + 1) + others;
    values[pair + SQUARES] = get(pair + SQUARES) + (own - others) ** 2;
    const labels = get(pair + COUNT);
    if (labels < compareLabels) return false;
    const [before, after] = [get(pair + LOSSES) / labels, get(pair + LOSSES + 1) / labels];
    const variance = get(pair + SQUARES) / labels - (before - after) ** 2;
    compareFromHere(pair, 1);
    const threshold = SURE * Math.sqrt(Math.max(0, variance) / labels);
    if (!(before - after > threshold)) return false;
    setSlot(2 * p, slotOf(2 * p + 1));
    setSlot(2 * p + 1, -1);
    freeUnused();
    compareFromHere(pair, 0);
    if (p > 0) return true;
    changes.push({ event: 'replaced', statistic: before - after, threshold, before, after, labels });
    // Its errors are those of another model from now on.
    values.fill(0, DETECTOR, DETECTOR + detector.size);
    values[SINCE] = 0;
    values[WARNED] = 0;
    return true;
  };

  const watch = (x: number): void => {
    const seen = detector.add(values, DETECTOR, x);
    const labels = get(SINCE) + 1;
    const hasWarned = get(WARNED) === 1;
    values[SINCE] = seen?.level === 'drift' ? 0 : labels;
    values[WARNED] = seen?.level === 'warning' ? 1 : 0;
    if (seen === undefined || (seen.level === 'warning' && hasWarned)) return;
    const { level: event, ...evidence } = seen;
    changes.push({ event, ...evidence, labels });
    const hasFallen = seen.before !== null && seen.after !== null && seen.after <= seen.before;
    if (onlyRises && hasFallen) return;
    if (event === 'drift') drift(0);
    else warn();
  };

  const react = (x: number | null, losses: readonly (number | null)[]): void => {
    const labels = get(LABELS) + 1;
    values[LABELS] = labels;
    const isReplaced = compare(0, losses);
    if (pairs === 2) compare(1, losses);
    if (x !== null && !isReplaced) watch(x);
    if (pairs === 2 && chance(0, 0, labels) * labels < get(DRIFTS)) drift(1);
    for (let at = 0; at < values.length; at += 256) answer.touch(at);
  };

  const log = loggedLearning<readonly [label: Y, ...Seen]>(
    learner,
    shape,
    opened,
    { prefix, name, cells: Object.values(cells) },
    (features, [label, watched, ...losses], weight) => {
      const result = slots.learnOne(features, label, weight);
      if (result === 'learnt') react(watched, losses);
      return result;
    },
  );

  return {
    slotOf(role) {
      log.settle();
      return slotOf(role);
    },
    birthOf: (slot) => get(BIRTHS + slot),
    predictOne(features, use) {
      log.settle();
      slots.predictOne(features, use);
    },
    learnOne(features, label, weight, origin, [x, ...losses]) {
      log.settle();
      changes.length = 0;
      const usable = losses.map((loss) =>
        loss === null ? null : Number.isNaN(loss) ? LOSS_MAX : Math.min(loss, LOSS_MAX),
      );
      return log.learnOne(features, [label, x, ...usable], weight, origin);
    },
    changes,
    dummyDrifts: () => get(DRIFTS + 1),
  };
}
