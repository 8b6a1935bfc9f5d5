import type { Problem } from '../../../core/index.js';
import { functionProblems } from '../../functions.js';
import type { Contiguity, NotPart, Part, TakePart } from '../pattern.js';

/** Where a run may go next: to take another event, or to its end. */
export interface Target {
  /** Index of the stage that would take the event; one past the last stage for the end. */
  readonly stage: number;
  readonly contiguity: Contiguity;
  /** What must not come on the way. */
  readonly guards: readonly NotPart[];
  /** An event that it takes is not left to the targets after it. */
  readonly greedy: boolean;
}

/** A pattern as it is run: from each stage, where to go from there, the nearest first. */
export interface Plan {
  readonly stages: readonly TakePart[];
  readonly starts: readonly Target[];
  readonly after: readonly (readonly Target[])[];
}

/**
 * Lays out a pattern as stages and the targets after each: the stage itself while it may take more, the stage that
 * follows, those behind it as long as stages may be left out, and the end where all that follow may be.
 */
export function planOf(parts: readonly Part[]): Plan {
  const stages = parts.filter((part) => part.kind === 'take');
  /** What must not come before the stage of the same index. */
  const before: NotPart[][] = [[]];
  for (const part of parts) {
    if (part.kind === 'take') before.push([]);
    else before.at(-1)?.push(part);
  }
  const from = (at: number): Target[] => {
    const own = stages[at];
    const targets: Target[] = [];
    if (own !== undefined && own.max > 1)
      targets.push({ stage: at, contiguity: own.inner, guards: [], greedy: own.greedy });
    let guards: readonly NotPart[] = [];
    for (let stage = at + 1; ; stage++) {
      guards = [...guards, ...(before[stage] as NotPart[])];
      const { contiguity, greedy, optional } = stages[stage] ?? { contiguity: 'any', greedy: false, optional: false };
      targets.push({ stage, contiguity, guards, greedy });
      if (!optional) return targets;
    }
  };
  const isStage = ({ stage }: Target) => stage < stages.length;
  const starts = from(-1).filter(isStage);
  return { stages, starts: starts.map((start) => ({ ...start, guards: [] })), after: stages.map((_, at) => from(at)) };
}

/** Bits of a number tell which targets of a run are live. */
const STAGES_MAX = 24;

export function patternProblems(parts: readonly Part[]): Problem[] {
  const stages = parts.filter((part) => part.kind === 'take');
  const problems: Problem[] = [];
  const add = (message: string, hint: string) => problems.push({ message, hint });
  const names = parts.map(({ name }) => name);
  for (const name of new Set(names.filter((each, at) => names.indexOf(each) < at)))
    add(`two parts of the pattern are called ${name}`, 'give each a name of its own');
  for (const name of names.filter((each) => /^(0|[1-9]\d*)$/.test(each) || each === '__proto__' || each === ''))
    add(`a part of the pattern cannot be called "${name}"`, 'numbers lose their order in objects: use a word');
  for (const { name, min, max, isLoop, inner, greedy } of stages) {
    if (isLoop && !(Number.isInteger(min) && Number.isInteger(max) && 1 <= min && min <= max))
      add(`${name} is to come ${min} to ${max} times`, 'give whole numbers from 1, the lower one first');
    if (greedy && inner === 'any')
      add(
        `${name} is greedy and allows combinations`,
        'combinations leave events out, a greedy stage takes all: choose',
      );
  }
  for (const { name, when } of parts) problems.push(...functionProblems({ [`the predicate of ${name}`]: when }));
  if (stages.every(({ optional }) => optional))
    add('every stage may be left out', 'a match needs an event: let one stage not be optional');
  if (stages.length > STAGES_MAX)
    add(`${stages.length} stages`, `a pattern has up to ${STAGES_MAX}: match parts of it, and match those`);
  return problems;
}

/** `small, not followed by login, followed by large{1,3}`: how `describe` prints a pattern. */
export const patternText = (parts: readonly Part[]): string =>
  parts
    .map((part, at) => (at === 0 ? '' : linkOf(part)) + part.name + (part.kind === 'take' ? quantifierOf(part) : ''))
    .join(', ');

function linkOf(part: Part): string {
  if (part.kind === 'not') return part.strict ? 'not next ' : 'not followed by ';
  const links = { strict: 'next ', relaxed: 'followed by ', any: 'followed by any ' };
  return links[part.contiguity];
}

function quantifierOf({ min, max, isLoop, inner, optional, greedy }: TakePart): string {
  const count = min === max ? `{${min}}` : `{${min},${max}}`;
  const how = { strict: ' consecutive', relaxed: '', any: ' in any combination' };
  return `${isLoop ? count + how[inner] : ''}${optional ? '?' : ''}${greedy ? ' greedy' : ''}`;
}
