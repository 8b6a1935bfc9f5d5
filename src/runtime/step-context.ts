import type { Counter, DeadLetter, MetricRow, Origin, StepContext } from '../core/index.js';
import { inTheLog, MillraceError } from '../core/index.js';
import type { Counters } from './counters.js';

/** What a task collects from all of its steps until somebody takes it. */
export interface StepOutputs {
  readonly deadLetters: DeadLetter[];
  readonly metrics: MetricRow[];
}

/** A step's view of the world: its counters, its measurements, and the record in hand. */
export class TaskStepContext implements StepContext {
  /** The record in hand: set by whoever calls the step's logic. */
  origin: Origin | undefined;

  /** `watermarkMs` is what an earlier run had come to; whoever tells the step of a later one sets it. */
  constructor(
    readonly topology: string,
    readonly step: string,
    readonly task: number,
    private readonly counters: Counters,
    private readonly outbox: StepOutputs,
    public watermarkMs: number,
  ) {}

  counter(name: string): Counter {
    return this.counters.of(this.step, name);
  }

  measure(name: string, value: number, eventTimeMs: number): void {
    this.outbox.metrics.push({ topology: this.topology, step: this.step, task: this.task, name, eventTimeMs, value });
  }

  deadLetter(reason: string, detail: string): void {
    if (!this.origin)
      throw new MillraceError('internal', 'a dead letter outside the processing of a record', { where: this.step });
    this.counter(`dead:${reason}`).add();
    this.outbox.deadLetters.push({ reason, detail, step: this.step, origin: this.origin });
  }

  fail(message: string, hint?: string): never {
    throw this.failure(message, undefined, hint);
  }

  /** An error of the step's own code, with the record that it tripped over. */
  failure(message: string, cause: unknown, hint?: string): MillraceError {
    const place = this.origin && inTheLog(this.origin);
    const at = place ? ` at ${place.topic}[${place.partition}]@${place.offset}` : '';
    return new MillraceError('step', `${message}${at}`, {
      where: this.step,
      ...(hint === undefined ? {} : { hint }),
      cause,
    });
  }
}
