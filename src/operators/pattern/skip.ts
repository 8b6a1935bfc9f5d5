import type { Problem } from '../../core/index.js';
import type { TakePart } from './pattern.js';

/**
 * Which other matches of the key are dropped after a match. Matches are processed in the order of their first events; those with the same
 * first event in the order in which they were complete:
 *
 * - `none`: no match is dropped;
 * - `to-next`: others with the same first event are dropped;
 * - `past-last`: others that begin at or before its last event are dropped, so that matches do not overlap;
 * - `{ toFirst: stage }`, `{ toLast: stage }`: others that begin before its first, or last, event of a stage are dropped; none if that stage
 *   has no event.
 */
export type Skip<Name extends string = string> =
  | 'none'
  | 'to-next'
  | 'past-last'
  | { readonly toFirst: Name }
  | { readonly toLast: Name };

export function skipText(skip: Skip): string {
  if (typeof skip === 'string') return skip;
  return 'toFirst' in skip ? `to first ${skip.toFirst}` : `to last ${skip.toLast}`;
}

const stageOf = (skip: Exclude<Skip, string>): string => ('toFirst' in skip ? skip.toFirst : skip.toLast);

export function skipProblems(skip: Skip, stages: readonly TakePart[]): Problem[] {
  if (typeof skip === 'string' || stages.some(({ name }) => name === stageOf(skip))) return [];
  return [{ message: `the pattern has no stage ${stageOf(skip)} to skip to`, hint: 'name one of its stages' }];
}

/** The events of a match by number, and the stage of each. */
export interface Taken {
  readonly ids: readonly number[];
  readonly stages: readonly number[];
}

/** The lowest number at which another match may begin after this one. */
export function resumesAt(skip: Skip, { ids, stages }: Taken, plan: readonly TakePart[]): number {
  if (skip === 'none') return 0;
  if (skip === 'to-next') return (ids[0] as number) + 1;
  if (skip === 'past-last') return (ids.at(-1) as number) + 1;
  const stage = plan.findIndex(({ name }) => name === stageOf(skip));
  return ids['toFirst' in skip ? stages.indexOf(stage) : stages.lastIndexOf(stage)] ?? 0;
}
