/**
 * How close an event must come to the one before it: the very next event (`strict`), the next one that fits (`relaxed`), or
 * any one that fits (`any`), one match each.
 */
export type Contiguity = 'strict' | 'relaxed' | 'any';

// Predicates were checked where the pattern was written; what runs them sees events as `unknown`.
type When = (event: unknown, matched: Readonly<Record<string, unknown>>) => boolean;

/** A stage that takes events. */
export interface TakePart {
  readonly kind: 'take';
  readonly name: string;
  readonly when: When;
  /** To the stage before it. */
  readonly contiguity: Contiguity;
  readonly min: number;
  readonly max: number;
  /** Among its own events. */
  readonly inner: Contiguity;
  readonly isLoop: boolean;
  readonly optional: boolean;
  readonly greedy: boolean;
}

/** What must not come between two stages, or after the last one: as the very next event (`strict`), or at all. */
export interface NotPart {
  readonly kind: 'not';
  readonly name: string;
  readonly when: When;
  readonly strict: boolean;
}

export type Part = TakePart | NotPart;

/** Events that a looping stage takes at most, where it does not say: so that one run cannot grow without end. */
const LOOP_MAX = 1_000;

type Flat<M> = { readonly [P in keyof M]: M[P] };
type With<M, N extends string, V> = Flat<M & { readonly [P in N]: V }>;
/** What a predicate sees: events of the stages before, and those that its own stage has taken so far. */
type Seen<T, M, N extends string> = Flat<M & { readonly [P in N]: readonly T[] }>;
type Unused<M, N extends string> = N & (N extends keyof M ? never : N);

/**
 * A sequence of events, as inert data: what each must be, and how close it must come to the one before. `M` is what a
 * match holds, by the names of the stages.
 *
 * @example
 * const testedCard = startsWith('small', (e: CardEvent) => e.kind === 'charge' && e.amount < 2)
 *   .notFollowedBy('login', (e) => e.kind === 'login')
 *   .followedBy('large', (e, { small }) => e.kind === 'charge' && e.amount > 100 * small.amount);
 *
 * Predicates depend on their arguments alone. They see what was matched so far: one event of a single stage, an array of
 * a looping one (their own included), `undefined` for an optional stage that was left out.
 */
export interface Pattern<T, out M> {
  readonly parts: readonly Part[];
  /** The very next event must be this one, or there is no match. */
  next<N extends string, U extends T>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => event is U,
  ): Stage<T, M, N, U>;
  next<N extends string>(name: Unused<M, N>, when: (event: T, matched: Seen<T, M, N>) => boolean): Stage<T, M, N, T>;
  /** The next event that fits; others may come between. */
  followedBy<N extends string, U extends T>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => event is U,
  ): Stage<T, M, N, U>;
  followedBy<N extends string>(
    name: Unused<M, N>,
    when: (event: T, matched: Seen<T, M, N>) => boolean,
  ): Stage<T, M, N, T>;
  /** Any later event that fits: one match for each of them. */
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

/** A stage that takes one event, until a quantifier says otherwise. */
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
  /** It is left out only where no event fits. */
  greedy(): Optional<T, M, N, V>;
}

/** A stage that takes several events; the next one that fits follows, unless it says otherwise. */
export interface Loop<T, M, N extends string, V> extends Pattern<T, With<M, N, readonly V[]>> {
  /** Its events come one directly after another. */
  consecutive(): Loop<T, M, N, V>;
  /** Events that fit may be left out: one match for every choice. */
  allowCombinations(): Loop<T, M, N, V>;
  /** It takes every event that fits, up to its maximum, before the next stage begins. */
  greedy(): Loop<T, M, N, V>;
  /** Or none at all. */
  optional(): Loop<T, M, N, V>;
}

/**
 * Begins a pattern: a match starts at any event that fits.
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

/** Every kind of pattern at once; the interfaces say what may follow what. */
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

  /** The last stage, said otherwise. */
  private but(change: Partial<TakePart>): Chain {
    const last = Object.freeze({ ...(this.parts.at(-1) as TakePart), ...change });
    return new Chain([...this.parts.slice(0, -1), last]);
  }
}
