import { AFTER_ALL_MS, type SettledDecisions } from '../core/index.js';
import type { Topology } from '../topology/index.js';
import type { Input } from './input.js';
import type { Round } from './merge.js';
import { loneTick } from './ticks.js';

/** The topic in the origin of results of the end of time. */
export const END_TOPIC = '$end';
/** The name of the number of ends of time among the settled decisions of a checkpoint. */
export const END_DECISION = 'ends';
const UNFINISHED = 'unfinished';

export interface RunEnd {
  /** The run ends where the logs end when it begins. */
  readonly bounded: boolean;
  /** The end of the inputs is the end of time. */
  readonly final: boolean;
}

/** A run of which an input has ended and others may go on. JSON. */
interface Unfinished extends Pick<RunEnd, 'final'> {
  /** Of the checkpoint: a reset or restored one begins anew. */
  readonly incarnation: number;
  /** Keys of the inputs that have ended. */
  readonly ended: readonly string[];
}

/**
 * The end of a run. Where an input ends decides the order of what follows, and what is open at the end of time. A replay opens the
 * logs later and may find more. So the ends are settled decisions: the checkpoint has each one before anything follows from it.
 *
 * A task that finds such decisions completes the run that died: it does not read the inputs that had ended, reads the others to
 * their end, and closes what that run was about to close. Then the task is opened again for its own run.
 *
 * The checkpoint also counts the ends of time. The number of an end is its identity, so a replay gives the same one, however many
 * epochs it takes.
 */
export class EndOfRun implements RunEnd {
  private ends: number;
  private unfinished: Unfinished | undefined;
  /** Whether it completes a run that died, so that the task's own run is still to come. */
  readonly completes: boolean;
  readonly bounded: boolean;
  readonly final: boolean;

  constructor(
    private readonly topology: Topology,
    private readonly task: number,
    private readonly incarnation: number,
    stored: SettledDecisions,
    wanted: RunEnd,
  ) {
    this.ends = (stored[END_DECISION] as number | undefined) ?? 0;
    const died = stored[UNFINISHED] as Unfinished | undefined;
    this.unfinished = died?.incarnation === incarnation ? died : undefined;
    this.completes = this.unfinished !== undefined;
    this.bounded = wanted.bounded || this.completes;
    this.final = this.unfinished?.final ?? wanted.final;
  }

  /** The decisions for the checkpoint. */
  get decisions(): SettledDecisions {
    const { ends, unfinished } = this;
    return { ...(ends > 0 && { [END_DECISION]: ends }), ...(unfinished && { [UNFINISHED]: unfinished }) };
  }

  /** Whether an input had ended for the run that is completed. */
  hadEnded(input: string): boolean {
    return this.unfinished?.ended.includes(input) ?? false;
  }

  /** Ends the inputs that have nothing left. Returns whether that must be in the checkpoint before the run goes on. */
  reaches(inputs: readonly Input[]): boolean {
    let anew = false;
    for (const input of inputs) {
      if (input.ended || !input.isExhausted) continue;
      input.ended = true;
      anew = true;
    }
    if (!anew) return false;
    const ended = inputs.filter((input) => input.ended).map(({ key }) => key);
    const isLast = ended.length === inputs.length;
    if (isLast && !this.final) return false;
    this.unfinished = { incarnation: this.incarnation, ended, final: isLast };
    return true;
  }

  /** Whether a checkpoint with these decisions lacks one, or has one that no longer holds. */
  differsFrom(stored: SettledDecisions): boolean {
    return stored[UNFINISHED] !== this.unfinished;
  }

  /** The end of time as a round. */
  next(nowMs: number, watermarkMs: number): Round {
    this.ends += 1;
    const of = { topic: END_TOPIC, partition: this.task, offset: this.ends, receivedAtMs: nowMs };
    return loneTick(this.topology, of, watermarkMs, { watermarkMs: AFTER_ALL_MS });
  }

  /** Nothing follows from the ends any more: all that does is in the next checkpoint. */
  complete(): void {
    this.unfinished = undefined;
  }
}
