import type { Cell, CellSpec, Duration, Problem } from '../../../core/index.js';

/** What happens to a record that breaks a rule: it is only counted, it goes to the dead letters, or the task stops. */
export type Severity = 'warn' | 'dead-letter' | 'stop';
export const severities: readonly Severity[] = ['warn', 'dead-letter', 'stop'];

/** A rule at work. `nowMs` is the stream's time, for rules about age. */
export interface Check {
  holds(value: unknown, nowMs: number): boolean;
  /** Why a value that breaks it does; only asked for right after it did. */
  detail(value: unknown, nowMs: number): string;
  /** The value has passed all rules. */
  passed?(value: unknown, nowMs: number): void;
}

/** A further input that a rule looks into: the keys of a table. */
export interface Side {
  readonly name: string;
  readonly keysMax: number;
}

/** A rule as `validate` runs it. */
export interface Rule {
  /** Stable: the dead letter's reason, such as `range:distance`. */
  readonly reason: string;
  readonly severity: Severity;
  /** How it reads in `describe`. */
  readonly text: string;
  /** How far it looks back on the stream's time, where it does. */
  readonly horizon?: Duration;
  /** What it remembers, if anything; a rule with a further input is given the keys of that table. */
  readonly cell?: CellSpec;
  readonly side?: Side;
  readonly problems?: readonly Problem[];
  open(cell: Cell): Check;
}

/** What all rules begin with: the reason, and how it reads with its limits. */
export function head(reason: string, severity: Severity = 'dead-letter', limits: string) {
  return { reason, severity, text: `${reason}${limits}${severity === 'dead-letter' ? '' : ` (${severity})`}` };
}

export const fieldOf = (value: unknown, name: string): unknown => (value as Record<string, unknown>)[name];
export const isMissing = (field: unknown): field is null | undefined => field === null || field === undefined;

/** A value in a message: short, whatever it is. */
export function show(field: unknown): string {
  const isObject = typeof field === 'object' && field !== null;
  const text = typeof field === 'string' ? JSON.stringify(field) : isObject ? 'an object' : String(field);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
