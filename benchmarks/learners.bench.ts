/**
 * How fast do the learners predict and learn, beside River, MOA and Vowpal Wabbit on the same rows?
 *
 * All sides read the same files; each row is predicted, then learnt. A rate is rows a second of the processor's time, of all
 * threads of a process: that of a side with one core of its own. Not in it: making and reading rows, starting processes,
 * compiling by the JIT (each case runs before it is measured, and a side's process stays for all). Vowpal Wabbit reads its own text format in the clock, as it does
 * nothing else. Scores in the details show that the sides do the same work; learners with chance draw it differently.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maven, requireJava } from '../stack/tools.js';
import type { Benchmark } from './benchmark.js';
import { type Case, cases, type PeerName } from './learners/cases.js';
import { writeRows } from './learners/rows.js';
import { type Order, requireAll, Side } from './learners/side.js';
import { type Contestant, measureInTurn, rateOf, ratioOf, type Spread } from './pairs.js';
import type { PeerCommand } from './peers/peer-process.js';

const folder = join(import.meta.dirname, 'learners');
const moa = join(folder, 'moa');
const libs = join(moa, 'target', 'libs');

const millrace: PeerCommand = { command: process.execPath, args: [...process.execArgv, join(folder, 'millrace.ts')] };

interface Peer extends PeerCommand {
  readonly probe: readonly [string, ...string[]];
  readonly install: string;
}

const python = (script: string, module: string, version: string): Peer => ({
  command: 'python3',
  args: [join(folder, script)],
  probe: ['python3', '-c', `import ${module}`],
  install: `pip install ${module}==${version}`,
});

const peers: Readonly<Record<PeerName, Peer>> = {
  River: python('river_side.py', 'river', '0.26.1'),
  'Vowpal Wabbit': python('vowpal_wabbit_side.py', 'vowpalwabbit', '9.11.9'),
  MOA: {
    command: 'java',
    args: ['-XX:+UseSerialGC', '-Xms1g', '-Xmx1g', '-cp', `${libs}/*`, join(moa, 'Moa.java')],
    probe: ['mvn', '-version'],
    install: 'apt-get install openjdk-17-jdk-headless maven (`brew install openjdk@17 maven`)',
  },
};

const peersOf = ({ peers }: Case) => Object.keys(peers) as PeerName[];

/** What the JIT of a side is given before each case. The others have none. */
const warmUpSeconds: Readonly<Record<string, number>> = { Millrace: 1, MOA: 5 };

/** Every selected case's peers are there, or it is said which are not, and how they are installed. */
async function prepare(chosen: readonly Case[], progress: (line: string) => void): Promise<void> {
  const needed = new Set(chosen.flatMap(peersOf));
  requireAll([...needed].map((name) => peers[name]));
  if (!needed.has('MOA')) return;
  await requireJava();
  progress('fetching MOA (60 MB, once)');
  await maven(['-f', join(moa, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`]);
}

export const options = { only: '', rows: 0, rounds: 3, seconds: 0.5 };

export const benchmark: Benchmark<typeof options> = async (progress, { only, rows, rounds, seconds }) => {
  const chosen = Object.entries(cases).filter(([name]) => name.toLowerCase().includes(only.toLowerCase()));
  if (chosen.length === 0) throw new Error(`no case "${only}"; there are ${Object.keys(cases).join('; ')}`);
  await prepare(
    chosen.map(([, each]) => each),
    progress,
  );

  const temporary = mkdtempSync(join(tmpdir(), 'millrace-learners-'));
  const sides = new Map<string, Side>();
  const sideOf = (name: string, command: PeerCommand): Side => {
    const side = sides.get(name) ?? new Side(name, command);
    sides.set(name, side);
    return side;
  };
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  const details: Record<string, unknown> = {};
  try {
    const files = writeRows(temporary, rows || Math.max(...chosen.map(([, each]) => each.rows)));
    for (const [name, each] of chosen) {
      const count = rows || each.rows;
      const { data, columns, label, judge } = each;
      const file = data === 'numbers' ? files.numbers : files.strings;
      const order: Order = { learner: name, file, data, rows: count, columns, label, judge, seconds };
      const orders: readonly (readonly [Side, Order])[] = [
        ...peersOf(each).map((peer) => {
          const own = peer === 'Vowpal Wabbit' ? { file: files.vw(count) } : {};
          return [sideOf(peer, peers[peer]), { ...order, ...own, learner: each.peers[peer] as string }] as const;
        }),
        [sideOf('Millrace', millrace), order],
      ];
      const scores: Record<string, number> = {};
      const contestants = orders.map(
        ([side, said]): Contestant => ({
          name: side.name,
          async work() {
            const { rows: records, cpuSeconds, score } = await side.run(said);
            scores[side.name] = score;
            return { records, seconds: cpuSeconds, cpuSeconds };
          },
        }),
      );
      for (const [side, said] of orders) {
        const warmUp = warmUpSeconds[side.name];
        if (warmUp) await side.run({ ...said, seconds: warmUp });
      }
      const { runs, rates } = await measureInTurn(contestants, { rounds, warmUps: 0 });
      for (const [side, spread] of Object.entries(rates)) figures[`${name}, ${side}`] = spread;
      for (const peer of peersOf(each)) {
        const ratio = ratioOf(runs, 'Millrace', peer, rateOf);
        const goal = each.goals?.[peer] ?? 1;
        ratios[`${name}: Millrace through ${peer} (goal ${goal})`] = ratio;
        progress(`${name}: ${ratio.median.toFixed(2)} times ${peer}, goal ${goal}; ${judge} ${JSON.stringify(scores)}`);
      }
      details[name] = { rows: count, judge, scores };
    }
  } finally {
    for (const side of sides.values()) side.end();
    rmSync(temporary, { recursive: true, force: true });
  }
  return { unit: 'rows/s of one core', figures, ratios, details };
};
