import { expect, it } from 'vitest';
import { MillraceError, millis, type Profile, type SinkDriver } from '../../src/core/index.js';
import { type RunSnapshot, runTopology, type StartingRun } from '../../src/runtime/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';

interface Event {
  readonly id: number;
}
const TASKS = 3;
const EVENTS = 2_000;
const MINUTE_MS = 60_000;

const source = memorySource<Event>('events', ({ id }) => id);
const sink = <T>(connector: string) => memorySink<T>({ connector });

it.each([
  ['under way', 5_000],
  ['before its tasks are open', 0],
])(
  'waits out an outage that begins %s, however long, with nothing read and nothing open meanwhile, and loses nothing',
  async (_, fromMs) => {
    const memory = new MemoryProfile(TASKS, { table: 'idempotent' });
    for (let task = 0; task < TASKS; task++) {
      const records = Array.from({ length: EVENTS }, (_, id) => JSON.stringify({ id: id * TASKS + task }));
      memory.append(
        'events',
        task,
        records.map((text, timestampMs) => ({ key: null, value: new TextEncoder().encode(text), timestampMs })),
      );
    }
    const clock = new VirtualClock();
    const down = { fromMs, toMs: fromMs + 45 * MINUTE_MS };
    const isDown = () => clock.now() >= down.fromMs && clock.now() < down.toMs;
    let open = 0;
    let polls = 0;
    let asked = 0;
    /** The logs grow meanwhile. */
    const ends = Array.from({ length: TASKS }, () => EVENTS);
    const refuse = () => {
      throw new MillraceError('sink', 'connect ECONNREFUSED');
    };
    const table = memory.sinks.table as SinkDriver;
    const reading = memory.sources.memory as NonNullable<Profile['sources'][string]>;
    const profile: Profile = {
      name: 'outage',
      schemas: memory.schemas,
      openLedger: (task) => memory.openLedger(task),
      close: async () => undefined,
      sources: {
        memory: {
          partitions: (of) => reading.partitions(of),
          open: async (...of) => {
            const reader = await reading.open(...of);
            const [, { partition }] = of;
            return {
              ...reader,
              get logEnd() {
                return ends[partition];
              },
              refreshLogEnd: () => {
                ends[partition] = (ends[partition] ?? 0) + 1;
              },
              poll: (recordsMax) => {
                polls += 1;
                return reader.poll(recordsMax);
              },
            };
          },
        },
      },
      sinks: {
        dead: memory.sinks.dead as SinkDriver,
        table: {
          mode: table.mode,
          ping: async () => {
            asked += 1;
            if (isDown()) refuse();
          },
          open: async (of, context) => {
            if (isDown()) refuse();
            const writer = await table.open(of, context);
            open += 1;
            return {
              write: (values, origins) => (isDown() ? refuse() : writer.write(values, origins)),
              close: async () => {
                open -= 1;
              },
            };
          },
        },
      },
    };
    const flow = topology('flow', { deadLetters: sink('dead') }, (t) => {
      t.source('events', source).to('rows', sink<Event>('table'));
    });
    const warnings: string[] = [];
    const running = await runTopology(flow, {
      profile,
      inference: noInference,
      bounded: true,
      clock,
      roundMax: 10,
      epochInterval: millis(200),
      random: () => 0.5,
      onWarning: (message) => warnings.push(message),
      onPoint: () => clock.advance(40),
    });
    const seen = ({ outages, tasks }: RunSnapshot) => ({
      outages: outages.map(({ sink: name }) => name),
      lag: tasks.reduce((sum, { lag }) => sum + (lag.events ?? Number.NaN), 0),
      behind: tasks.reduce(
        (sum, { partition, positions }) => sum + (ends[partition] ?? 0) - (positions.events?.offset ?? 0),
        0,
      ),
    });
    let over = false;
    running.finished.then(
      () => {
        over = true;
      },
      () => {
        over = true;
      },
    );
    const during: { open: number; polls: number; outages: readonly string[]; lag: number; behind: number }[] = [];
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.now() > down.fromMs + MINUTE_MS && clock.now() < down.toMs - MINUTE_MS)
        during.push({ open, polls, ...seen(running.snapshot()) });
    }
    await running.finished;

    const written = memory.outputOf('rows').map(({ value }) => (value as Event).id);
    expect(new Set(written).size).toBe(TASKS * EVENTS);
    expect(during.length).toBeGreaterThan(100);
    expect(new Set(during.map(({ open: writers }) => writers))).toEqual(new Set([0]));
    expect(new Set(during.map(({ polls: count }) => count)).size).toBe(1);
    expect(during.every(({ outages }) => outages.join() === 'rows')).toBe(true);
    // What is behind counts from what is committed, and grows with the logs. Before a task has been opened nothing is known of it.
    const lags = during.map(({ lag }) => lag);
    expect(lags).toEqual(during.map(({ behind }) => behind));
    if (fromMs > 0) expect(lags.at(-1)).toBeGreaterThan((lags[0] ?? 0) + 100);
    expect(asked).toBeLessThan((45 * 60) / 5); // every ten seconds at most, with jitter, whatever the number of tasks
    expect(running.snapshot().outages).toEqual([]);
    expect(running.snapshot().health.map(({ restarts }) => restarts)).toEqual([1, 1, 1]);
    expect(warnings.filter((warning) => warning.startsWith("sink 'rows'"))).toEqual([
      "sink 'rows' is down, its tasks wait for it: connect ECONNREFUSED",
      expect.stringMatching(/^sink 'rows' answers again after 27\d\d s$/),
    ]);
  },
);

it('waits at the start for a sink that does not answer, and ends at once where one answers and fails', async () => {
  const clock = new VirtualClock();
  let upMs = 20 * MINUTE_MS;
  /** What is seen of the run meanwhile. */
  const waiting: RunSnapshot['outages'][] = [];
  const start = async (setUp: () => Promise<void>, onStartWaits?: (run: StartingRun) => void) => {
    const memory = new MemoryProfile(1, { table: 'idempotent' });
    memory.append('events', 0, [{ key: null, value: new TextEncoder().encode('{"id":1}'), timestampMs: 0 }]);
    // A driver may be a class: what it is asked has its own state.
    class Table implements SinkDriver {
      readonly mode = 'idempotent';
      readonly open = (memory.sinks.table as SinkDriver).open;
      readonly setUp = setUp;
      private readonly address = 'table:6379';
      async ping() {
        const { address } = this;
        if (clock.now() < upMs) throw new Error(`connect ECONNREFUSED ${address}`);
      }
    }
    const table = new Table();
    const profile = Object.assign(Object.create(memory) as MemoryProfile, {
      sinks: { dead: memory.sinks.dead as SinkDriver, table },
    });
    const flow = topology('flow', { deadLetters: sink('dead') }, (t) => {
      t.source('events', source).to('rows', sink<Event>('table'));
    });
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const running = await runTopology(flow, {
      profile,
      inference: noInference,
      bounded: true,
      clock,
      random: () => 0.5,
      onWarning,
      onStartWaits(run) {
        waiting.push(run.snapshot().outages);
        onStartWaits?.(run);
      },
    });
    expect(running.snapshot().outages).toEqual([]);
    await running.finished;
    return { written: memory.outputOf('rows').length, warnings };
  };
  const down = new MillraceError('sink', 'connect ECONNREFUSED');
  const { written, warnings } = await start(async () => {
    if (clock.now() < upMs) throw down;
  });
  expect(written).toBe(1);
  expect(warnings).toEqual([
    "sink 'rows' is down, the start waits for it: connect ECONNREFUSED",
    expect.stringMatching(/^sink 'rows' answers after 12\d\d s$/),
  ]);
  expect(waiting.length).toBeGreaterThan(10);
  expect(new Set(waiting.map((outages) => JSON.stringify(outages)))).toEqual(
    new Set([JSON.stringify([{ sink: 'rows', sinceMs: 0, cause: 'connect ECONNREFUSED' }])]),
  );
  const refuse = (error: MillraceError) => start(() => Promise.reject(error));
  await expect(refuse(new MillraceError('sink', 'no such type'))).rejects.toThrow('no such type'); // it answers
  upMs = Number.POSITIVE_INFINITY;
  await expect(
    start(
      () => Promise.reject(down),
      (run) => void run.stop(),
    ),
  ).rejects.toThrow('connect ECONNREFUSED');
});
