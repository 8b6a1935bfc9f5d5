import { strict as assert } from 'node:assert';
import { cpuOf, measureInTurn, rateOf, ratioOf, type Spread, spreadOf } from '../pairs.js';
import { millraceCommand } from './commands.js';
import type { Order } from './order.js';
import type { PeerCommand } from './peer-process.js';
import { Side, type Task } from './side.js';
import type { World } from './world.js';

/** A piece of work that both sides do, and how it is told that they did the same. */
export interface Contest<Written> {
  readonly task: Task;
  readonly warmUp: Task;
  /** What the warm-up has written. */
  written(order: Order): Promise<Written>;
  /** Throws where two have not written the same; says what is alike. */
  compare(theirs: Written, ours: Written): string;
  /** What is the same for every run. */
  fingerprint(order: Order): Promise<number>;
}

export interface Compared {
  readonly figures: Readonly<Record<string, Spread>>;
  readonly ratios: Readonly<Record<string, Spread>>;
}

/** Warms Kafka Streams and Millrace up, compares what they have written, and measures them in turn. */
export async function besideKafkaStreams<Written>(
  world: World,
  kafkaStreams: PeerCommand,
  contest: Contest<Written>,
  pairs: number,
  progress: (line: string) => void,
): Promise<Compared> {
  const { task, warmUp } = contest;
  const { work, threads } = task;
  const theirs = new Side('Kafka Streams', world, kafkaStreams);
  const ours = new Side('Millrace', world, millraceCommand, threads);
  const sides = [theirs, ours] as const;
  try {
    const written: Written[] = [];
    for (const side of sides) {
      await side.run(warmUp, async (order) => {
        written.push(await contest.written(order));
      });
    }
    progress(`${work}: ${contest.compare(written[0] as Written, written[1] as Written)}`);

    const fingerprints = new Set<number>();
    const look = async (order: Order) => {
      fingerprints.add(await contest.fingerprint(order));
    };
    const contestants = sides.map((side) => ({ name: side.name, work: () => side.run(task, look) }));
    const { runs, rates, cpuMicros } = await measureInTurn(contestants, { rounds: pairs, warmUps: 0 }, progress);
    assert.equal(fingerprints.size, 1, `${work}: every run has written the same`);

    const figures: Record<string, Spread> = {};
    for (const { name, brokerMicros } of sides) {
      figures[`${work}, ${name}, records/s`] = rates[name] as Spread;
      figures[`${work}, ${name}, us of CPU a record`] = cpuMicros[name] as Spread;
      figures[`${work}, ${name}, us of the broker's CPU a record`] = spreadOf(brokerMicros.slice(-pairs));
    }
    const through = (figure: typeof rateOf) => ratioOf(runs, ours.name, theirs.name, figure);
    const ratios = {
      [`${work}: records/s, Millrace through Kafka Streams`]: through(rateOf),
      [`${work}: CPU a record, Millrace through Kafka Streams`]: through(cpuOf),
    };
    return { figures, ratios };
  } finally {
    for (const side of sides) side.end();
  }
}
