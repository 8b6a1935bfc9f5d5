import { describe, expect, it } from 'vitest';
import type {
  BatchedLogic,
  Operator,
  Origin,
  Profile,
  SinkDriver,
  SourceDriver,
  TaskLedger,
} from '../../src/core/index.js';
import { seconds, transform } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { PendingOperations } from '../../src/runtime/pending-operations.js';
import { Stall, Watchdog } from '../../src/runtime/watchdog.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

const never = () => new Promise<never>(() => undefined);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Watchdog', () => {
  function world() {
    const clock = new VirtualClock();
    const waits = new PendingOperations();
    const quiet: (string | undefined)[] = [];
    const watchdog = new Watchdog({ clock, waits, stallMaxMs: 60_000, onQuiet: (input) => quiet.push(input) });
    let stall: unknown;
    watchdog.over(never()).catch((error: unknown) => {
      stall = error;
    });
    const pass = async (ms: number) => {
      for (let left = ms; left > 0; left -= 1_000) clock.advance(1_000);
      await turn();
      return stall as Stall | undefined;
    };
    return { clock, waits, watchdog, pass, quiet };
  }

  it('finds what neither answers nor fails, and says what that is', async () => {
    const { waits, pass } = world();
    void waits.track({ kind: 'sink', id: 'history' }, never());
    expect(await pass(59_000)).toBeUndefined();
    const stall = await pass(17_000);
    expect(stall).toBeInstanceOf(Stall);
    expect(stall).toMatchObject({ code: 'sink', where: 'history', reason: { kind: 'sink', id: 'history' } });
  });

  it('leaves alone what gets on: of many rounds under way, any one that ends will do', async () => {
    const { waits, pass } = world();
    const reason = { kind: 'step', id: 'model' } as const;
    void waits.track(reason, never());
    for (let minute = 0; minute < 20; minute++) {
      await waits.track(reason, Promise.resolve());
      expect(await pass(50_000)).toBeUndefined();
    }
    expect(await pass(30_000)).toBeDefined();
  });

  it('counts failures as answers, and nothing under way as nothing to wait for', async () => {
    const { waits, pass } = world();
    await waits.track({ kind: 'sink', id: 'history' }, Promise.reject(new Error('refused'))).catch(() => undefined);
    expect(await pass(600_000)).toBeUndefined();
  });

  it('says nothing of a process that slept', async () => {
    const { clock, waits, pass } = world();
    void waits.track({ kind: 'source', id: 'events' }, never());
    clock.advance(3_600_000); // one tick is all that comes of an hour's sleep
    expect(await pass(40_000)).toBeUndefined();
  });

  it('tells of a quiet input once, and once that it is over, and stalls nothing for it', async () => {
    const { waits, pass, quiet } = world();
    waits.set({ kind: 'quiet', id: 'labels' }, true);
    expect(await pass(300_000)).toBeUndefined();
    waits.set({ kind: 'quiet', id: 'labels' }, false);
    await pass(20_000);
    expect(quiet).toEqual(['labels', undefined]);
  });

  it('looks no more once it is stopped', async () => {
    const { waits, pass, watchdog } = world();
    void waits.track({ kind: 'source', id: 'events' }, never());
    watchdog.stop();
    expect(await pass(600_000)).toBeUndefined();
  });
});

interface Event {
  readonly id: number;
}
const source = memorySource<Event>('events', ({ id }) => id);
const asking = (onBatch: BatchedLogic['onBatch']): Operator<Event, Event> => ({
  kind: 'ask',
  settings: {},
  shape: { shape: 'batched', open: async () => ({ onBatch }) },
});
const sink = <T>() => memorySink<T>({ connector: 'table' });

describe('a run whose world hangs once', () => {
  const ids = Array.from({ length: 500 }, (_, id) => id);

  /** Runs to the end while time passes; what hangs must be given up for that. */
  async function run(change: {
    sink?: (driver: SinkDriver) => SinkDriver;
    source?: (driver: SourceDriver) => SourceDriver;
    ledger?: (ledger: TaskLedger) => TaskLedger;
    flow?: Topology;
  }) {
    const memory = new MemoryProfile(1);
    const records = ids.map((id) => ({
      key: null,
      value: new TextEncoder().encode(JSON.stringify({ id })),
      timestampMs: id,
    }));
    memory.append('events', 0, records);
    const profile: Profile = {
      name: 'hanging',
      schemas: memory.schemas,
      openLedger: async (task) => (change.ledger ?? ((ledger) => ledger))(await memory.openLedger(task)),
      close: async () => undefined,
      sources: { memory: (change.source ?? ((driver) => driver))(memory.sources.memory as SourceDriver) },
      sinks: { table: (change.sink ?? ((driver) => driver))(memory.sinks.table as SinkDriver) },
    };
    const flow =
      change.flow ??
      topology('flow', { deadLetters: sink() }, (t) => {
        t.source('events', source)
          .via('pass', transform<Event, Event>({ kind: 'pass', open: () => (event, emit) => emit(event) }))
          .to('rows', sink<Event>());
      });
    const warnings: string[] = [];
    const clock = new VirtualClock();
    const running = await runTopology(flow, {
      profile,
      inference: noInference,
      bounded: true,
      clock,
      roundMax: 20,
      stallMax: seconds(40),
      onWarning: (message) => warnings.push(message),
      onPoint: () => clock.advance(100),
    });
    let over = false;
    const finished = running.finished.finally(() => {
      over = true;
    });
    while (!over) {
      clock.advance(1_000);
      await turn();
    }
    await finished;
    expect(memory.outputOf('rows').map(({ value }) => (value as Event).id)).toEqual(ids);
    return { warnings, health: running.snapshot().health };
  }

  /** Hangs at the `at`-th call alone. */
  function once(at: number) {
    let calls = 0;
    return <T>(work: () => T): T | Promise<never> => (++calls === at ? never() : work());
  }
  const restored = [
    {
      ...{ subtopology: 'flow', partition: 0, restarts: 1, stalls: 1, waitsFor: undefined },
      lastRestarts: [expect.objectContaining({ cause: expect.stringContaining('has not answered for') })],
    },
  ];

  it('a sink that never answers', async () => {
    const hang = once(7);
    const { warnings, health } = await run({
      sink: (driver) => ({
        mode: driver.mode,
        open: async (of, context) => {
          const writer = await driver.open(of, context);
          return {
            ...writer,
            write: (values: readonly unknown[], origins: readonly Origin[]) =>
              hang(() => writer.write(values, origins)),
          };
        },
      }),
    });
    expect(health).toEqual(restored);
    expect(warnings.join('\n')).toContain("sink 'rows' has not answered for 40 s");
  });

  it('a source that never answers', async () => {
    const hang = once(9);
    const { warnings, health } = await run({
      source: (driver) => ({
        partitions: (of) => driver.partitions(of),
        open: async (...of) => {
          const reader = await driver.open(...of);
          return { ...reader, poll: (recordsMax) => hang(() => reader.poll(recordsMax)) };
        },
      }),
    });
    expect(health).toEqual(restored);
    expect(warnings).toEqual([
      "task 0 failed and is restored from its checkpoint: source 'events' has not answered for 40 s",
    ]);
  });

  it('a source that never opens', async () => {
    const hang = once(1);
    const { warnings, health } = await run({
      source: (driver) => ({
        partitions: (of) => driver.partitions(of),
        open: async (...of) => hang(() => driver.open(...of)),
      }),
    });
    expect(health).toEqual(restored);
    expect(warnings).toEqual([
      "task 0 failed and is restored from its checkpoint: source 'events' has not answered for 40 s",
    ]);
  });

  it('a ledger that never answers', async () => {
    const hang = once(4);
    const { warnings, health } = await run({
      ledger: (ledger) => ({
        ...ledger,
        commit: async (checkpoint, changes) => hang(() => ledger.commit(checkpoint, changes)),
      }),
    });
    expect(health).toEqual(restored);
    expect(warnings.join('\n')).toContain("ledger 'commit' has not answered for 40 s");
  });

  it('a step that never answers', async () => {
    const hang = once(5);
    const { warnings, health } = await run({
      flow: topology('flow', { deadLetters: sink() }, (t) => {
        t.source('events', source)
          .via(
            'ask',
            asking(async (values) => hang(() => values)),
          )
          .to('rows', sink<Event>());
      }),
    });
    expect(health).toEqual(restored);
    expect(warnings.join('\n')).toContain("step 'ask' has not answered for 40 s");
  });
});

it('a run names the input that its tasks wait for, once, and goes on by itself when that brings something', async () => {
  const memory = new MemoryProfile(1);
  const record = (id: number) => ({
    key: null,
    value: new TextEncoder().encode(JSON.stringify({ id })),
    timestampMs: id,
  });
  memory.append('events', 0, [1, 2, 3].map(record));
  const reading = memory.sources.memory as SourceDriver;
  let ended = false;
  const profile: Profile = {
    name: 'quiet',
    schemas: memory.schemas,
    openLedger: (task) => memory.openLedger(task),
    close: async () => undefined,
    sources: {
      memory: {
        partitions: async () => 1,
        open: async (of, ...rest) => {
          if (of.topic === 'events') return reading.open(of, ...rest);
          const poll = async () => {
            await turn();
            return { records: [], ended };
          };
          return { poll, close: async () => undefined };
        },
      },
    },
    sinks: memory.sinks,
  };
  const flow = topology('flow', { deadLetters: sink() }, (t) => {
    t.source('events', source).to('rows', sink<Event>());
    t.source('labels', { ...source, topic: 'labels' }).to('others', sink<Event>());
  });
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const running = await runTopology(flow, {
    profile,
    inference: noInference,
    clock,
    stallMax: seconds(40),
    onWarning: (message) => warnings.push(message),
  });
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1_000);
      await turn();
    }
  };
  await pass(200);
  expect(warnings).toEqual([
    "task 0 has records and waits for input 'labels', which has had none for 40 s: an input that may be idle needs an idleTimeout",
  ]);
  expect(running.snapshot().health).toEqual([
    { subtopology: 'flow', partition: 0, restarts: 0, stalls: 0, lastRestarts: [], waitsFor: 'labels' },
  ]);
  ended = true;
  await pass(20);
  await running.finished;
  expect(memory.outputOf('rows')).toHaveLength(3);
  expect(warnings).toHaveLength(1);
});
