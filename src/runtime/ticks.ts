import { AFTER_ALL_MS, type Origin, type SettledDecisions, type Tick } from '../core/index.js';
import type { Topology } from '../topology/index.js';
import { emptyShare, type Round } from './merge.js';

/** Whose a tick without a record is: what it emits comes from a record that is in no topic. No real one has that identity. */
export type NoRecord = Pick<Origin, 'topic' | 'partition' | 'offset' | 'receivedAtMs'>;

/**
 * A round without records in which time moves on. It counts as one record in flight, so that a drain waits for what it
 * emits, at the event time `eventTimeMs` where steps do not say another one.
 */
export function loneTick(topology: Topology, of: NoRecord, eventTimeMs: number, tick: Omit<Tick, 'origin'>): Round {
  const origin: Origin = {
    ...of,
    eventTimeMs: Math.max(0, eventTimeMs),
    key: null,
    raw: null,
    headers: undefined,
    order: 0,
  };
  return { shares: topology.sources.map(emptyShare), records: 1, bytes: 0, ticks: [{ ...tick, origin }] };
}

/** The topic in the origin of what is emitted because of the time of day. */
export const CLOCK_TOPIC = '$clock';
/** Its name among the choices of a checkpoint. */
export const CLOCK_CHOICE = 'clockMs';

/** How often the steps of a topology want to be told the time; infinity where none does. */
export const tickEveryOf = ({ steps }: Topology): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...steps.map(
      ({ shape }) => (shape.shape === 'stateful' && shape.processingTimeInterval) || Number.POSITIVE_INFINITY,
    ),
  );

/**
 * Tells the steps of a task what time it is, for those that go by processing time. A tick is a round without records: it
 * has its place between two rounds, and what it does to state and outputs is in the same checkpoint as theirs. The time
 * that was told last is a choice in that checkpoint, so time never goes back, whatever clock the next owner has, and a
 * tick's time is an identity that no other tick of the task has.
 *
 * The first tick of a run comes an interval after its start: what waited in the logs meanwhile is mostly read by then.
 */
export class ClockTicks {
  private readonly everyMs: number;
  private dueMs: number;
  private toldMs: number | undefined;

  constructor(
    private readonly topology: Topology,
    private readonly task: number,
    choices: SettledDecisions,
    nowMs: number,
  ) {
    this.everyMs = tickEveryOf(topology);
    this.toldMs = choices[CLOCK_CHOICE] as number | undefined;
    this.dueMs = nowMs + this.everyMs;
  }

  /** What the checkpoint must keep. */
  get choices(): SettledDecisions {
    return this.toldMs === undefined ? {} : { [CLOCK_CHOICE]: this.toldMs };
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.dueMs;
  }

  /** Whether so much time has passed since the last tick of this or an earlier run: asked where a bounded run ends. */
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

/** The topic in the origin of what is emitted at the end of time. */
export const END_TOPIC = '$end';
/** Their name among the choices of a checkpoint. */
export const END_CHOICE = 'ends';

/**
 * The end of time: every window closes, every timer fires. The checkpoint counts the ends that a task has come to, and the
 * number of an end is its identity: a replay gives the same one, however many epochs it takes.
 */
export class EndOfTime {
  private ends: number;

  constructor(
    private readonly topology: Topology,
    private readonly task: number,
    choices: SettledDecisions,
  ) {
    this.ends = (choices[END_CHOICE] as number | undefined) ?? 0;
  }

  /** What the checkpoint must keep. */
  get choices(): SettledDecisions {
    return this.ends === 0 ? {} : { [END_CHOICE]: this.ends };
  }

  /** The end as a round. */
  next(nowMs: number, watermarkMs: number): Round {
    this.ends += 1;
    const of = { topic: END_TOPIC, partition: this.task, offset: this.ends, receivedAtMs: nowMs };
    return loneTick(this.topology, of, watermarkMs, { watermarkMs: AFTER_ALL_MS });
  }
}
