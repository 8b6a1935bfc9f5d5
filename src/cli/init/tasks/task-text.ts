import type { Result } from '../results.js';

/** What a task adds to a topology. */
export interface TaskText {
  /** What stands before the topology: types, features. */
  readonly before: readonly string[];
  /** Steps behind the cleaned stream. */
  readonly steps: readonly string[];
  /** The outputs: sinks by their ids, and what they are given. */
  readonly outputs: readonly { readonly id: string; readonly result: Result }[];
}

/** Of the steps in a topology's file. */
export const INDENT = '      ';
