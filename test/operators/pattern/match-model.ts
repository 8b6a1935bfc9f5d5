import fc from 'fast-check';
import { type Pattern, type Skip, startsWith } from '../../../src/operators/index.js';

// Patterns by their definition, over the whole sorted log at once: what the operator must agree with, match for match.

export interface Event {
  readonly key: string;
  readonly letter: string;
  /** Its place in the log as it came. */
  readonly n: number;
  readonly timeMs: number;
}

interface Take {
  readonly kind: 'take';
  readonly letters: string;
  /** Takes only events later in the log, as it came, than the last one matched: a condition on what was matched. */
  readonly rising: boolean;
  readonly contiguity: 'next' | 'followedBy' | 'followedByAny';
  readonly loop: null | { readonly min: number; readonly more: number; readonly inner: 'strict' | 'relaxed' | 'any' };
  readonly optional: boolean;
  readonly greedy: boolean;
}
interface Not {
  readonly kind: 'not';
  readonly letters: string;
  readonly strict: boolean;
}
export type Spec = readonly (Take | Not)[];

const letters = fc.constantFrom('a', 'b', 'c', 'ab', 'bc');
const take: fc.Arbitrary<Take> = fc
  .record({
    kind: fc.constant('take' as const),
    letters,
    rising: fc.boolean(),
    contiguity: fc.constantFrom('next' as const, 'followedBy' as const, 'followedByAny' as const),
    loop: fc.option(
      fc.record({
        min: fc.integer({ min: 1, max: 2 }),
        more: fc.nat(3),
        inner: fc.constantFrom('strict' as const, 'relaxed' as const, 'any' as const),
      }),
    ),
    optional: fc.boolean(),
    greedy: fc.boolean(),
  })
  .map((part) => ({
    ...part,
    greedy: part.greedy && part.loop?.inner !== 'any' && (part.optional || part.loop !== null),
  }));
const not: fc.Arbitrary<Not> = fc.record({ kind: fc.constant('not' as const), letters, strict: fc.boolean() });
export const specs: fc.Arbitrary<Spec> = fc
  .tuple(take, fc.array(fc.oneof({ weight: 3, arbitrary: take }, { weight: 1, arbitrary: not }), { maxLength: 3 }))
  .map(([first, others]) => [first, ...others])
  .filter((spec) => spec.some((part) => part.kind === 'take' && !part.optional));

/** The pattern that a spec describes, its stages called `s0`, `s1`, ... */
export function patternOf(spec: Spec): Pattern<Event, Record<string, unknown>> {
  // biome-ignore lint/suspicious/noExplicitAny: which methods follow which is what the types of patterns are about
  let pattern: any;
  spec.forEach((part, at) => {
    const fits = ({ letter }: Event) => part.letters.includes(letter);
    if (part.kind === 'not') {
      pattern = pattern[part.strict ? 'notNext' : 'notFollowedBy'](`s${at}`, fits);
      return;
    }
    const when = (event: Event, matched: object) =>
      fits(event) &&
      (!part.rising || (Object.values(matched).flat() as (Event | undefined)[]).every((e) => !e || e.n < event.n));
    pattern = pattern === undefined ? startsWith(`s${at}`, when) : pattern[part.contiguity](`s${at}`, when);
    if (part.loop) pattern = pattern.times(part.loop.min, part.loop.min + part.loop.more);
    if (part.loop && part.loop.inner !== 'relaxed')
      pattern = pattern[part.loop.inner === 'strict' ? 'consecutive' : 'allowCombinations']();
    if (part.optional) pattern = pattern.optional();
    if (part.greedy) pattern = pattern.greedy();
  });
  return pattern;
}

/** Events taken, by their place in the sorted log, each with the place of its part in the spec. */
export type Sequence = readonly (readonly [at: number, part: number])[];

export interface Match {
  readonly sequence: Sequence;
  /** When it is certain. */
  readonly certainMs: number;
  /** Order among what is certain at the same time: at the end of its time first, then event by event. */
  readonly certainAt: number;
}

/** Every match of one key's sorted events, and every beginning that was none when its time was over. */
export function naive(spec: Spec, events: readonly Event[], withinMs: number): { matches: Match[]; missed: Match[] } {
  const timeOf = (at: number) => (events[at] as Event).timeMs;
  const END = spec.length;

  const fits = (sequence: Sequence, at: number, part: number): boolean => {
    const { letters: wanted, rising } = spec[part] as Take;
    const event = events[at] as Event;
    return (
      wanted.includes(event.letter) && (!rising || sequence.every(([each]) => (events[each] as Event).n < event.n))
    );
  };
  /** Where a sequence may go, the nearest first. */
  const targetsOf = (sequence: Sequence): number[] => {
    const last = sequence.at(-1)?.[1] ?? -1;
    const count = sequence.filter(([, part]) => part === last).length;
    const own = spec[last] as Take | undefined;
    const { min, max } = own?.loop ? { min: own.loop.min, max: own.loop.min + own.loop.more } : { min: 1, max: 1 };
    const targets = own && count < max ? [last] : [];
    if (own && count < min) return targets;
    for (let part = last + 1; ; part++) {
      const next = spec[part];
      if (next?.kind === 'not') continue;
      if (part < END || own) targets.push(part);
      if (!next?.optional) return targets;
    }
  };
  const guardsOf = (sequence: Sequence, target: number): Not[] => {
    const last = sequence.at(-1)?.[1];
    return last === undefined ? [] : (spec.slice(last + 1, target).filter(({ kind }) => kind === 'not') as Not[]);
  };
  const isGreedy = (part: number) => part < END && (spec[part] as Take).greedy;
  /** Something that must not come on the way to the target came at this place. */
  const isHit = (sequence: Sequence, target: number, at: number): boolean =>
    guardsOf(sequence, target).some(
      ({ letters: wanted, strict }) =>
        wanted.includes((events[at] as Event).letter) && (!strict || at === (sequence.at(-1)?.[0] ?? at) + 1),
    );
  const nearerThan = (sequence: Sequence, target: number) => {
    const targets = targetsOf(sequence);
    return targets.slice(0, targets.indexOf(target));
  };
  /** A nearer target that is greedy takes the event. */
  const isBlocked = (sequence: Sequence, target: number, at: number): boolean =>
    nearerThan(sequence, target).some((nearer) => isGreedy(nearer) && takes(sequence, nearer, at));
  /** After all events up to a place, the target may still take one. */
  const isOpen = (sequence: Sequence, target: number, upTo: number): boolean => {
    const last = sequence.at(-1)?.[0];
    if (last === undefined) return true;
    const isLoop = target === sequence.at(-1)?.[1];
    const { loop, contiguity } = (spec[target] ?? { loop: null, contiguity: 'followedByAny' }) as Take;
    const how = isLoop ? loop?.inner : { next: 'strict', followedBy: 'relaxed', followedByAny: 'any' }[contiguity];
    for (let at = last + 1; at <= upTo; at++) {
      if (how === 'strict' || isHit(sequence, target, at) || isBlocked(sequence, target, at)) return false;
      if (how === 'relaxed' && fits(sequence, at, target)) return false;
    }
    return true;
  };
  const takes = (sequence: Sequence, target: number, at: number): boolean =>
    isOpen(sequence, target, at - 1) &&
    !isHit(sequence, target, at) &&
    !isBlocked(sequence, target, at) &&
    fits(sequence, at, target);

  const matches: Match[] = [];
  const missed: Match[] = [];
  const explore = (sequence: Sequence): void => {
    const [[first], [last]] = [sequence[0], sequence.at(-1)] as [[number, number], [number, number]];
    const endMs = timeOf(first) + withinMs;
    let upTo = last;
    while (upTo + 1 < events.length && timeOf(upTo + 1) < endMs) upTo++;
    const targets = targetsOf(sequence);
    for (let at = last + 1; at <= upTo; at++)
      for (const target of targets)
        if (target < END && takes(sequence, target, at)) explore([...sequence, [at, target]]);
    const end = certainty(sequence, last, upTo, endMs);
    if (end) matches.push({ sequence, ...end });
    else if (targets.some((target) => isOpen(sequence, target, upTo)))
      missed.push({ sequence, certainMs: endMs, certainAt: -1 });
  };
  /** When nothing can keep a sequence from being a match any more. */
  const certainty = (sequence: Sequence, last: number, upTo: number, endMs: number) => {
    if (!targetsOf(sequence).includes(END)) return undefined;
    for (let at = last; at <= upTo; at++) {
      if (!isOpen(sequence, END, at)) return undefined;
      const isGuarded = guardsOf(sequence, END).some(({ strict }) => !strict || at === last);
      const mayBeTaken = nearerThan(sequence, END).some((nearer) => isGreedy(nearer) && isOpen(sequence, nearer, at));
      if (!isGuarded && !mayBeTaken) return { certainMs: timeOf(at), certainAt: at };
    }
    return { certainMs: endMs, certainAt: -1 };
  };
  for (let at = 0; at < events.length; at++)
    for (const target of targetsOf([])) if (takes([], target, at)) explore([[at, target]]);
  return { matches: matches.sort(byCertainty), missed: missed.sort(byCertainty) };
}

const byCertainty = (a: Match, b: Match): number =>
  a.certainMs - b.certainMs || a.certainAt - b.certainAt || byEvents(a.sequence, b.sequence);

/** The one that took an earlier event where they differ comes first, and what goes on before what does not. */
function byEvents(a: Sequence, b: Sequence): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [[aAt, aPart], [bAt, bPart]] = [a[i], b[i]] as [[number, number], [number, number]];
    if (aAt !== bAt || aPart !== bPart) return aAt - bAt || aPart - bPart;
  }
  return b.length - a.length;
}

/** What is left of all matches: by first event, then as they were certain, each drops others that begin before a place. */
export function skipping(skip: Skip, matches: readonly Match[]): Match[] {
  const rest = matches.toSorted(
    (a, b) => (a.sequence[0]?.[0] as number) - (b.sequence[0]?.[0] as number) || byCertainty(a, b),
  );
  const told: Match[] = [];
  let from = 0;
  for (const match of rest) {
    const first = match.sequence[0]?.[0] as number;
    if (first < from) continue;
    told.push(match);
    const of = (name: string) => match.sequence.filter(([, part]) => `s${part}` === name).map(([at]) => at);
    if (skip === 'to-next') from = Math.max(from, first + 1);
    else if (skip === 'past-last') from = Math.max(from, (match.sequence.at(-1)?.[0] as number) + 1);
    else if (skip !== 'none')
      from = Math.max(from, ('toFirst' in skip ? of(skip.toFirst)[0] : of(skip.toLast).at(-1)) ?? 0);
  }
  return told;
}
