import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { machineLine } from '../../benchmarks/machine.js';
import { readArguments } from '../arguments.js';
import { OwnBroker } from '../integration/kafka/own-broker.js';

export interface DrillOptions {
  readonly broker: string;
  /** Of the topology, its topics and its group. */
  readonly name: string;
  /** Over both inputs, at the peak. */
  readonly recordsPerSecond: number;
  /** How long the processes run undisturbed between two steps. */
  readonly restMs: number;
  readonly log: (line: string) => void;
}

/** A drill as a command. */
export interface Drill<Result extends object> {
  /** `npm run drill:NAME`; its result is kept under this name. */
  readonly name: string;
  readonly about: string;
  /** Records per second, if nobody says. */
  readonly rate: number;
  /** The broker and the processes, for the result. */
  readonly kafka: string;
  drill(options: DrillOptions): Promise<Result>;
  isRight(result: Result): boolean;
}

/** Runs a drill on a broker of its own, prints and keeps its result, and fails where that is not right. */
export async function runDrill<Result extends object>(command: Drill<Result>): Promise<void> {
  const { name, about, rate, kafka, drill, isRight } = command;
  const { values } = readArguments({
    options: {
      rate: { type: 'string', default: String(rate) },
      rest: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`npm run drill:${name} -- [options]

${about}
It has a broker of its own. Needs Java and Maven.

  --rate N   records per second (${rate})
  --rest N   seconds between two steps (10)
`);
    return;
  }
  const recordsPerSecond = Number(values.rate);
  const restSeconds = Number(values.rest);
  const startedMs = Date.now();
  const seconds = () => (Date.now() - startedMs) / 1_000;
  const log = (line: string) => process.stderr.write(`${seconds().toFixed(1)} s: ${line}\n`);

  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const broker = await OwnBroker.start({ listeners: [], settings: () => '' });
  try {
    const options = {
      broker: broker.address(),
      name: `${name}-drill`,
      recordsPerSecond,
      restMs: restSeconds * 1_000,
      log,
    };
    const result = await drill(options);
    const right = isRight(result);
    const kept = {
      command: `npm run drill:${name} -- --rate ${recordsPerSecond} --rest ${restSeconds}`,
      machine: machineLine(),
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
      kafka: `4.4.0, one broker; ${kafka}`,
      date: new Date(startedMs).toISOString(),
      seconds: Math.round(seconds()),
      recordsPerSecond,
      right,
      ...result,
    };
    const text = `${JSON.stringify(kept, null, 2)}\n`;
    writeFileSync(new URL(`../../benchmarks/results/${name}.json`, import.meta.url), text);
    process.stdout.write(text);
    process.exitCode = right ? 0 : 1;
  } finally {
    await broker.stop();
  }
}
