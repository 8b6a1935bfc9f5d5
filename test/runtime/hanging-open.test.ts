import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { MillraceError, type Profile, type SinkDriver, type SourceDriver, seconds } from '../../src/core/index.js';
import { leftJoinTable, table } from '../../src/operators/index.js';
import { runTopology, type StartingRun } from '../../src/runtime/index.js';
import { json } from '../../src/schema/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, noInference } from '../memory.js';

interface Row {
  readonly key: string;
}
const never = () => new Promise<never>(() => undefined);
const turn = () => new Promise((resolve) => setImmediate(resolve));

const rates = kafka.globalTableSource({ topic: 'rates', schema: json<Row>(), idleTimeout: seconds(1) });
const flow = topology('flow', { deadLetters: memorySink() }, (t) => {
  const rate = t.source('rates', rates).via('rate', table({ keysMax: 10 }));
  t.source('orders', kafka.source({ topic: 'orders', schema: json<Row>() }))
    .via(
      'priced',
      { table: rate },
      leftJoinTable<Row, Row, unknown>({
        key: ({ key }) => key,
        combine: (_, row) => row,
        keysMax: 10,
        pendingMax: 10,
      }),
    )
    .to('out', memorySink());
});

/** A run with a global input, on drivers of which some never answer. */
function world(change: {
  source?: (driver: SourceDriver) => Partial<SourceDriver>;
  sink?: (driver: SinkDriver) => Partial<SinkDriver>;
  isRestoreHung?: boolean;
}) {
  const memory = new MemoryProfile(1);
  const reading = memory.sources.kafka as SourceDriver;
  const writing = memory.sinks.memory as SinkDriver;
  const source: SourceDriver = { partitions: (of) => reading.partitions(of), open: (...of) => reading.open(...of) };
  const sink: SinkDriver = { mode: writing.mode, open: (...of) => writing.open(...of) };
  const profile: Profile = {
    name: 'hanging',
    schemas: memory.schemas,
    openLedger: async (task) => {
      const ledger = await memory.openLedger(task);
      return change.isRestoreHung ? { ...ledger, restore: never } : ledger;
    },
    close: async () => undefined,
    sources: { kafka: { ...source, ...change.source?.(source) } },
    sinks: { memory: { ...sink, ...change.sink?.(sink) } },
  };
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const starts: StartingRun[] = [];
  const started = runTopology(flow, {
    ...{ profile, clock, inference: noInference, stallMax: seconds(40), random: () => 0.5 },
    onWarning: (message) => warnings.push(message),
    onStartWaits: (run) => void starts.push(run),
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(1_000);
      await turn();
    }
  };
  return { started, warnings, pass, starts };
}

describe('a run that is stopped does not wait for what hangs, and says what it is', () => {
  it.each([
    ['a sink that never opens', { sink: () => ({ open: never }) }, "sink 'out' has not answered for 40 s"],
    ['a restore that never ends', { isRestoreHung: true }, "ledger 'restore' has not answered for 40 s"],
    [
      'a source that never says how many partitions it has',
      {
        source: ({ partitions }: SourceDriver) => {
          let asked = 0;
          // The start asks for those of both; then the run looks whether there are more.
          return { partitions: (of: Parameters<typeof partitions>[0]) => (++asked > 2 ? never() : partitions(of)) };
        },
      },
      "source 'rates' has not answered for 40 s",
    ],
  ] as const)('%s', async (_, change, told) => {
    const { started, pass } = world(change);
    const running = await started;
    // As long as the task is needed it may take any time.
    await pass(120_000);
    void running.stop().catch(() => undefined);
    const finished = expect(running.finished).rejects.toThrow(told);
    await pass(60_000);
    await finished;
  });
});

describe('a start names what it waits for', () => {
  it.each([
    ['the set-up of a source', { source: () => ({ setUp: never }) }, "source 'orders'"],
    ['the partitions of a source', { source: () => ({ partitions: never }) }, "source 'orders'"],
    ['the set-up of a sink', { sink: () => ({ setUp: never }) }, "sink 'out'"],
  ] as const)('%s', async (_, change, named) => {
    const { warnings, pass } = world(change);
    await pass(120_000);
    expect(warnings).toEqual([`the start waits: ${named} has not answered for 40 s`]);
  });

  it('goes on when it answers', async () => {
    let answer = () => {};
    const setUp = () => new Promise<void>((resolve) => (answer = resolve));
    const { started, warnings, pass } = world({ source: () => ({ setUp }) });
    let isStarted = false;
    void started.then(() => (isStarted = true));
    await pass(60_000);
    expect([warnings.length, isStarted]).toEqual([1, false]);
    while (!isStarted) {
      answer();
      await turn();
    }
    const running = await started;
    await Promise.all([running.stop(), pass(2_000)]);
  });

  it('waits no longer once it is stopped', async () => {
    let calls = 0;
    const down = () => Promise.reject(new MillraceError('sink', 'connect ECONNREFUSED'));
    const { started, starts, pass } = world({
      // It is down at first, and then hangs.
      sink: () => ({ ping: down, setUp: () => (++calls === 1 ? down() : never()) }),
    });
    const ended = expect(started).rejects.toThrow("sink 'out' has not answered for 40 s");
    await pass(120_000);
    void starts[0]?.stop();
    await pass(1_000);
    await ended;
  });
});
