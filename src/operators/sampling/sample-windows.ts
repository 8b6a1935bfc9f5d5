import { type Adds, BEFORE_ALL_MS, type Operator, type Problem, type StepContext, stateful } from '../../core/index.js';
import { mapCell, timerCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import { type SlicedSpec, textOf } from '../window/spec.js';
import { uniformBy } from './uniform.js';

/** How many records of each window are drawn, and by what. */
export interface SampleWindowsOptions<T> {
  /** The windows of event time: `tumbling`. */
  readonly window: SlicedSpec;
  /** The number of records sampled per window. */
  readonly size: number;
  /** The sampled key: identity of a record. */
  readonly key: (value: T) => Key | null | undefined;
  /** Samples `size` records of each group (default: of the whole stream of the task). */
  readonly by?: (value: T) => Key | null | undefined;
  /** Groups in all windows that are open at once at most; 100 without `by`. */
  readonly groupsMax?: number;
  /** Another seed draws others; 'sample-windows' by default, so that it does not depend on what `sample` drew before. */
  readonly seed?: string;
}

/** A record that is drawn so far: its draw, its place in the order of coming, its event time. */
type Drawn = readonly [draw: number, at: number, eventTimeMs: number, value: unknown];
interface Reservoir {
  /** Records of the window so far. */
  seen: number;
  /** By draw, the lowest first. */
  readonly drawn: Drawn[];
}

/** Windows open at once where there is one group. */
const WINDOWS_MAX = 100;
/**
 * So many windows ahead of the watermark, groups take half of the room at most: records with absurd times would begin one each,
 * and the watermark never comes there.
 */
const WINDOWS_AHEAD_MAX = 10_000;
/** Before the first watermark nobody knows what is far ahead. */
const isKnown = ({ watermarkMs }: StepContext) => watermarkMs > BEFORE_ALL_MS;

/**
 * Samples a fixed number of records of each window of event time, uniformly, and emits them when the window closes (a reservoir).
 *
 *   in   --a--b--c--d--e--|  window closes
 *   out                   b, d             size 2
 *
 * The records with the lowest hashes of key and seed are kept. So every set of `size` records is equally likely, the sample does not
 * depend on the order of the records, and a replay gives the same sample. Records with the same key have the same hash: use `dedupe`
 * first. The sample is emitted in the order of event time, at the last millisecond of the window.
 *
 * Counters: `unsampled`. Dead letters: `late` for a record of a closed window, `too-many-keys` for a group above `groupsMax`, `too-many-windows` for
 * one of an absurd time (10,000 windows ahead) above half of it, `empty-key`.
 * Memory: `size` records per group and open window.
 * Source: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.
 *
 * @example
 * flights.via('to-review', sampleWindows({ window: tumbling(hours(1)), size: 50, key: (flight) => flight.flightId }));
 */
export function sampleWindows<T>(options: SampleWindowsOptions<T>): Operator<T, Adds<unknown>> {
  requireOptions('sampleWindows', options);
  const { window, size, key, by, groupsMax = by ? 0 : WINDOWS_MAX, seed = 'sample-windows' } = options;
  const uniform = uniformBy(seed);
  const problems = [...optionProblems('sampleWindows', options), ...problemsOf(options, groupsMax)];
  return stateful({
    kind: 'sampleWindows',
    settings: { window: textOf(window), size, groupsMax, seed },
    problems,
    cells: {
      reservoirs: mapCell<string, Reservoir>(),
      closing: timerCell<string>({ timersMax: problems.length === 0 ? groupsMax : 1 }),
    },
    open({ reservoirs, closing }, context) {
      const unsampled = context.counter('unsampled');
      return {
        onRecord(_input, value: T, _emit, { eventTimeMs }) {
          const id = key(value);
          const group = by ? by(value) : 0;
          if (isEmptyKey(id) || isEmptyKey(group))
            return context.deadLetter('empty-key', emptyKeyText(isEmptyKey(id) ? id : group));
          const startMs = Math.floor((eventTimeMs - window.offset) / window.size) * window.size + window.offset;
          const endMs = startMs + window.size;
          if (endMs <= context.watermarkMs)
            return context.deadLetter('late', `${context.watermarkMs - endMs} ms after its window had closed`);
          const of = `${startMs} ${typeof group === 'number' ? '#' : '$'}${group}`;
          const held = reservoirs.get(of);
          const isFar = isKnown(context) && startMs - context.watermarkMs > WINDOWS_AHEAD_MAX * window.size;
          if (!held && isFar && reservoirs.size >= groupsMax / 2)
            return context.deadLetter('too-many-windows', `${reservoirs.size} groups are open: is its time far ahead?`);
          if (!held && reservoirs.size >= groupsMax)
            return context.deadLetter('too-many-keys', `${groupsMax} groups are open already`);
          if (!held) closing.add(endMs, of);
          const { seen, drawn } = held ?? { seen: 0, drawn: [] };
          const draw = uniform(id as Key);
          const place = drawn.findLastIndex(([other]) => other <= draw) + 1;
          if (place < size) drawn.splice(place, 0, [draw, seen, eventTimeMs, value]);
          if (place >= size || drawn.length > size) unsampled.add();
          drawn.length = Math.min(drawn.length, size);
          reservoirs.set(of, { seen: seen + 1, drawn });
        },

        onWatermark(watermarkMs, emit) {
          closing.takeDue(watermarkMs, (of, endMs) => {
            const { drawn } = reservoirs.get(of) as Reservoir;
            reservoirs.delete(of);
            const inOrder = [...drawn].sort((a, b) => a[2] - b[2] || a[1] - b[1]);
            for (const [, , , value] of inOrder) emit(value as never, endMs - 1);
          });
        },
      };
    },
  });
}

function problemsOf<T>({ window, size, by }: SampleWindowsOptions<T>, groupsMax: number): Problem[] {
  const problems: Problem[] = [];
  if (window.kind !== 'tumbling' || !(window.size > 0) || !Number.isFinite(window.size + window.offset))
    problems.push({
      message: `the window is ${textOf(window)}`,
      hint: 'give `tumbling` with a positive duration, and an offset that is a number if any',
    });
  if (!(Number.isInteger(size) && size >= 1))
    problems.push({ message: `size is ${size}`, hint: 'give the number of records to sample per window' });
  if (!(groupsMax >= 1))
    problems.push({
      message: `groupsMax is ${groupsMax}`,
      hint: by
        ? 'with `by`, give the number of groups that may be open at once'
        : 'give a positive number, or leave it out',
    });
  return problems;
}
