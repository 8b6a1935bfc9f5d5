import { type MapCell, mapCell, rescale, type TimerCell, timerCell } from '../../state/index.js';
import type { JudgementOf } from './slice-window.js';
import type { Group } from './slice-windows.js';

type Key = string | number;

/** What is known of a label: nothing, what was assumed when none came, or the label. */
const NONE = 0;
const ASSUMED = 1;
const KNOWN = 2;

/** A prediction that waits: its event time, what was predicted, its label as far as it is known, and from `GROUP` on what it counts in. */
type Waiting = [
  timeMs: number,
  prediction: unknown,
  weight: number | null,
  delayMs: number | null,
  known: 0 | 1 | 2,
  label: unknown,
  ...group: number[],
];

const GROUP = 6;

/** A prediction with its label, as metrics take it, and how long the label took; null for one that is assumed. */
export interface Judged {
  readonly prediction: unknown;
  readonly label: unknown;
  readonly weight: number | null;
  readonly delayMs: number | null;
}

/** A label that came or is assumed, in place of what was known before. */
export interface Judgement extends JudgementOf<Judged> {
  /** What the prediction counts in; valid until the next judgement. */
  readonly group: Group;
}

/** How labels that are late, wrong or missing are treated. */
export interface LabelPolicy {
  /** How long a prediction waits for its label. */
  readonly waitMs: number;
  /** How much longer a label is taken that comes late or corrects another; without it the first label is the last. */
  readonly correctableMs: number | undefined;
  /** The label that is assumed when none has come in time. */
  readonly missing: { readonly label: unknown } | undefined;
  readonly pendingMax: number;
}

/**
 * The cells of a label store; the version is that of what was predicted. A prediction counts in windows of its task, so the number of tasks
 * can change only when none waits.
 */
export const labelCells = ({ pendingMax }: Pick<LabelPolicy, 'pendingMax'>, version = 1) => ({
  pending: rescale.whileEmpty(mapCell<Key, Waiting>({ version })),
  waits: rescale.whileEmpty(timerCell<Key>({ timersMax: pendingMax })),
  ends: rescale.whileEmpty(timerCell<Key>({ timersMax: pendingMax })),
});

interface LabelCells {
  readonly pending: MapCell<Key, Waiting>;
  readonly waits: TimerCell<Key>;
  readonly ends: TimerCell<Key>;
}

/** Joins predictions with their labels, in event time. */
export interface LabelStore {
  has(key: Key): boolean;
  /** When the prediction of a key was made that is kept, and whether its label has come. */
  find(key: Key): { readonly timeMs: number; readonly isLabelled: boolean } | undefined;
  isFull(): boolean;
  /** Keeps a prediction of a key that has none; only if it is not full. */
  predict(key: Key, timeMs: number, prediction: unknown, weight: number | null, group: Group): void;
  /** A label: what it changes, or why it changes nothing. */
  label(key: Key, timeMs: number, label: unknown): Judgement | 'unmatched' | 'repeated';
  /** When something ends next. */
  nextMs(): number;
  /** Ends what is due up to a time that is not above `nextMs`; tells what is assumed, and which predictions stay without a label. */
  end(nowMs: number, assume: (judgement: Judgement) => void, missed: () => void): void;
}

const judgedBy = ([, prediction, weight, delayMs, known, label]: Waiting): Judged | null =>
  known === NONE ? null : { prediction, label, weight, delayMs };

/**
 * Opens a label store on its cells. A prediction at time t waits to t + `waitMs`, and takes corrections for `correctableMs` after that; both
 * times are inclusive. Ends happen when the watermark has passed them, so at the same place in every replay.
 *
 * Memory: `pendingMax` predictions, some 350 bytes each and what was predicted.
 *
 * @example const judgement = store.label('flight-1', timeMs, true); // { before: null, after: { prediction: 0.7, label: true, ... }, ... }
 */
export function labelStore({ pending, waits, ends }: LabelCells, policy: LabelPolicy): LabelStore {
  const { waitMs, correctableMs, missing, pendingMax } = policy;
  const lastMs = waitMs + (correctableMs ?? 0);
  const group: number[] = [];
  const judge = (waiting: Waiting, known: 1 | 2, label: unknown, delayMs: number | null): Judgement => {
    const before = judgedBy(waiting);
    const wasAssumed = waiting[4] === ASSUMED;
    waiting[4] = known;
    waiting[5] = label;
    waiting[3] = delayMs;
    for (let i = GROUP; i < waiting.length; i++) group[i - GROUP] = waiting[i] as number;
    return { group, before, after: judgedBy(waiting) as Judged, isAssumed: known === ASSUMED, wasAssumed };
  };
  // Where both ends are one, the second tells of the first.
  const isOne = lastMs === waitMs;
  const forget = (key: Key, timeMs: number): void => {
    pending.delete(key);
    if (!isOne) waits.delete(timeMs + waitMs + 1, key);
    ends.delete(timeMs + lastMs + 1, key);
  };
  return {
    has: (key) => pending.has(key),
    find(key) {
      const waiting = pending.get(key);
      return waiting && { timeMs: waiting[0], isLabelled: waiting[4] === KNOWN };
    },
    isFull: () => pending.size >= pendingMax,

    predict(key, timeMs, prediction, weight, group) {
      const [whole, first] = group as [number, number?];
      // What most have, as literals: `concat` takes a tenth of the join. By a spread, an array would keep room for 16 elements more.
      const waiting =
        first === undefined
          ? [timeMs, prediction, weight, null, NONE, null, whole]
          : group.length === 2
            ? [timeMs, prediction, weight, null, NONE, null, whole, first]
            : ([timeMs, prediction, weight, null, NONE, null] as unknown[]).concat(group);
      pending.set(key, waiting as Waiting);
      if (!isOne) waits.add(timeMs + waitMs + 1, key);
      ends.add(timeMs + lastMs + 1, key);
      return 'kept';
    },

    label(key, timeMs, label) {
      const waiting = pending.get(key);
      if (waiting === undefined || timeMs > waiting[0] + lastMs) return 'unmatched';
      const [startMs, , , delayMs, known, before] = waiting;
      if (known === KNOWN && Object.is(before, label)) return 'repeated';
      const judgement = judge(waiting, KNOWN, label, known === KNOWN ? delayMs : Math.max(0, timeMs - startMs));
      if (correctableMs === undefined) forget(key, startMs);
      else pending.set(key, waiting);
      return judgement;
    },

    nextMs: () => Math.min(waits.nextMs, ends.nextMs),

    end(nowMs, assume, missed) {
      const wait = (key: Key): void => {
        const waiting = pending.get(key) as Waiting;
        if (waiting[4] !== NONE) return;
        if (missing === undefined) {
          missed();
          return;
        }
        const judgement = judge(waiting, ASSUMED, missing.label, null);
        pending.set(key, waiting);
        assume(judgement);
      };
      waits.takeDue(nowMs, wait);
      ends.takeDue(nowMs, (key) => {
        if (isOne) wait(key);
        pending.delete(key);
      });
    },
  };
}
