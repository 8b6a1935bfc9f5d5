/**
 * The contiguity of an event with the one before it: the very next event (`strict`), the next one that matches (`relaxed`), or any one that
 * matches, with one match each (`any`).
 */
export type Contiguity = 'strict' | 'relaxed' | 'any';

// Predicates were checked where the pattern was written; what runs them sees events as `unknown`.
type When = (event: unknown, matched: Readonly<Record<string, unknown>>) => boolean;

/** A stage that takes events. */
export interface TakePart {
  readonly kind: 'take';
  readonly name: string;
  readonly when: When;
  /** Contiguity with the stage before it. */
  readonly contiguity: Contiguity;
  readonly min: number;
  readonly max: number;
  /** Contiguity among its own events. */
  readonly inner: Contiguity;
  readonly isLoop: boolean;
  readonly optional: boolean;
  readonly greedy: boolean;
}

/** An event that must not come between two stages, or after the last one: as the very next event (`strict`), or at all. */
export interface NotPart {
  readonly kind: 'not';
  readonly name: string;
  readonly when: When;
  readonly strict: boolean;
}

export type Part = TakePart | NotPart;

/** The default maximum of a looping stage's events, so that a run is bounded. */
const LOOP_MAX = 1_000;

type Flat<M> = { readonly [P in keyof M]: M[P] };
type With<M, N extends string, V> = Flat<M & { readonly [P in N]: V }>;
/** The argument of a predicate: events of earlier stages, and those that its own stage has taken so far. */
type Seen<T, M, N extends string> = Flat<M & { readonly [P in N]: readonly T[] }>;
type Unused<M, N extends string> = N & (N extends keyof M ? never : N);

/**
 * A sequence of events, as inert data: the predicate and the contiguity of each stage. `M` are the events of a match, by the names of the
 * stages.
 *
 * @example
 * const testedCard = startsWith('small', (e: CardEvent) => e.kind === 'charge' && e.amount < 2)
 *   .notFollowedBy('login', (e) => e.kind === 'login')
 *   .followedBy('large', (e, { small }) => e.kind === 'charge' && e.amount > 100 * small.amount);
 *
 * Predicates must depend on their arguments only. They get the events so far: one event of a single stage, an array of a looping stage (also
 * their own), `undefined` for an optional stage without an event.
 */
export interface Pattern<T, out M> {
  readonly parts: readonly Part[];
  /** The very next event must be this one, or there is no match. */
  next<N extends string, U extends T>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => event is U,
  ): Stage<T, M, N, U>;
  next<N extends string>(name: Unused<M, N>, when: (event: T, matched: Seen<T, M, N>) => boolean): Stage<T, M, N, T>;
  /** The next event that matches; others may come between. */
  followedBy<N extends string, U extends T>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => event is U,
  ): Stage<T, M, N, U>;
  followedBy<N extends string>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => boolean,
  ): Stage<T, M, N, T>;
  /** Any later event that matches: one match for each. */
  followedByAny<N extends string, U extends T>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => event is U,
  ): Stage<T, M, N, U>;
  followedByAny<N extends string>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => boolean,
  ): Stage<T, M, N, T>;
  /** The very next event must not be this one. */
  notNext(name: string, when: (event: T, matched: M) => boolean): Pattern<T, M>;
  /** No such event may come before the next stage; at the end of a pattern: before `within` is over. */
  notFollowedBy(name: string, when: (event: T, matched: M) => boolean): Pattern<T, M>;
}

/** A stage that takes one event, unless a quantifier follows. */
export interface Stage<T, M, N extends string, V> extends Pattern<T, With<M, N, V>> {
  /** Exactly `min` events, or from `min` to `max`. */
  times(min: number, max?: number): Loop<T, M, N, V>;
  /** One event or more, up to 1,000; `times(1, max)` sets another limit. */
  oneOrMore(): Loop<T, M, N, V>;
  /** One event or none. */
  optional(): Optional<T, M, N, V>;
}

/** A stage that takes one event or none. */
export interface Optional<T, M, N extends string, V> extends Pattern<T, With<M, N, V | undefined>> {
  /** It is left out only if no event matches. */
  greedy(): Optional<T, M, N, V>;
}

/** A stage that takes several events. The default contiguity among them is `relaxed`. */
export interface Loop<T, M, N extends string, V> extends Pattern<T, With<M, N, readonly V[]>> {
  /** Its events must come directly one after another. */
  consecutive(): Loop<T, M, N, V>;
  /** Events that match may be left out: one match for every combination. */
  allowCombinations(): Loop<T, M, N, V>;
  /** It takes every event that matches, up to its maximum, before the next stage begins. */
  greedy(): Loop<T, M, N, V>;
  /** It may also take no event. */
  optional(): Loop<T, M, N, V>;
}

/**
 * Begins a pattern: a match starts at any event that matches.
 *
 * @example
 * startsWith('failed', (e: Login) => !e.ok).times(3).consecutive().next('succeeded', (e) => e.ok);
 */
export function startsWith<T, U extends T, N extends string>(
  name: N,
  when: (event: T, matched: Seen<T, unknown, N>) => event is U,
): Stage<T, unknown, N, U>;
export function startsWith<T, N extends string>(
  name: N,
  when: (event: T, matched: Seen<T, unknown, N>) => boolean,
): Stage<T, unknown, N, T>;
export function startsWith(name: string, when: (event: never, matched: never) => boolean): unknown {
  return new Chain([take(name, when as When, 'any')]);
}

const take = (name: string, when: When, contiguity: Contiguity): TakePart =>
  Object.freeze({
    kind: 'take',
    name,
    when,
    contiguity,
    min: 1,
    max: 1,
    inner: 'relaxed',
    isLoop: false,
    optional: false,
    greedy: false,
  });

/** Implements all kinds of patterns. The interfaces define which calls may follow which. */
class Chain {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = Object.freeze(parts);
    Object.freeze(this);
  }

  next = (name: string, when: When) => this.and(take(name, when, 'strict'));
  followedBy = (name: string, when: When) => this.and(take(name, when, 'relaxed'));
  followedByAny = (name: string, when: When) => this.and(take(name, when, 'any'));
  notNext = (name: string, when: When) => this.and(Object.freeze({ kind: 'not', name, when, strict: true }));
  notFollowedBy = (name: string, when: When) => this.and(Object.freeze({ kind: 'not', name, when, strict: false }));

  times = (min: number, max = min) => this.but({ min, max, isLoop: true });
  oneOrMore = () => this.times(1, LOOP_MAX);
  optional = () => this.but({ optional: true });
  consecutive = () => this.but({ inner: 'strict' });
  allowCombinations = () => this.but({ inner: 'any' });
  greedy = () => this.but({ greedy: true });

  private and(part: Part): Chain {
    return new Chain([...this.parts, part]);
  }

  /** Replaces the last stage. */
  private but(change: Partial<TakePart>): Chain {
    const last = Object.freeze({ ...(this.parts.at(-1) as TakePart), ...change });
    return new Chain([...this.parts.slice(0, -1), last]);
  }
}
