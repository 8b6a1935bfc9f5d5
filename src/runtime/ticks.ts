import { noRecord, type Origin, type SettledDecisions, type Tick } from '../core/index.js';
import type { Topology } from '../topology/index.js';
import { emptyShare, type Round } from './merge.js';

/** The origin of a tick without a record; its topic is not that of any real record. */
export type NoRecord = Pick<Origin, 'topic' | 'partition' | 'offset' | 'receivedAtMs'>;

/**
 * A round without records in which time advances. It counts as one record in flight, so that a drain waits for its results. Results
 * without their own event time get `eventTimeMs`.
 */
export function loneTick(topology: Topology, of: NoRecord, eventTimeMs: number, tick: Omit<Tick, 'origin'>): Round {
  const origin = { ...noRecord(of.topic), ...of, eventTimeMs: Math.max(0, eventTimeMs) };
  return { shares: topology.sources.map(emptyShare), records: 1, bytes: 0, ticks: [{ ...tick, origin }] };
}

/** The topic in the origin of results of processing time. */
export const CLOCK_TOPIC = '$clock';
/** The name of the processing time among the settled decisions of a checkpoint. */
export const CLOCK_DECISION = 'clockMs';

/** The interval of processing-time ticks of a topology's steps; infinity if no step needs them. */
const processingTimeIntervalOf = ({ steps }: Topology): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...steps.map(
      ({ shape }) => (shape.shape === 'stateful' && shape.processingTimeInterval) || Number.POSITIVE_INFINITY,
    ),
  );

/**
 * Calls the steps of a task that use processing time. A tick is a round without records between two other rounds, and its effects
 * on state and outputs are in the same checkpoint as theirs. The checkpoint stores the last time as a settled decision. So time
 * never decreases, whatever the next owner's clock says, and the time of a tick identifies it within the task.
 *
 * The first tick of a run comes an interval after its start; by then most of the backlog is read.
 */
export class ClockTicks {
  private readonly everyMs: number;
  private dueMs: number;
  private toldMs: number | undefined;

  constructor(
    private readonly topology: Topology,
    private readonly task: number,
    decisions: SettledDecisions,
    nowMs: number,
  ) {
    this.everyMs = processingTimeIntervalOf(topology);
    this.toldMs = decisions[CLOCK_DECISION] as number | undefined;
    this.dueMs = nowMs + this.everyMs;
  }

  /** The decision for the checkpoint. */
  get decisions(): SettledDecisions {
    return this.toldMs === undefined ? {} : { [CLOCK_DECISION]: this.toldMs };
  }

  /** After the clock was set back, the next tick is as far away as after any other. */
  isDue(nowMs: number): boolean {
    this.dueMs = Math.min(this.dueMs, nowMs + this.everyMs);
    return nowMs >= this.dueMs;
  }

  /** Whether an interval has passed since the last tick of this or an earlier run; for the end of a bounded run. */
  isDueAtEnd(nowMs: number): boolean {
    return this.everyMs < Number.POSITIVE_INFINITY && nowMs >= (this.toldMs ?? Number.NEGATIVE_INFINITY) + this.everyMs;
  }

  /** The next tick as a round. */
  next(nowMs: number, watermarkMs: number): Round {
    const clockMs = Math.max(nowMs, (this.toldMs ?? Number.NEGATIVE_INFINITY) + 1);
    this.toldMs = clockMs;
    this.dueMs = nowMs + this.everyMs;
    const of = { topic: CLOCK_TOPIC, partition: this.task, offset: clockMs, receivedAtMs: nowMs };
    return loneTick(this.topology, of, watermarkMs, { watermarkMs, clockMs });
  }
}
