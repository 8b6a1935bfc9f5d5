import { fullText, roomFor } from '../../core/event-clock.js';
import {
  type Duration,
  formatDuration,
  givenDuration,
  type Operator,
  type Problem,
  stateful,
} from '../../core/index.js';
import { layoutVersion } from '../../ml/features/plan.js';
import { ALL_TIMERS, mapCell, timerCell, valueCell } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import { forgetEvents, type KeyRuns, noRuns, timeOf } from './matcher/key-runs.js';
import { Matcher, type Outcome } from './matcher/matcher.js';
import { patternProblems, patternText, planOf } from './matcher/plan.js';
import { MatchView } from './matcher/view.js';
import type { Pattern } from './pattern.js';
import { type Skip, skipProblems, skipText, type Taken } from './skip.js';

/** Where and when a match was. */
export interface MatchSpan<K extends Key = Key> {
  readonly key: K;
  /** Event time of its first event, and of its last one. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What `match` looks for, within which time, and what it makes of it. */
export interface MatchOptions<In, K extends Key, M, Out, Missed> {
  /** The key of an event; null, undefined, NaN and '' send the record to the dead letters. */
  readonly key: (value: In) => K | null | undefined;
  /** The pattern, made by `startsWith`. */
  readonly pattern: Pattern<In, M>;
  /** Maximum event time from the first to the last event of a match (exclusive). */
  readonly within: Duration;
  /** After-match skip strategy (default: `none`). */
  readonly skip?: Skip<keyof NoInfer<M> & string>;
  /** The output of a match. */
  readonly select: (match: M, span: MatchSpan<K>) => Out;
  /** The output of a partial match that timed out (default: none). */
  readonly timedOut?: (begun: { readonly [P in keyof M]?: M[P] }, span: MatchSpan<K>) => Missed;
  /** Maximum number of partial matches, over all keys of a task. */
  readonly runsMax: number;
  /** The same per key; the cost of an event grows with it (default: 1,000). */
  readonly runsPerKeyMax?: number;
  /** Maximum number of records that wait for the watermark, to be matched in order. */
  readonly pendingMax: number;
}

/**
 * Finds sequences of events in the records of each key, in the order of event time: for example `A`, then `B` without a `C` between them.
 *
 *   in   --a--x--b1--b2--|     startsWith('a', ...).followedBy('b', ...)
 *   out  --------ab1-----|
 *
 * @example
 * const tested = startsWith('small', (e: CardEvent) => e.kind === 'charge' && e.amount < 2)
 *   .notFollowedBy('login', (e) => e.kind === 'login')
 *   .followedBy('large', (e, { small }) => e.kind === 'charge' && e.amount > 100 * small.amount);
 * cardEvents.via('tested-cards', match({
 *   key: (e) => e.card,
 *   pattern: tested,
 *   within: minutes(10),
 *   skip: 'past-last',
 *   select: ({ small, large }, { key }) => ({ card: key, small: small.amount, large: large.amount }),
 *   runsMax: 100_000,
 *   pendingMax: 100_000,
 * }));
 *
 * A record waits until the watermark shows that no earlier one can come, so results do not depend on the order of arrival. Records with
 * the same event time are processed in their merged order. A match is emitted at the event time at which it is certain. That is the time
 * of its last event, or later: if an event must not follow, or if `skip` prefers a run that began earlier. At the latest it is emitted
 * when `within` is over.
 *
 * A partial match is a run. If a new run would exceed `runsMax` or `runsPerKeyMax`, it is not started, and counted as `refused`. So
 * matches can be missing, but every emitted match is correct: a started run sees every event.
 *
 * Counters: `timed_out` (runs without a match when `within` was over), `refused`. Dead letters: `late` (before the watermark),
 * `empty-key`, `match-full` (more than `pendingMax` records wait; more than half as many for one that is far ahead of
 * the watermark: its time may be absurd). Equal keys must be in one partition.
 * Memory: waiting records, events of started runs (once each), and 16 bytes for each event of each run.
 *
 * Source: contiguity, quantifiers and skip strategies are those of Flink CEP; `docs/guide/patterns.md` says where they differ.
 */
export function match<In, const K extends Key, M, Out, Missed = never>(
  options: MatchOptions<In, K, M, Out, Missed>,
): Operator<In, Out | Missed> {
  requireOptions('match', options);
  const { key: keyOf, pattern, within, skip = 'none', select, timedOut } = options;
  const { runsMax, runsPerKeyMax = Math.min(1_000, runsMax), pendingMax } = options;
  const plan = planOf(pattern.parts);
  const problems = [
    ...optionProblems('match', options),
    ...patternProblems(pattern.parts),
    ...skipProblems(skip, plan.stages),
    ...boundProblems(options),
  ];
  const bounded = problems.length === 0;
  const cells = {
    /** Records that wait for the watermark, by their number. */
    waiting: mapCell<number, readonly [key: K, value: In]>(),
    due: timerCell<number>({ timersMax: bounded ? pendingMax : 1 }),
    next: valueCell({ initial: 0 }),
    /** Runs know stages by their numbers: state of another pattern is refused. */
    keys: mapCell<K, KeyRuns>({ version: layoutVersion([patternText(pattern.parts), within]) }),
    /** When the time of a key's first run is over, or was, where that run is gone. */
    deadlines: timerCell<K>({ timersMax: ALL_TIMERS }),
    /** Runs of all keys. */
    held: valueCell({ initial: 0 }),
  };
  return stateful<In, Out | Missed, typeof cells>({
    kind: 'match',
    settings: {
      pattern: patternText(pattern.parts),
      within: formatDuration(within),
      skip: skipText(skip),
      ...(timedOut !== undefined && { timedOut: true }),
      runsMax,
      runsPerKeyMax,
      pendingMax,
    },
    problems,
    cells,
    open({ waiting, due, next, keys, deadlines, held }, context) {
      const counters = { timedOut: context.counter('timed_out'), refused: context.counter('refused') };
      const view = new MatchView(plan);
      const matcher = new Matcher(plan, within, skip, view);
      type EmitAt = (value: never, timeMs: number) => void;

      const spanOf = (key: K, runs: KeyRuns, { ids }: Taken): MatchSpan<K> => ({
        key,
        startMs: timeOf(runs, ids[0] as number),
        endMs: timeOf(runs, ids.at(-1) as number),
      });
      const tell = (key: K, runs: KeyRuns, outcome: Outcome, nowMs: number, emit: EmitAt) => {
        if (timedOut)
          for (const taken of outcome.timedOut)
            emit(timedOut(view.resultOf(runs, taken) as M, spanOf(key, runs, taken)) as never, nowMs);
        for (const taken of outcome.matches)
          emit(select(view.resultOf(runs, taken) as M, spanOf(key, runs, taken)) as never, nowMs);
        counters.timedOut.add(outcome.timedOut.length);
        counters.refused.add(outcome.refused);
      };
      /** Puts a key's runs back, with a timer for the first of them. */
      const keep = (key: K, runs: KeyRuns, heldBefore: number) => {
        const count = runs.runs.length + runs.done.length;
        if (count !== heldBefore) held.set(held.get() + count - heldBefore);
        if (count === 0) {
          if (heldBefore > 0) keys.delete(key);
          if (!Number.isNaN(runs.timerMs)) deadlines.delete(runs.timerMs, key);
          return;
        }
        if (Number.isNaN(runs.timerMs)) {
          runs.timerMs = matcher.deadlineOf(runs);
          deadlines.add(runs.timerMs, key);
        }
        forgetEvents(runs);
        keys.set(key, runs);
      };
      const look = (key: K, value: In, timeMs: number, emit: EmitAt) => {
        const runs = keys.get(key) ?? noRuns();
        const before = runs.runs.length + runs.done.length;
        const room = Math.min(runsPerKeyMax, runsMax - held.get() + before);
        tell(key, runs, matcher.onEvent(runs, timeMs, value, room), timeMs, emit);
        keep(key, runs, before);
      };
      const expire = (key: K, nowMs: number, emit: EmitAt) => {
        const runs = keys.get(key) as KeyRuns;
        const before = runs.runs.length + runs.done.length;
        runs.timerMs = Number.NaN;
        tell(key, runs, matcher.onTime(runs, nowMs), nowMs, emit);
        keep(key, runs, before);
      };

      return {
        onRecord(_input, value, emit, { eventTimeMs }) {
          const key = keyOf(value);
          if (isEmptyKey(key)) return context.deadLetter('empty-key', emptyKeyText(key));
          if (eventTimeMs < context.watermarkMs)
            return context.deadLetter('late', `${context.watermarkMs - eventTimeMs} ms behind the watermark`);
          if (eventTimeMs === context.watermarkMs) return look(key, value, eventTimeMs, emit as EmitAt);
          const room = roomFor(eventTimeMs, context.watermarkMs, within, pendingMax);
          if (due.size >= room) return context.deadLetter('match-full', fullText(room, pendingMax));
          const at = next.get();
          next.set(at + 1);
          waiting.set(at, [key, value]);
          due.add(eventTimeMs, at);
        },

        onWatermark(watermarkMs, emit) {
          // In the order of time over records and deadlines, so that nothing depends on how the watermark rose. A run's time
          // is over before the events of the moment at which it ends.
          for (;;) {
            const nowMs = Math.min(deadlines.nextMs, due.nextMs);
            if (nowMs > watermarkMs) return;
            if (deadlines.nextMs === nowMs) deadlines.takeDue(nowMs, (key) => expire(key, nowMs, emit as EmitAt));
            else
              due.takeDue(nowMs, (at) => {
                const [key, value] = waiting.get(at) as readonly [K, In];
                waiting.delete(at);
                look(key, value, nowMs, emit as EmitAt);
              });
          }
        },

        query(key) {
          const runs = keys.get(key as K) ?? keys.get(Number(key) as K);
          return runs?.runs.map((taken) => ({
            ...spanOf(key as K, runs, taken),
            matched: view.resultOf(runs, taken),
          }));
        },
      };
    },
  });
}

function boundProblems({
  within,
  runsMax,
  runsPerKeyMax = 1,
  pendingMax,
}: Pick<
  MatchOptions<never, never, never, never, never>,
  'within' | 'runsMax' | 'runsPerKeyMax' | 'pendingMax'
>): Problem[] {
  const problems: Problem[] = [];
  if (!(within > 0))
    problems.push({
      message: `within is ${givenDuration(within)}`,
      hint: 'give the longest duration of a match, such as minutes(10)',
    });
  if (!(runsMax >= 1))
    problems.push({
      message: `runsMax is ${runsMax}`,
      hint: 'give it the matches that begin within the time, and some more',
    });
  if (!(runsPerKeyMax >= 1))
    problems.push({ message: `runsPerKeyMax is ${runsPerKeyMax}`, hint: 'give it a number from 1, or leave it out' });
  if (!(pendingMax >= 1))
    problems.push({
      message: `pendingMax is ${pendingMax}`,
      hint: 'give it the number of records within the disorder, and some more',
    });
  return problems;
}
