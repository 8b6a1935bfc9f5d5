import { resumesAt, type Skip, type Taken } from '../skip.js';
import type { KeyRuns, Run } from './key-runs.js';
import type { Plan, Target } from './plan.js';
import type { MatchView } from './view.js';

/** What comes of an event, or of the end of some runs' time. */
export interface Outcome {
  matches: Taken[];
  /** Runs whose time was over before they were a match. */
  timedOut: Taken[];
  /** Runs that there was no room for. */
  refused: number;
}

/** Runs a plan over the events of one key, which come in order. Changes the `KeyRuns` that it is given. */
export class Matcher {
  constructor(
    private readonly plan: Plan,
    private readonly withinMs: number,
    private readonly skip: Skip,
    private readonly view: MatchView,
  ) {}

  /** When the first run's time is over; infinity where there is none. */
  deadlineOf({ runs }: KeyRuns): number {
    return runs[0] === undefined ? Number.POSITIVE_INFINITY : runs[0].startMs + this.withinMs;
  }

  /** Shows an event to every run, and begins new ones; `runsMax` of the key may be there afterwards. */
  onEvent(key: KeyRuns, timeMs: number, event: unknown, runsMax: number): Outcome {
    const outcome: Outcome = { matches: [], timedOut: [], refused: 0 };
    const before = key.runs;
    const after: Run[] = [];
    const completed: Taken[] = [];
    let count = before.length;
    let id = -1;
    const give = (): number => {
      if (id < 0) id = key.firstId + key.events.push([timeMs, event]) - 1;
      return id;
    };
    /** Begins a run, or lets one go on, with the event as its last. */
    const bear = (parent: Run | undefined, stage: number) => {
      const run: Run = {
        startMs: parent ? parent.startMs : timeMs,
        ids: [...(parent?.ids ?? []), give()],
        stages: [...(parent?.stages ?? []), stage],
        live: 0,
        waited: false,
        matched: false,
      };
      run.live = this.opened(run.stages, stage);
      if (this.completes(run)) completed.push(taken(run));
      if (run.live === 0) return;
      if (count >= runsMax) outcome.refused++;
      else {
        count++;
        after.push(run);
      }
    };

    for (const run of before) {
      const targets = this.targetsOf(run);
      const chosen = this.choose(run, targets, event, key);
      run.waited = true;
      const completes = this.completes(run);
      if (run.live === 0) count--;
      for (const stage of chosen) bear(run, stage);
      if (completes) completed.push(taken(run));
      if (run.live !== 0) after.push(run);
    }
    let blocked = false;
    for (const { stage, greedy } of this.plan.starts) {
      if (blocked || !this.fits(stage, event, key, undefined)) continue;
      bear(undefined, stage);
      blocked = greedy;
    }

    key.runs = after;
    this.settle(key, completed, outcome);
    const surplus = Math.min(key.done.length, Math.max(0, key.runs.length + key.done.length - runsMax));
    key.done.length -= surplus;
    outcome.refused += surplus;
    return outcome;
  }

  /** Ends the runs whose time is over. */
  onTime(key: KeyRuns, nowMs: number): Outcome {
    const outcome: Outcome = { matches: [], timedOut: [], refused: 0 };
    const completed: Taken[] = [];
    const left = key.runs.findIndex(({ startMs }) => startMs + this.withinMs > nowMs);
    for (const run of key.runs.splice(0, left < 0 ? key.runs.length : left)) {
      if (this.mayEnd(run)) completed.push(taken(run));
      else if (!run.matched) outcome.timedOut.push(taken(run));
    }
    this.settle(key, completed, outcome);
    return outcome;
  }

  private targetsOf({ stages }: Run): readonly Target[] {
    return this.plan.after[stages.at(-1) as number] as readonly Target[];
  }

  /** The stages that take the event for a run, in order; closes the targets that are not open after it. */
  private choose(run: Run, targets: readonly Target[], event: unknown, key: KeyRuns): number[] {
    const chosen: number[] = [];
    let blocked = false;
    for (const [at, { stage, contiguity, guards, greedy }] of targets.entries()) {
      const bit = 1 << at;
      if ((run.live & bit) === 0) continue;
      const isBarred =
        blocked ||
        guards.some((guard) => !(guard.strict && run.waited) && guard.when(event, this.view.of(key, run, -1)));
      if (isBarred) run.live &= ~bit;
      else if (stage < this.plan.stages.length) {
        const fits = this.fits(stage, event, key, run);
        if (fits) chosen.push(stage);
        if (contiguity === 'strict' || (fits && contiguity === 'relaxed')) run.live &= ~bit;
        blocked = fits && greedy;
      }
    }
    return chosen;
  }

  private fits(stage: number, event: unknown, key: KeyRuns, run: Run | undefined): boolean {
    return this.plan.stages[stage]?.when(event, this.view.of(key, run, stage)) === true;
  }

  /** The targets that are open once a stage has taken an event. */
  private opened(stages: readonly number[], stage: number): number {
    const { min, max } = this.plan.stages[stage] as { min: number; max: number };
    let count = 0;
    while (stages[stages.length - 1 - count] === stage) count++;
    let live = 0;
    for (const [at, target] of (this.plan.after[stage] as readonly Target[]).entries())
      if (target.stage === stage ? count < max : count >= min) live |= 1 << at;
    return live;
  }

  private mayEnd(run: Run): boolean {
    const targets = this.targetsOf(run);
    const at = targets.length - 1;
    return targets[at]?.stage === this.plan.stages.length && (run.live & (1 << at)) !== 0;
  }

  /** Whether a run is a match as of now, since nothing can keep it from its end any more; closes that target. */
  private completes(run: Run): boolean {
    if (!this.mayEnd(run)) return false;
    const targets = this.targetsOf(run);
    const at = targets.length - 1;
    if (!(targets[at] as Target).guards.every(({ strict }) => strict && run.waited)) return false;
    if (targets.some(({ greedy }, each) => greedy && (run.live & (1 << each)) !== 0)) return false;
    run.live &= ~(1 << at);
    run.matched = true;
    return true;
  }

  /** Tells the matches whose turn it is, and drops what they take the place of. */
  private settle(key: KeyRuns, completed: readonly Taken[], outcome: Outcome): void {
    if (this.skip === 'none') {
      outcome.matches.push(...completed);
      return;
    }
    for (const match of completed) {
      const place = key.done.findLastIndex(({ ids }) => (ids[0] as number) <= (match.ids[0] as number)) + 1;
      key.done.splice(place, 0, match);
    }
    for (;;) {
      const match = key.done[0];
      const earliest = key.runs[0]?.ids[0] ?? Number.POSITIVE_INFINITY;
      if (match === undefined || (match.ids[0] as number) > earliest) return;
      key.done.shift();
      outcome.matches.push(match);
      const from = resumesAt(this.skip, match, this.plan.stages);
      const isLeft = ({ ids }: Taken) => (ids[0] as number) >= from;
      key.runs = key.runs.filter(isLeft);
      key.done = key.done.filter(isLeft);
    }
  }
}

const taken = ({ ids, stages }: Taken): Taken => ({ ids, stages });
