import { match, type Skip, startsWith } from '../../../src/operators/index.js';
import type { Random } from '../../../src/testing/sim/index.js';
import { length, ms, type OperatorFamily, restarts, times } from '../case.js';

/** A part of a pattern. A stage takes events whose letter is among `letters`. */
export interface Part {
  readonly name: string;
  readonly letters: string;
  readonly how: 'next' | 'followedBy' | 'followedByAny' | 'notNext' | 'notFollowedBy';
  readonly min: number;
  readonly max: number;
  readonly loop: boolean;
  readonly inner: 'relaxed' | 'strict' | 'any';
  readonly optional: boolean;
  readonly greedy: boolean;
}
interface Options {
  readonly parts: readonly Part[];
  readonly within: number;
  readonly skip: Skip;
}
interface Event {
  readonly k: string;
  readonly is: string;
  readonly id: number;
}

const LETTERS = 'abcd';

function drawPart(random: Random, at: number): Part {
  const loop = random.chance(0.35);
  const min = loop ? 1 + random.int(2) : 1;
  const inner = loop ? random.pick(['relaxed', 'relaxed', 'strict', 'any'] as const) : 'relaxed';
  return {
    name: `s${at}`,
    letters: random.chance(0.75) ? random.pick([...LETTERS]) : random.pick(['ab', 'bc', 'cd']),
    how: random.pick(['next', 'followedBy', 'followedBy', 'followedByAny']),
    min,
    max: loop ? min + random.int(3) : 1,
    loop,
    inner,
    optional: at > 0 && random.chance(0.15),
    greedy: inner === 'relaxed' && loop && random.chance(0.3),
  };
}

function drawParts(random: Random): Part[] {
  const parts = Array.from({ length: 1 + random.int(3) }, (_, at) => drawPart(random, at));
  return parts.flatMap((part, at) => {
    const not: Part = {
      ...drawPart(random, at),
      name: `n${at}`,
      how: random.pick(['notNext', 'notFollowedBy']),
      loop: false,
      inner: 'relaxed',
      min: 1,
      max: 1,
      optional: false,
      greedy: false,
    };
    return random.chance(0.2) ? [part, not] : [part];
  });
}

interface AnyStage {
  readonly [method: string]: (...args: unknown[]) => AnyStage;
}

const patternOf = (parts: readonly Part[]): unknown =>
  parts.reduce<AnyStage | undefined>((so, { name, letters, how, min, max, loop, inner, optional, greedy }) => {
    const when = (event: Event) => letters.includes(event.is);
    let stage = so ? (so[how] as AnyStage[string])(name, when) : (startsWith(name, when) as unknown as AnyStage);
    const and = (method: string, ...args: unknown[]) => {
      stage = (stage[method] as AnyStage[string])(...args);
    };
    if (loop) and('times', min, max);
    if (inner === 'strict') and('consecutive');
    if (inner === 'any') and('allowCombinations');
    if (greedy) and('greedy');
    if (optional) and('optional');
    return stage;
  }, undefined);

export const patterns: OperatorFamily<Options> = {
  name: 'patterns',
  draw(random) {
    const disorderMs = random.pick([0, 0, 10]);
    const count = Math.min(30, length(random));
    const keys = 1 + random.int(2);
    const parts = drawParts(random);
    const stages = parts.filter(({ how }) => !how.startsWith('not')).map(({ name }) => name);
    const skips: Skip[] = [
      'none',
      'to-next',
      'past-last',
      { toFirst: random.pick(stages) },
      { toLast: random.pick(stages) },
    ];
    return {
      options: { parts, within: random.pick([8, 25, 80]), skip: random.pick(skips) },
      disorderMs,
      inputs: times(random, count, disorderMs).map((t, id) => ({
        in: 0,
        t,
        v: { k: `k${random.int(keys)}`, is: random.pick([...LETTERS]), id },
      })),
      restarts: restarts(random, count),
    };
  },
  operator: ({ parts, within, skip }) =>
    match({
      key: ({ k }: Event) => k,
      pattern: patternOf(parts) as never,
      within: ms(within),
      skip: skip as never,
      select: (
        matched: Readonly<Record<string, unknown>>,
        { key, startMs, endMs }: { key: string; startMs: number; endMs: number },
      ) => ({
        key,
        startMs,
        endMs,
        stages: Object.fromEntries(Object.entries(matched).map(([name, taken]) => [name, idsOf(taken)])),
      }),
      runsMax: 100_000,
      runsPerKeyMax: 50_000,
      pendingMax: 1_000,
    }),
};

const idsOf = (taken: unknown): number[] => [taken ?? []].flat().map((event) => (event as Event).id);
