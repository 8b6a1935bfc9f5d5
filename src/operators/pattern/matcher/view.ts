import type { Taken } from '../skip.js';
import type { Held, KeyRuns } from './key-runs.js';
import type { Plan } from './plan.js';

type Matched = Readonly<Record<string, unknown>>;

/**
 * What a run has matched, by the names of the stages. Predicates are asked far more often than they look, so they get one
 * object whose fields are read when they are asked for; results get an object of their own.
 */
export class MatchView {
  private key: KeyRuns | undefined;
  private taken: Taken | undefined;
  private asking = -1;
  private readonly seen: Matched;

  constructor(private readonly plan: Plan) {
    const fields = plan.stages.map(({ name }, stage) => [
      name,
      { enumerable: true, get: () => this.field(this.key as KeyRuns, this.taken, stage, this.asking === stage) },
    ]);
    this.seen = Object.defineProperties({}, Object.fromEntries(fields));
  }

  /** As the predicate of a stage sees it: its own events are an array. Good until the next call. */
  of(key: KeyRuns, taken: Taken | undefined, asking: number): Matched {
    this.key = key;
    this.taken = taken;
    this.asking = asking;
    return this.seen;
  }

  /** As a result, to keep. */
  resultOf(key: KeyRuns, taken: Taken): Matched {
    return Object.fromEntries(this.plan.stages.map(({ name }, stage) => [name, this.field(key, taken, stage, false)]));
  }

  private field(key: KeyRuns, taken: Taken | undefined, stage: number, isOwn: boolean): unknown {
    const events: unknown[] = [];
    taken?.stages.forEach((each, at) => {
      if (each === stage) events.push((key.events[(taken.ids[at] as number) - key.firstId] as Held)[1]);
    });
    return isOwn || this.plan.stages[stage]?.isLoop ? events : events[0];
  }
}
