import { describe, expect, it } from 'vitest';
import type { Origin, Profile, Sink, SinkDriver, SinkWriter } from '../../src/core/index.js';
import { hours, millis, transform } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { DeferredSink } from '../../src/runtime/sinks.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { topology } from '../../src/topology/index.js';
import { memorySink, memorySource, noInference } from '../memory.js';
import { generator } from '../random.js';

interface Event {
  readonly id: number;
  readonly timeMs: number;
}

const origin = (offset: number): Origin => ({
  topic: 't',
  partition: 0,
  offset,
  eventTimeMs: offset,
  receivedAtMs: 0,
  key: new Uint8Array([1]),
  raw: new Uint8Array([1, 2, 3]),
  headers: undefined,
  order: 0,
});

class Rows implements SinkWriter {
  readonly written: unknown[] = [];
  recovered: unknown[] = [];
  refusing = false;
  async write(values: readonly unknown[]): Promise<void> {
    if (this.refusing) throw new Error('refused');
    this.written.push(...values);
  }
  async recover(values: readonly unknown[]): Promise<void> {
    this.recovered.push(...values);
  }
  async close(): Promise<void> {}
}

describe('DeferredSink', () => {
  it('writes nothing before the checkpoint, and what the checkpoint holds after it', async () => {
    const rows = new Rows();
    const sink = new DeferredSink(rows, 10);
    sink.write([{ id: 1 }, { id: 2 }], [origin(1), origin(2)]);
    expect(sink.rows).toBe(2);
    expect(rows.written).toEqual([]);
    const [kept] = sink.takeChanges();
    expect(kept?.bytes).toBeInstanceOf(Uint8Array);
    await sink.commit();
    expect(rows.written).toEqual([{ id: 1 }, { id: 2 }]);
    expect(sink.takeChanges()).toEqual([{ bucket: kept?.bucket, bytes: null }]);
    expect(sink.takeChanges()).toEqual([]);
  });

  it('splits what it keeps, so that no record of a log is too large for it, and is full by bytes', async () => {
    const rows = new Rows();
    const sink = new DeferredSink(rows, 100_000, 32 * 2 ** 20);
    const text = 'x'.repeat(64 * 1024);
    const ids = Array.from({ length: 600 }, (_, id) => id);
    sink.write(
      ids.map((id) => ({ id, text })),
      ids.map(origin),
    );
    expect(sink.isFull).toBe(true);
    const changes = sink.takeChanges();
    expect(changes.length).toBeGreaterThan(30);
    for (const { bytes } of changes) expect(bytes?.length).toBeLessThan(2 * 2 ** 20);
    expect(sink.isFull).toBe(false);

    const restored = new DeferredSink(rows, 100_000);
    for (const { bucket, bytes } of changes) restored.restore(bucket, bytes as Uint8Array);
    await restored.recover();
    expect(rows.recovered.map((row) => (row as { id: number }).id)).toEqual(ids);
  });

  it('gives a restored sink what the checkpoint kept, once', async () => {
    const died = new DeferredSink(new Rows(), 10);
    died.write([{ id: 1, at: new Date(5) }], [origin(1)]);
    const [kept] = died.takeChanges();
    const rows = new Rows();
    const restored = new DeferredSink(rows, 10);
    restored.restore(kept?.bucket ?? -1, kept?.bytes as Uint8Array);
    await restored.recover();
    await restored.commit();
    expect(rows.recovered).toEqual([{ id: 1, at: new Date(5) }]);
    expect(rows.written).toEqual([]);
    restored.write([{ id: 2 }], [origin(2)]);
    const changes = restored.takeChanges();
    expect(changes.map(({ bucket, bytes }) => [bucket, bytes === null])).toEqual([
      [kept?.bucket, true],
      [(kept?.bucket ?? 0) + 1, false],
    ]);
  });

  it('keeps what the sink refused', async () => {
    const rows = new Rows();
    const sink = new DeferredSink(rows, 10);
    sink.write([{ id: 1 }], [origin(1)]);
    sink.takeChanges();
    rows.refusing = true;
    await expect(sink.commit()).rejects.toThrow('refused');
    expect(sink.takeChanges()).toEqual([]); // nothing is taken out of the checkpoint
  });

  it('keeps what the sink took in and then could not finish', async () => {
    const rows = new Rows();
    const sink = new DeferredSink(
      { ...rows, write: () => undefined, prepare: () => rows.write([]), close: rows.close },
      10,
    );
    sink.write([{ id: 1 }], [origin(1)]);
    sink.takeChanges();
    rows.refusing = true;
    await expect(sink.commit()).rejects.toThrow('refused');
    expect(sink.takeChanges()).toEqual([]);
  });

  it('refuses bytes that are no rows', () => {
    expect(() => new DeferredSink(new Rows(), 1).restore(0, new Uint8Array([0xc1]))).toThrow(
      expect.objectContaining({ code: 'state' }),
    );
  });
});

const sourceOf = (topic: string, idleTimeout?: ReturnType<typeof millis>) =>
  memorySource<Event>(topic, ({ timeMs }) => timeMs, { idleTimeout });
const sinkOf = <T>(deferred?: Sink<T>['deferred']) => memorySink<T>({ connector: 'table', deferred });
const log = (events: readonly Event[]) =>
  events.map((event) => ({
    key: null,
    value: new TextEncoder().encode(JSON.stringify(event)),
    timestampMs: event.timeMs,
  }));
const pass = () => transform<Event, Event>({ kind: 'pass', open: () => (event, emit) => emit(event) });

class Crash extends Error {}

describe('a deferred sink in a run', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'holds each row once though rows are only appended: seed %i',
    async (seed) => {
      const random = generator(seed);
      const profile = new MemoryProfile(1, { table: 'idempotent' });
      const events = Array.from({ length: 300 }, (_, id): Event => ({ id, timeMs: id }));
      profile.append('events', 0, log(events));
      const flow = topology('flow', { deadLetters: sinkOf() }, (t) => {
        t.source('events', sourceOf('events'))
          .via('pass', pass())
          .to('rows', sinkOf<Event>({ rowsMax: 25 }));
      });
      // Rows found in the table are left out on recovery, as a real sink does by their identity.
      const table = profile.sinks.table as SinkDriver;
      const withLookup: Profile = {
        ...profile,
        schemas: profile.schemas,
        sources: profile.sources,
        openLedger: (task) => profile.openLedger(task),
        close: async () => undefined,
        sinks: {
          table: {
            mode: table.mode,
            open: async (sink, context) => {
              const writer = await table.open(sink, context);
              const present = () => new Set(profile.outputOf('rows').map((written) => written.origin.offset));
              return {
                ...writer,
                recover: (values, origins) => {
                  const there = present();
                  const missing = origins.map((_, i) => i).filter((i) => !there.has((origins[i] as Origin).offset));
                  return writer.write(
                    missing.map((i) => values[i]),
                    missing.map((i) => origins[i] as Origin),
                  );
                },
              };
            },
          },
        },
      };
      for (let crashes = 15; ; ) {
        const clock = new VirtualClock();
        const running = await runTopology(flow, {
          profile: withLookup,
          inference: noInference,
          bounded: true,
          clock,
          roundMax: 1 + Math.floor(random() * 20),
          onPoint: () => {
            clock.advance(random() * 300);
            if (crashes > 0 && random() < 0.15) {
              crashes -= 1;
              throw new Crash();
            }
          },
        });
        try {
          await running.finished;
          break;
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
      }
      expect(profile.outputOf('rows').map(({ value }) => (value as Event).id)).toEqual(events.map(({ id }) => id));
    },
  );
});

describe('an orderly end', () => {
  const profileOf = (...ids: number[]) => {
    const profile = new MemoryProfile(1, { table: 'append' });
    profile.append('events', 0, log(ids.map((id) => ({ id, timeMs: id }))));
    return profile;
  };
  const flowTo = (deferred?: Sink<Event>['deferred']) =>
    topology('flow', { deadLetters: sinkOf() }, (t) => {
      t.source('events', sourceOf('events')).via('pass', pass()).to('rows', sinkOf<Event>(deferred));
    });
  const runToEnd = async (profile: Profile, flow = flowTo({ rowsMax: 25 }), onPoint?: (point: string) => void) => {
    const running = await runTopology(flow, {
      profile,
      inference: noInference,
      bounded: true,
      ...(onPoint && { onPoint }),
    });
    await running.finished;
  };
  const idsOf = (profile: MemoryProfile) => profile.outputOf('rows').map(({ value }) => (value as Event).id);
  const waiting = async (profile: Profile) => {
    const { state } = await (await profile.openLedger({ topology: 'flow', partition: 0 })).restore();
    return state.filter(({ cell }) => cell === 'rows').length;
  };

  it('leaves nothing in the checkpoint that the next start would write again', async () => {
    const profile = profileOf(1, 2, 3);
    for (let run = 0; run < 3; run++) await runToEnd(profile);
    expect(idsOf(profile)).toEqual([1, 2, 3]);
    expect(await waiting(profile)).toBe(0);
  });

  it('writes once what a run left that died between the two last epochs, though its successor defers nothing', async () => {
    const profile = profileOf(1, 2, 3);
    let stored = 0;
    const dying = runToEnd(profile, flowTo({ rowsMax: 25 }), (point) => {
      if (point === 'stored' && ++stored === 1) throw new Crash();
    });
    await expect(dying).rejects.toThrow(Crash);
    expect(idsOf(profile)).toEqual([]);
    for (let run = 0; run < 3; run++) await runToEnd(profile, flowTo());
    expect(idsOf(profile)).toEqual([1, 2, 3]);
    expect(await waiting(profile)).toBe(0);
  });
});

describe('idleTimeout', () => {
  /** A profile whose `quiet` topic stays open and brings nothing, until `release` is called. */
  function quietWorld() {
    const profile = new MemoryProfile(1, { table: 'idempotent' });
    profile.append('busy', 0, log([1, 2, 3].map((id) => ({ id, timeMs: id }))));
    const driver = profile.sources.memory as NonNullable<Profile['sources'][string]>;
    let released = false;
    const world: Profile = {
      ...profile,
      schemas: profile.schemas,
      sinks: profile.sinks,
      openLedger: (task) => profile.openLedger(task),
      close: async () => undefined,
      sources: {
        memory: {
          partitions: async () => 1,
          open: async (source, ...rest) => {
            const reader = await driver.open(source, ...rest);
            if (source.topic !== 'quiet') return reader;
            return {
              ...reader,
              poll: async () => {
                await new Promise((resolve) => setTimeout(resolve, 5));
                return { records: [], ended: released };
              },
            };
          },
        },
      },
    };
    return {
      profile,
      world,
      release: () => {
        released = true;
      },
    };
  }
  const flowOf = (idleTimeout?: ReturnType<typeof millis>) =>
    topology('flow', { deadLetters: sinkOf() }, (t) => {
      t.source('busy', sourceOf('busy')).to('rows', sinkOf<Event>());
      t.source('quiet', sourceOf('quiet', idleTimeout)).to('others', sinkOf<Event>());
    });
  const seen = ({ profile }: ReturnType<typeof quietWorld>) => profile.outputOf('rows').length;

  it('waits for a quiet input without it', async () => {
    const quiet = quietWorld();
    const running = await runTopology(flowOf(), {
      profile: quiet.world,
      inference: noInference,
      epochInterval: millis(10),
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(seen(quiet)).toBe(0);
    quiet.release();
    await running.finished;
    expect(seen(quiet)).toBe(3);
  });

  it('goes on without a quiet input after so long, and writes other sinks only after the checkpoint', async () => {
    const quiet = quietWorld();
    const running = await runTopology(flowOf(millis(20)), {
      profile: quiet.world,
      inference: noInference,
      epochInterval: millis(10),
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(seen(quiet)).toBe(3);
    expect(quiet.profile.checkpointOf(0)?.positions.busy?.offset).toBe(3);
    quiet.release();
    await running.finished;
  });

  it('does not count an input idle before it had its time', async () => {
    const quiet = quietWorld();
    const running = await runTopology(flowOf(hours(1)), {
      profile: quiet.world,
      inference: noInference,
      epochInterval: millis(10),
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(seen(quiet)).toBe(0);
    await Promise.all([running.stop(), quiet.release()]);
  });
});
