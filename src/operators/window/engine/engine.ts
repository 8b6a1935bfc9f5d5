import type { Change } from '../../../core/index.js';

export type WindowKey = string | number;

/** A result: key and bounds, and each aggregate under its name. */
export type Row = Record<string, unknown>;

/** What came of a record; `partly-late`: some of its windows took it, others were closed. */
export type Outcome = 'taken' | 'partly-late' | 'late' | 'too-many-keys' | 'too-many-windows' | 'unmatched';

/** Emits a row of a window that ends at `endMs`, or a change of it. */
export type EmitResult = (result: Row | Change<Row>, eventTimeMs: number) => void;

/** Windows of one kind and emission at work: the operator finds keys and times and sends refused records away. */
export interface WindowEngine<In> {
  /** Adds a value to its windows. */
  add(key: WindowKey, value: In, timeMs: number, emit: EmitResult): Outcome;
  /** Takes a value back from its windows; only over changes. */
  retract(key: WindowKey, value: In, timeMs: number, emit: EmitResult): Outcome;
  /** Event time has moved on. */
  advance(watermarkMs: number, emit: EmitResult): void;
  /** What the windows of a key hold that are still open or kept for corrections. */
  query(key: WindowKey): readonly Row[];
}

/** The name of a window's result among the changes of others: its key and its start. It does not tell 1 from '1'. */
export const changeKey = (key: WindowKey, startMs: number): string => `${key}@${startMs}`;

/** The event time of a window's result: the last millisecond in it. */
export const timeOf = (endMs: number): number => endMs - 1;
