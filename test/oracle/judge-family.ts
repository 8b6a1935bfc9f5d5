import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Random } from '../../src/testing/sim/index.js';
import { type Drawn, type Family, runCase } from './case.js';

export const python = process.env.MILLRACE_PYTHON ?? 'python3';
const script = fileURLToPath(new URL('judge/judge.py', import.meta.url));
/** Cases that are sent before a verdict is awaited: both processes work at once. */
const AHEAD = 50;
/** Failures after which a family is not judged further. */
const FAILURES_MAX = 5;
/** Cases that are tried to make one smaller. */
const ATTEMPTS_MAX = 400;
const UNJUDGED = 'unjudged';

export interface Judged {
  readonly cases: number;
  readonly records: number;
  readonly emitted: number;
  readonly restarts: number;
  /** Cases of which the documentation leaves open what they give. */
  readonly unjudged: number;
  readonly seconds: number;
  /** Each with its seed and the smallest case that still fails. */
  readonly failures: readonly string[];
}

/** Draws cases by the seeds from `seed` on, runs them through the real operators and lets the judge, a Python program, say what is wrong. */
export async function judgeFamily(
  family: Family,
  cases: number,
  seed: number,
  run: typeof runCase = runCase,
): Promise<Judged> {
  const judge = new Judge(family, run);
  const began = performance.now();
  const failures: string[] = [];
  const total = { records: 0, emitted: 0, restarts: 0, unjudged: 0 };
  try {
    const sent: { readonly seed: number; readonly drawn: Drawn; readonly why: Promise<string | null> }[] = [];
    const settle = async () => {
      const { seed, drawn, why } = sent.shift() as (typeof sent)[number];
      const said = await why;
      if (said === UNJUDGED) total.unjudged += 1;
      else if (said !== null) failures.push(await explain(judge, seed, drawn, said));
    };
    for (let at = seed; at < seed + cases && failures.length < FAILURES_MAX; at++) {
      const drawn = family.draw(new Random(at));
      const { emitted, why } = await judge.judge(drawn);
      total.records += drawn.inputs.length;
      total.restarts += drawn.restarts.length;
      total.emitted += emitted;
      sent.push({ seed: at, drawn, why });
      if (sent.length >= AHEAD) await settle();
    }
    while (sent.length > 0) await settle();
  } finally {
    judge.close();
  }
  return { cases, ...total, seconds: Math.round((performance.now() - began) / 100) / 10, failures };
}

/** The Python program, which answers in order. */
class Judge {
  private readonly python = spawn(python, ['-B', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  private readonly answers = createInterface({ input: this.python.stdout })[Symbol.asyncIterator]();
  private readonly ended = once(this.python, 'close');

  constructor(
    readonly family: Family,
    readonly run: typeof runCase,
  ) {
    // A judge that ends early is seen where its answer is missing.
    this.python.stdin.on('error', () => {});
    this.ended.catch(() => {});
  }

  async judge(drawn: Drawn): Promise<{ readonly emitted: number; readonly why: Promise<string | null> }> {
    const got = await this.run(this.family, drawn);
    this.python.stdin.write(`${JSON.stringify({ family: this.family.name, ...drawn, got })}\n`);
    return { emitted: got.emitted.length, why: this.answer() };
  }

  close(): void {
    this.python.stdin.end();
  }

  private async answer(): Promise<string | null> {
    const { value, done } = await this.answers.next();
    if (done)
      throw new Error(`the judge ended: it needs Python 3.9 or newer, which MILLRACE_PYTHON names; it was ${python}`);
    return JSON.parse(value) as string | null;
  }
}

/** Leaves out inputs and restarts as long as the case still fails, and prints what remains. */
async function explain(judge: Judge, seed: number, drawn: Drawn, why: string): Promise<string> {
  let smallest = { drawn, why };
  let attempts = 0;
  const failsWith = async (candidate: Drawn): Promise<boolean> => {
    attempts += 1;
    const said = await (await judge.judge(candidate)).why;
    const fails = said !== null && said !== UNJUDGED;
    if (fails) smallest = { drawn: candidate, why: said };
    return fails;
  };
  await failsWith({ ...drawn, restarts: [] });
  for (let size = Math.ceil(drawn.inputs.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < smallest.drawn.inputs.length && attempts < ATTEMPTS_MAX; ) {
      const { inputs, restarts } = smallest.drawn;
      const fewer = inputs.filter((_, at) => at < from || at >= from + size);
      const moved = restarts.map((at) => (at > from ? Math.max(from, at - size) : at));
      if (fewer.length === 0 || !(await failsWith({ ...smallest.drawn, inputs: fewer, restarts: moved }))) from += size;
    }
  const { options, disorderMs, inputs, restarts } = smallest.drawn;
  const lines = inputs.map(
    (input, at) => `  ${at}${restarts.includes(at) ? ' (restart)' : ''} ${JSON.stringify(input)}`,
  );
  return [
    `${judge.family.name}, seed ${seed}: ${smallest.why}`,
    `  ${JSON.stringify({ options, disorderMs })}`,
    ...lines,
    `  ${JSON.stringify(await judge.run(judge.family, smallest.drawn))}`,
  ].join('\n');
}
