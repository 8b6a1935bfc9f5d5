import { map } from '../../../src/operators/index.js';
import type { Random } from '../../../src/testing/sim/index.js';
import { TopologyTest } from '../../../src/testing/topology-test.js';
import { topology } from '../../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../../memory.js';
import { type Drawn, type Got, ms, type OperatorFamily, type RunFamily } from '../case.js';
import { joins, tableJoins } from './joins.js';
import { duplicates } from './quality.js';
import { windows } from './windows.js';

interface Options {
  readonly of: string;
  readonly options: Readonly<Record<string, unknown>>;
}
interface Logged {
  readonly t: number;
  readonly v: unknown;
}
interface AnyStream {
  via(id: string, ...rest: unknown[]): AnyStream;
  to(id: string, sink: unknown): void;
}

const COUNTERS = ['late', 'partly_late', 'unmatched', 'duplicates', 'evicted'];
const subjects = [windows, joins, tableJoins, duplicates] as unknown as readonly OperatorFamily[];
/** Of the second input, where there is one. */
const SECOND: Readonly<Record<string, string>> = { joins: 'right', 'table-joins': 'table' };

const topologyOf = ({ of, options }: Options, disorderMs: number) => {
  const subject = subjects.find(({ name }) => name === of) as OperatorFamily;
  return topology('case', { deadLetters: memorySink() }, (t) => {
    const logged = (topic: string, outOfOrdernessMs: number) =>
      t
        .source(
          topic,
          memorySource<Logged>(topic, (each) => each.t, { outOfOrdernessMax: ms(outOfOrdernessMs) }),
        )
        .via(
          `${topic}-values`,
          map(({ v }) => v),
        ) as unknown as AnyStream;
    const first = logged('first', disorderMs);
    const second = SECOND[of] === undefined ? [] : [{ [SECOND[of]]: logged('second', 0) }];
    first.via('step', ...second, subject.operator(options as never)).to('out', memorySink());
  });
};

/** Whole runs: logs of several inputs are decoded, merged by event time and cut into runs, each restored from the one before. */
export const runs: RunFamily<Options> = {
  name: 'runs',
  draw(random: Random): Drawn<Options> {
    const subject = random.pick(subjects);
    const drawn = subject.draw(random) as Drawn;
    // What is told in intervals is judged by the record that it followed, which a run does not tell.
    const options = 'emit' in drawn.options ? { ...drawn.options, emit: 'close' } : drawn.options;
    return { ...drawn, options: { of: subject.name, options } };
  },
  async run({ options, disorderMs, inputs, restarts }): Promise<Got> {
    const test = new TopologyTest(topologyOf(options, disorderMs), { inference: noInference });
    const ends = [...new Set(restarts)].filter((at) => at > 0).sort((a, b) => a - b);
    for (const [i, to] of [...ends, inputs.length].entries()) {
      const batch = inputs.slice(ends[i - 1] ?? 0, to);
      const logOf = (input: number) => batch.filter((each) => each.in === input).map(({ t, v }) => ({ t, v }));
      await test.pipe('first', logOf(0));
      if (SECOND[options.of] !== undefined) await test.pipe('second', logOf(1));
      await (to === inputs.length ? test.finish() : test.run());
    }
    const got: Got = {
      emitted: test.output('out').map((v) => ({ v, t: 0, o: 0 })),
      dead: test.deadLetters().map(({ reason, offset }) => ({ reason, o: offset })),
      counters: Object.fromEntries(COUNTERS.map((name) => [name, test.counter('step', name)])),
    };
    await test.close();
    return got;
  },
};
