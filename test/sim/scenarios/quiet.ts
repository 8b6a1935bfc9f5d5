import {
  type Duration,
  type MultiInputOperator,
  millis,
  type Operator,
  type StatefulDefinition,
  stateful,
} from '../../../src/core/index.js';
import { valueCell } from '../../../src/state/index.js';
import { logOf, type Outcome, type Random, type Scenario, simSink, simSource } from '../../../src/testing/sim/index.js';
import { topology } from '../../../src/topology/index.js';
import { counters, exactlyInTable } from './compare.js';

interface Event {
  readonly input: 'left' | 'right';
  readonly id: number;
  readonly timeMs: number;
}
interface Taken extends Event {
  /** Its place in the order of the task, and a digest of all that came before it in that order. */
  readonly place: number;
  readonly before: number;
}
interface Asked extends Taken {
  readonly answer: number;
}

const cells = { place: valueCell({ initial: 0 }), digest: valueCell({ initial: 0 }) };
const PRIME = 1_000_003;
const digestOf = (before: number, { input, id }: Event): number =>
  (before * 31 + id * 2 + (input === 'left' ? 0 : 1)) % PRIME;

/** Tells each record which ones came before it: any other order of any two gives another value. */
const numbered: StatefulDefinition<Event, Taken, typeof cells> = {
  kind: 'order',
  cells,
  open: ({ place, digest }) => ({
    onRecord(_input, value, emit) {
      const event = value as Event;
      const before = digest.get();
      emit({ ...event, place: place.get(), before });
      place.set(place.get() + 1);
      digest.set(digestOf(before, event));
    },
  }),
};
const order = (): Operator<Event, Taken> => stateful<Event, Taken, typeof cells>(numbered);
const orderOfTwo = (): MultiInputOperator<Event, { right: Event }, Taken> =>
  stateful({ ...numbered, inputs: ['right'] });

/** Answers what it likes, and something else in a replay. */
const ask = (answer: () => number, wait: () => Promise<void>): Operator<Taken, Asked> => ({
  kind: 'ask',
  settings: {},
  shape: {
    shape: 'batched',
    nondeterministic: true,
    open: async () => ({
      async onBatch(values) {
        await wait();
        return values.map((value) => ({ ...(value as Taken), answer: answer() }));
      },
    }),
  },
});

/**
 * Two inputs that are (mostly) not waited for when they are quiet, and a step that answers by chance: a replay takes another
 * order and gives other answers. Now and then there is one input, and the answers alone are by chance. Which ones hold is settled by the checkpoints; state and all sinks must tell of the same.
 */
export const quiet: Scenario = {
  name: 'quiet',
  draw(random, partitions, records) {
    const isAlone = random.chance(0.25);
    const leftShare = isAlone ? 1 : 0.4;
    const inputs = Array.from({ length: partitions }, () => draw(random, Math.floor(records / partitions), leftShare));
    const log = {
      left: inputs.map(({ left }) => logOf(left.map(withTime), random)),
      right: inputs.map(({ right }) => logOf(right.map(withTime), random)),
    };
    // Where runs are bounded and find ever more, the ends of the inputs alone decide: nothing idles, no answer is by chance.
    const grows = !isAlone && random.chance(0.3);
    const idles = !grows && !isAlone && random.chance(0.6);
    const idleTimeout = [random, random].map(() => (idles ? millis(1 + random.int(random.pick([5, 60]))) : undefined));
    const answers = random.fork();
    return {
      log,
      grows,
      topology: (wait) =>
        topology('quiet', { deadLetters: simSink('transactional') }, (t) => {
          const source = (topic: 'left' | 'right', idleTimeout?: Duration) =>
            t.source(topic, { ...simSource<Event>(topic, ({ timeMs }) => timeMs), idleTimeout });
          const left = source('left', idleTimeout[0]);
          const ordered = isAlone
            ? left.via('order', order())
            : left.via('order', { right: source('right', idleTimeout[1]) }, orderOfTwo());
          const taken = grows
            ? ordered
            : ordered.via(
                'ask',
                ask(() => answers.int(1_000), wait),
              );
          taken.to('out', simSink('transactional'));
          taken.to('rows', simSink('table'));
          taken.to('later', simSink('deferred'));
        }),
      check: (task, outcome) =>
        check(inputs[task] ?? { left: [], right: [] }, outcome, grows ? ['order'] : ['order', 'ask']),
    };
  },
};

const withTime = (value: Event) => ({ value, timestampMs: value.timeMs });

type Inputs = Readonly<Record<'left' | 'right', readonly Event[]>>;

function draw(random: Random, count: number, leftShare: number): Inputs {
  const inputs: Record<'left' | 'right', Event[]> = { left: [], right: [] };
  let timeMs = 1_000;
  for (let i = 0; i < count; i++) {
    timeMs += random.int(4);
    const input = random.chance(leftShare) ? 'left' : 'right';
    inputs[input].push({ input, id: inputs[input].length, timeMs });
  }
  return inputs;
}

/** As a set the output is that of a plain loop; as a sequence it must be one that the state went through, in every sink. */
function check(inputs: Inputs, outcome: Outcome, steps: readonly string[]): void {
  const { rows } = outcome.output('out');
  const next = { left: 0, right: 0 };
  let digest = 0;
  rows.forEach((row, place) => {
    const taken = row.value as Taken;
    const expected = inputs[taken.input][next[taken.input]];
    if (taken.id !== expected?.id)
      throw new Error(`place ${place}: ${taken.input} ${taken.id} comes, not ${expected?.id}`);
    if (taken.place !== place || taken.before !== digest)
      throw new Error(`place ${place}: ${JSON.stringify(taken)} went another way, the digest is ${digest}`);
    next[taken.input] += 1;
    digest = digestOf(digest, taken);
  });
  const all = inputs.left.length + inputs.right.length;
  if (rows.length !== all) throw new Error(`${rows.length} of ${all} records came out`);
  exactlyInTable('rows', outcome.output('rows'), rows);
  exactlyInTable('later', outcome.output('later'), rows);
  counters(outcome, {
    'left/read': inputs.left.length,
    'right/read': inputs.right.length,
    'order/in': inputs.left.length,
    'order/out': all,
    ...(steps.includes('ask') ? { 'ask/in': all, 'ask/out': all } : {}),
    'out/written': all,
    'rows/written': all,
    'later/written': all,
  });
}
