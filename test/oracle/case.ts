import type { Duration } from '../../src/core/index.js';
import { type Driven, type DrivenInput, DrivenStep } from '../../src/testing/drive-operator.js';
import { FakeLedger } from '../../src/testing/fake-ledger.js';
import type { Random } from '../../src/testing/sim/index.js';

/** A case as a seed drew it: plain JSON, since the judge reads it. */
export interface Drawn<Options = Readonly<Record<string, unknown>>> {
  readonly options: Options;
  readonly disorderMs: number;
  readonly inputs: readonly OracleInput[];
  /** Before which inputs the state is saved and a new step is restored from it. */
  readonly restarts: readonly number[];
}

export interface OracleInput {
  /** 0 for the main input. */
  readonly in: number;
  readonly t: number;
  readonly v: unknown;
}

/** What the operators did with a case. Places (`o`) are those of the inputs; one beyond the last is the end of time. */
export interface Got {
  readonly emitted: readonly { readonly v: unknown; readonly t: number; readonly o: number }[];
  readonly dead: readonly { readonly reason: string; readonly o: number }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly failure?: string;
}

/** A kind of operators with random cases: how a case is drawn, and the real operator of its options. */
export interface OperatorFamily<Options = never> {
  readonly name: string;
  draw(random: Random): Drawn<Options>;
  operator(options: Options): Driven;
  /** Makes what an operator emits JSON where it is not. */
  plain?(value: unknown): unknown;
}

/** Cases that are run as whole topologies. */
export interface RunFamily<Options = never> {
  readonly name: string;
  draw(random: Random): Drawn<Options>;
  run(drawn: Drawn<Options>): Promise<Got>;
}

export type Family<Options = never> = OperatorFamily<Options> | RunFamily<Options>;

export const runCase = async (family: Family, drawn: Drawn): Promise<Got> =>
  'run' in family ? family.run(drawn as never) : drive(family, drawn);

export const ms = (count: number): Duration => count as Duration;

/** Runs the case through the real operator; a restart writes its cells as bytes and opens it anew from them. */
function drive({ operator, plain = (value) => value }: OperatorFamily, drawn: Drawn): Got {
  const ledger = new FakeLedger();
  const open = (at: number, watermarkMs: number) => {
    const driven: Driven & { readonly problems?: readonly unknown[] } = operator(drawn.options as never);
    if (driven.problems && driven.problems.length > 0)
      throw new Error(`no valid case: ${JSON.stringify(driven.problems)}`);
    return new DrivenStep(driven, at, ledger.state(), { disorderMs: drawn.disorderMs, watermarkMs });
  };
  let watermarkMs = BEFORE_ALL_MS;
  let step = open(0, watermarkMs);
  const steps = [step];
  let went = true;
  for (const [at, { in: input, t, v }] of drawn.inputs.entries()) {
    if (drawn.restarts.includes(at)) {
      ledger.store(step.takeChanges());
      step = open(at, watermarkMs);
      steps.push(step);
    }
    const given: DrivenInput = { value: structuredClone(v), input, eventTimeMs: t };
    went = step.push(given);
    if (!went) break;
    watermarkMs = Math.max(watermarkMs, t - drawn.disorderMs);
  }
  if (went) step.end();
  const counters: Record<string, number> = {};
  for (const each of steps)
    for (const [name, value] of Object.entries(each.counters)) counters[name] = (counters[name] ?? 0) + value;
  return {
    emitted: steps
      .flatMap(({ emitted }) => emitted)
      .map(({ value, origin }) => ({ v: plain(value), t: origin.eventTimeMs, o: origin.offset })),
    dead: steps.flatMap(({ deadLetters }) => deadLetters).map(({ reason, origin }) => ({ reason, o: origin.offset })),
    counters,
    ...(step.failure !== undefined && { failure: step.failure }),
  };
}

const BEFORE_ALL_MS = -8.64e15;

/** Event times that rise with gaps and come out of order; some further than `disorderMs`, so late. */
export function times(random: Random, count: number, disorderMs: number): number[] {
  const step = random.pick([1, 3, 10]);
  const lateShare = random.pick([0, 0, 0.05, 0.2]);
  let nowMs = 1_000_000 + random.int(1_000);
  return Array.from({ length: count }, () => {
    nowMs += random.chance(0.05) ? random.int(step * 30) : random.int(step * 2);
    const behindMs = random.chance(lateShare) ? random.int(step * 30 + 1) : random.int(disorderMs + 1);
    return nowMs - behindMs;
  });
}

export const restarts = (random: Random, count: number): number[] =>
  random.chance(0.2) ? [] : Array.from({ length: 1 + random.int(3) }, () => random.int(count));

/** Mostly short cases, since they find most and are read by people. */
export const length = (random: Random): number => random.pick([6, 12, 25, 60]) + random.int(6);
