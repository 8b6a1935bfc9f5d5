import { afterEach, describe, expect, it } from 'vitest';
import { type Schema, stateful } from '../../src/core/index.js';
import { flatMap, map } from '../../src/operators/index.js';
import { type RunOptions, runTopology } from '../../src/runtime/index.js';
import { mapCell } from '../../src/state/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { TopologyTest } from '../../src/testing/topology-test.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { type RepartitionOptions, topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Transfer {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly timeMs: number;
}
interface Leg {
  readonly id: number;
  readonly account: string;
  readonly amount: number;
}
interface Balance extends Leg {
  readonly balance: number;
  readonly eventTimeMs: number;
  readonly late: boolean;
}

const json = <T>(subject: string): Schema<T> => ({ format: 'json', subject, definition: undefined });
const source = memorySource<Transfer>('transfers', ({ timeMs }) => timeMs);

/** Keeps a balance an account, and says where event time stood. */
const balance = () =>
  stateful<Leg, Balance, { balances: ReturnType<typeof mapCell<string, number>> }>({
    kind: 'balance',
    cells: { balances: mapCell<string, number>() },
    open: ({ balances }, context) => ({
      onRecord(_input, leg, emit, { eventTimeMs }) {
        const sum = (balances.get(leg.account) ?? 0) + leg.amount;
        balances.set(leg.account, sum);
        emit({ ...leg, balance: sum, eventTimeMs, late: eventTimeMs < context.watermarkMs });
      },
    }),
  });

const transfers = (options: Partial<RepartitionOptions<Leg>> = {}) =>
  topology('transfers', { deadLetters: memorySink() }, (t) => {
    t.source('transfers', source)
      .via(
        'legs',
        flatMap(({ id, from, to, amount }: Transfer): Leg[] => [
          { id, account: from, amount: -amount },
          { id, account: to, amount },
        ]),
      )
      .repartition('by-account', { key: ({ account }) => account, schema: json<Leg>('legs'), ...options })
      .via('balance', balance())
      .to('balances', memorySink());
  });

const TASKS = 3;
const some = (count: number, firstId: number): Transfer[] =>
  Array.from({ length: count }, (_, i) => ({
    id: firstId + i,
    from: `a${(i * 7) % 11}`,
    to: `a${(i * 5 + 3) % 13}`,
    amount: 1 + (i % 9),
    timeMs: 1_000 + (firstId + i) * 10 + 0.5,
  }));

async function pipe(test: TopologyTest, values: readonly Transfer[]): Promise<void> {
  for (let task = 0; task < TASKS; task++) {
    await test.pipe(
      'transfers',
      values.filter(({ id }) => id % TASKS === task),
      task,
    );
  }
}

describe('a topology with a repartition', () => {
  const tests: TopologyTest[] = [];
  const testOf = (declared = transfers()) => {
    const test = new TopologyTest(declared, { partitions: TASKS });
    tests.push(test);
    return test;
  };
  afterEach(() => Promise.all(tests.splice(0).map((test) => test.close())));

  it('brings equal keys together, each once, in the order of each writing task, over runs', async () => {
    const test = testOf();
    const all = some(500, 0);
    await pipe(test, all.slice(0, 200));
    await test.run();
    await pipe(test, all.slice(200));
    await test.run();
    const out = test.output('balances') as Balance[];
    expect(out).toHaveLength(1_000);
    const seen = new Map<string, number>();
    for (const { account, amount, balance: after } of out) {
      expect(after).toBe((seen.get(account) ?? 0) + amount);
      seen.set(account, after);
    }
    expect([...seen.values()].reduce((a, b) => a + b)).toBe(0);
    for (const account of seen.keys())
      for (let task = 0; task < TASKS; task++) {
        const ids = out.filter((leg) => leg.account === account && leg.id % TASKS === task).map(({ id }) => id);
        expect(ids).toEqual([...ids].sort((a, b) => a - b));
      }
    expect(test.counter('by-account', 'written')).toBe(1_000);
    expect(test.counter('by-account', 'read')).toBe(1_000);
  });

  it('keeps event times, exactly, and calls nothing late that is not', async () => {
    const test = testOf();
    const all = some(300, 0);
    await pipe(test, all);
    await test.run();
    const out = test.output('balances') as Balance[];
    expect(out.map(({ id, eventTimeMs }) => [id, eventTimeMs])).toEqual(out.map(({ id }) => [id, all[id]?.timeMs]));
    expect(out.filter(({ late }) => late)).toEqual([]);
  });

  it('sends what the second subtopology cannot take to the dead letters, from where it lay between the subtopologies', async () => {
    const picky = topology('picky', { deadLetters: memorySink() }, (t) => {
      t.source('transfers', source)
        .repartition('by-from', { key: ({ from }) => from, schema: json<Transfer>('transfers') })
        .via(
          'refuse',
          stateful<Transfer, Transfer, Record<string, never>>({
            kind: 'refuse',
            cells: {},
            open: (_cells, context) => ({
              onRecord: (_input, { id }, emit) => (id === 1 ? context.deadLetter('unlucky', 'one') : emit),
            }),
          }),
        )
        .to('out', memorySink());
    });
    const test = testOf(picky);
    await pipe(test, some(6, 0));
    await test.run();
    expect(test.deadLetters()).toMatchObject([{ reason: 'unlucky', step: 'refuse' }]);
  });
});

describe('runTopology with subtopologies', () => {
  const filled = (values: readonly Transfer[]) => {
    const profile = new MemoryProfile(TASKS);
    for (const value of values)
      profile.append('transfers', value.id % TASKS, [
        { key: null, value: Buffer.from(JSON.stringify(value)), timestampMs: value.timeMs },
      ]);
    return profile;
  };
  const options = (profile: RunOptions['profile'], more: Partial<RunOptions> = {}): RunOptions => ({
    profile,
    inference: noInference,
    bounded: true,
    clock: new VirtualClock(),
    ...more,
  });

  it('runs one subtopology alone where it is told to, by name or by its first input', async () => {
    const profile = filled(some(30, 0));
    const subtopologies: string[] = [];
    const first = await runTopology(
      transfers(),
      options(profile, { subtopology: 'transfers', onPoint: (_p, _t, s) => subtopologies.push(s) }),
    );
    await first.finished;
    expect(new Set(subtopologies.splice(0))).toEqual(new Set(['transfers']));
    expect(profile.outputOf('balances')).toEqual([]);
    const second = await runTopology(
      transfers(),
      options(profile, { subtopology: 'by-account', onPoint: (_p, _t, s) => subtopologies.push(s) }),
    );
    await second.finished;
    expect(new Set(subtopologies)).toEqual(new Set(['transfers/by-account']));
    expect(profile.outputOf('balances')).toHaveLength(60);
    expect(second.snapshot().tasks.map(({ subtopology, partition }) => [subtopology, partition])).toEqual([
      ['transfers/by-account', 0],
      ['transfers/by-account', 1],
      ['transfers/by-account', 2],
    ]);
    await expect(runTopology(transfers(), options(profile, { subtopology: 'by-colour' }))).rejects.toMatchObject({
      code: 'config',
      hint: 'it has: transfers, transfers/by-account',
    });
  });

  it('ends all subtopologies with the cause when one fails', async () => {
    for (const bounded of [true, false]) {
      const profile = filled(some(30, 0));
      const broken = topology('broken', { deadLetters: memorySink() }, (t) => {
        t.source('transfers', source)
          .repartition('by-from', { key: ({ from }) => from, schema: json<Transfer>('transfers') })
          .via(
            'boom',
            map(() => {
              throw new TypeError('nothing here');
            }),
          )
          .to('out', memorySink());
      });
      // A log in memory ends where it ends when it is opened: something must lie between the sub-topologies by then.
      if (!bounded) await (await runTopology(broken, options(profile, { subtopology: 'broken' }))).finished;
      const running = await runTopology(broken, { ...options(profile), bounded });
      await expect(running.finished).rejects.toMatchObject({ code: 'step', where: 'boom' });
    }
  });

  it('does not begin the next subtopology of a bounded run that is stopped', async () => {
    const profile = filled(some(30, 0));
    const running = await runTopology(
      transfers(),
      options(profile, { onPoint: (point) => point === 'stored' && void running.stop() }),
    );
    await running.finished;
    expect(profile.outputOf('balances')).toEqual([]);
  });

  it('refuses a profile that cannot write between subtopologies in the transaction of the checkpoint', async () => {
    const profile = filled(some(3, 0));
    const elsewhere = {
      ...profile,
      name: 'elsewhere',
      schemas: profile.schemas,
      sources: profile.sources,
      sinks: { memory: profile.sinks.memory, internal: { ...profile.sinks.internal, mode: 'append' } },
      openLedger: (task) => profile.openLedger(task),
      close: () => profile.close(),
    } as RunOptions['profile'];
    const running = await runTopology(transfers(), options(elsewhere));
    await expect(running.finished).rejects.toThrow('the elsewhere profile cannot repartition');
  });
});
