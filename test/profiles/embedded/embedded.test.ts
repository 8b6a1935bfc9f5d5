import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { hashFields } from '../../../connectors/redis/hash-fields.js';
import { redis } from '../../../connectors/redis/index.js';
import type { TaskId } from '../../../src/core/checkpoint.js';
import { minutes } from '../../../src/core/index.js';
import { partitionOf } from '../../../src/core/partition.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import type { Sink } from '../../../src/core/sink.js';
import { openEmbedded } from '../../../src/profiles/embedded/index.js';
import { avro, json, localRegistry, openCodec } from '../../../src/schema/index.js';
import { legible, originAt } from '../../../src/testing/contract.js';
import { changesOf, foldOf, type Kept } from '../../changes.js';
import { deadLetterSinkOf, hashSinkOf, openWorld, sourceOf, topicSinkOf, type World } from './world.js';

const worlds: World[] = [];
const open = async (...args: Parameters<typeof openWorld>): Promise<World> => {
  const world = await openWorld(...args);
  worlds.push(world);
  return world;
};
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const task = (partition: number): TaskId => ({ topology: 't', partition });
const checkpoint = (epoch: number) => ({
  epoch,
  incarnation: 0,
  topologyHash: 'h',
  positions: {},
  settledDecisions: {},
});
const record = (key: string | null, value: string, timestampMs = 5): OutgoingRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(value),
  timestampMs,
});

describe('the log', () => {
  it('gives back any records, from any offset, before and after a restart', async () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 60 }), { freq: 4 });
    const anyRecord = fc.record({
      key: bytes,
      value: bytes,
      timestampMs: fc.integer({ min: -1, max: 2 ** 42 }),
      headers: fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.uint8Array({ maxLength: 5 })), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyRecord, { maxLength: 40 }), { maxLength: 5 }), async (sends) => {
        const world = await openWorld();
        try {
          await world.embedded.producer().createTopic('t', 1);
          for (const records of sends) await world.embedded.append('t', 0, records);
          const all = sends.flat();
          for (const from of [0, Math.floor(all.length / 2), all.length]) {
            const found = [...world.embedded.scan('t', 0, from)];
            expect(found.map(({ offset }) => offset)).toEqual(all.slice(from).map((_, i) => from + i));
            expect(found.map(legible)).toEqual(all.slice(from).map(legible));
          }
          await world.restart();
          expect(await world.embedded.endOffsets('t')).toEqual([all.length]);
          expect([...world.embedded.scan('t', 0)].map(legible)).toEqual(all.map(legible));
        } finally {
          await world.close();
        }
      }),
      { numRuns: 25 },
    );
  });

  it('partitions keys as Java does and deals out records without one', async () => {
    const { embedded } = await open();
    const producer = embedded.producer();
    await producer.createTopic('t', 4);
    const keys = ['JFK', 'LAX', 'ORD', 'ATL', 'DFW', 'ü'];
    await producer.send(
      't',
      keys.map((key) => record(key, key)),
    );
    await producer.send(
      't',
      ['a', 'b', 'c', 'd'].map((value) => record(null, value)),
    );
    for (let partition = 0; partition < 4; partition++) {
      const found = [...embedded.scan('t', partition)];
      const keyed = found.filter(({ key }) => key !== null).map(({ key }) => Buffer.from(key ?? []).toString());
      expect(keyed).toEqual(keys.filter((key) => partitionOf(Buffer.from(key), 4) === partition));
      expect(found.filter(({ key }) => key === null)).toHaveLength(1);
    }
  });

  it('keeps every record of writers that commit at the same time, each in its order', async () => {
    const world = await open();
    const producer = world.embedded.producer();
    await producer.createTopic('t', 1);
    const writers = Array.from({ length: 6 }, (_, writer) =>
      Array.from({ length: 30 }, (_, send) =>
        Array.from({ length: (writer * send) % 9 }, (_, i) => `${writer}:${send}:${i}`),
      ),
    );
    await Promise.all(
      writers.map(async (sends) => {
        for (const values of sends)
          await producer.send(
            't',
            values.map((value) => record(null, value)),
          );
      }),
    );
    await world.restart();
    const found = [...world.embedded.scan('t', 0)];
    expect(found.map(({ offset }) => offset)).toEqual(found.map((_, i) => i));
    const values = found.map(({ value }) => Buffer.from(value ?? []).toString());
    for (const [writer, sends] of writers.entries()) {
      expect(values.filter((value) => value.startsWith(`${writer}:`))).toEqual(sends.flat());
    }
    expect(values).toHaveLength(writers.flat(2).length);
  });

  it('wakes a waiting poll by an append', async () => {
    const { embedded } = await open();
    await embedded.producer().createTopic('t', 1);
    const reader = await embedded.source.open(sourceOf('t'), {
      task: task(0),
      partition: 0,
      offset: 0,
      bounded: false,
      step: 'in',
    });
    const startedMs = performance.now();
    const poll = reader.poll(10);
    await embedded.append('t', 0, [record('k', 'v')]);
    expect((await poll).records).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(90);
    await reader.close();
  });

  it('says what is wrong with a topic, a partition or a position', async () => {
    const { embedded } = await open();
    const producer = embedded.producer();
    await producer.createTopic('here', 2);
    await producer.createTopic('here', 2);
    await expect(producer.createTopic('here', 3)).rejects.toMatchObject({ code: 'config' });
    await expect(embedded.source.partitions(sourceOf('gone'))).rejects.toMatchObject({
      code: 'source',
      hint: expect.stringContaining('here'),
    });
    await expect(producer.send('gone', [])).rejects.toMatchObject({ code: 'source' });
    expect(() => [...embedded.scan('here', 2)]).toThrow(/no partition 2/);
    await expect(
      embedded.source.open(sourceOf('here'), { task: task(0), partition: 0, offset: 1, bounded: true, step: 'in' }),
    ).rejects.toThrow(/beyond its end, 0/);
    expect(embedded.topics()).toEqual(['here']);
  });
});

describe('what sinks write', () => {
  it('has no room for a value without a key; a callback that throws is a mistake of the topology', async () => {
    const { embedded } = await open();
    const sink = topicSinkOf('keyed', { key: (value) => (value as { k: string }).k });
    await embedded.topicSink.setUp?.(sink, { topology: 't', step: 's', partitions: 1 });
    await (await embedded.openLedger(task(0))).restore();
    const writer = await embedded.topicSink.open(sink, { step: 's', task: task(0), incarnation: 0 });
    expect(writer.unrepresentable?.({ k: 'JFK' }, originAt(6))).toBeUndefined();
    expect(writer.unrepresentable?.({}, originAt(7))).toBe('the key is undefined, not text');
    expect(() => writer.unrepresentable?.(null, originAt(7))).toThrow(TypeError);
  });

  it("carries the event time and the key, by the key's partition", async () => {
    const { embedded } = await open();
    const ledger = await embedded.openLedger(task(1));
    await ledger.restore();
    const keyed = topicSinkOf('keyed', { key: (value) => (value as { k: string }).k, partitions: 4 });
    const passed = topicSinkOf('passed');
    for (const sink of [keyed, passed])
      await embedded.topicSink.setUp?.(sink, { topology: 't', step: 's', partitions: 2 });
    expect((await embedded.endOffsets('keyed')).length).toBe(4);
    expect((await embedded.endOffsets('passed')).length).toBe(2);
    const context = { step: 's', task: task(1), incarnation: 0 };
    const origin = originAt(7, 1);
    await (await embedded.topicSink.open(keyed, context)).write([{ k: 'JFK' }], [origin]);
    await (await embedded.topicSink.open(passed, context)).write(
      [{ k: 'x' }, { k: 'y' }],
      [origin, { ...origin, key: null }],
    );
    await ledger.commit(checkpoint(1), []);
    const inKeyed = [...embedded.scan('keyed', partitionOf(Buffer.from('JFK'), 4))];
    expect(inKeyed.map(legible)).toEqual([
      legible({ key: Buffer.from('JFK'), value: Buffer.from('{"k":"JFK"}'), timestampMs: origin.eventTimeMs }),
    ]);
    const byOrigin = partitionOf(origin.key as Uint8Array, 2);
    expect([...embedded.scan('passed', byOrigin)].map(({ key }) => key && Buffer.from(key).toString())).toContain(
      'key-7',
    );
    expect([...embedded.scan('passed', 1)].some(({ key }) => key === null)).toBe(true);
  });

  it('keeps of a dead letter the bytes as they came, why and where from', async () => {
    const { embedded } = await open();
    const ledger = await embedded.openLedger(task(3));
    await ledger.restore();
    const sink = deadLetterSinkOf('dead') as never;
    await embedded.topicSink.setUp?.(sink, { topology: 't', step: 'd', partitions: 2 });
    const writer = await embedded.topicSink.open(sink, { step: 'd', task: task(3), incarnation: 0 });
    const origin = originAt(12, 3, [['trace', Buffer.from('abc')]]);
    await writer.write(
      [
        { reason: 'truncated', detail: 'ends within a number', step: 'departed', origin },
        { reason: 'x', detail: '', step: 's', origin: { ...origin, raw: null, key: null, headers: undefined } },
      ],
      [origin, origin],
    );
    await ledger.commit(checkpoint(1), []);
    const [first, second] = [...embedded.scan('dead', 1)];
    expect(Buffer.from(first?.value ?? []).toString()).toBe('raw-12');
    expect(Buffer.from(first?.key ?? []).toString()).toBe('key-12');
    expect(first?.headers?.map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
      ['millrace.reason', 'truncated'],
      ['millrace.detail', 'ends within a number'],
      ['millrace.step', 'departed'],
      ['millrace.topic', 'contract'],
      ['millrace.partition', '3'],
      ['millrace.offset', '12'],
      ['trace', 'abc'],
    ]);
    expect(second).toMatchObject({ key: null, value: null });
  });

  it('stays readable when the schema that wrote it is gone from the program', async () => {
    const fields = (...names: string[]) =>
      JSON.stringify({ type: 'record', name: 'E', fields: names.map((name) => ({ name, type: 'int', default: 0 })) });
    const world = await open();
    const old = topicSinkOf('t', {
      schema: avro<unknown>({ subject: 't-value', definition: fields('a', 'b') }) as never,
    });
    await world.embedded.topicSink.setUp?.(old, { topology: 't', step: 's', partitions: 1 });
    const ledger = await world.embedded.openLedger(task(0));
    await ledger.restore();
    const writer = await world.embedded.topicSink.open(old, { step: 's', task: task(0), incarnation: 0 });
    await writer.write([{ a: 1, b: 2 }], [originAt(0)]);
    await ledger.commit(checkpoint(1), []);
    await world.restart({ registry: localRegistry() });
    const codec = await openCodec(
      avro<{ b: number; c: number }>({ subject: 't-value', definition: fields('b', 'c') }),
      world.embedded.schemas,
    );
    const records = [...world.embedded.scan('t', 0)];
    await codec.prepare(records);
    expect({ ...codec.decode(records[0]?.value as Uint8Array) }).toEqual({ b: 2, c: 0 });
  });

  it('is refused without the ledger of its task', async () => {
    const { embedded } = await open();
    const sink = topicSinkOf('t');
    await embedded.topicSink.setUp?.(sink, { topology: 't', step: 's', partitions: 1 });
    await expect(embedded.topicSink.open(sink, { step: 's', task: task(0), incarnation: 0 })).rejects.toThrow(
      /without its ledger/,
    );
    await (await embedded.openLedger(task(0))).restore();
    const table = { ...sink, kind: 'clickhouse.tableSink' };
    await expect(embedded.topicSink.open(table, { step: 's', task: task(0), incarnation: 0 })).rejects.toMatchObject({
      code: 'config',
      where: 's',
    });
  });
});

describe('lookups', () => {
  it('find the hashes of committed epochs, and no strings', async () => {
    const { embedded } = await open();
    const ledger = await embedded.openLedger(task(0));
    await ledger.restore();
    const sink = hashSinkOf((value) => (value as { id: string }).id);
    const writer = await embedded.hashSink.open(sink, { step: 's', task: task(0), incarnation: 0 });
    const reader = await embedded.hashLookup.open(redis.hashLookup({ decode: ({ n }) => Number(n) }), 'step');
    const ask = () => reader.get(['a', 'b'], new AbortController().signal);
    await writer.write([{ id: 'a', n: 1 }], [originAt(0)]);
    expect(await ask()).toEqual([{ kind: 'missing' }, { kind: 'missing' }]);
    await ledger.commit(checkpoint(1), []);
    expect(await ask()).toEqual([{ kind: 'found', value: 1 }, { kind: 'missing' }]);
    await reader.ping();
    await expect(embedded.hashLookup.open(redis.stringLookup(), 'step')).rejects.toMatchObject({
      code: 'config',
      where: 'step',
    });
  });
});

describe('hashes', () => {
  const write = async (
    { embedded }: World,
    values: readonly { id: string; at?: number }[],
    ttl = minutes(10),
    newest?: string,
  ) => {
    const ledger = await embedded.openLedger(task(0));
    await ledger.restore();
    const sink = hashSinkOf((value) => (value as { id: string }).id, ttl, newest);
    const writer = await embedded.hashSink.open(sink, { step: 's', task: task(0), incarnation: 0 });
    await writer.write(
      values,
      values.map((_, i) => originAt(i)),
    );
    await ledger.commit(checkpoint(1), []);
  };

  it('keep the newest value as HGETALL would show it', async () => {
    const world = await open();
    await write(world, [
      { id: 'a', n: 1 },
      { id: '' },
      { id: 'a', late: 0.1, yes: true, none: null, list: [1], text: 'x' },
    ] as never);
    expect(world.embedded.getHash('a')).toEqual({ id: 'a', late: '0.1', yes: 'true', list: '[1]', text: 'x' });
    expect(world.embedded.getHash('')).toEqual({ id: '' });
    expect(world.embedded.getHash('b')).toBeUndefined();
    await world.restart();
    expect([...world.embedded.hashes()].map(({ key }) => key)).toEqual(['', 'a']);
  });

  it('have the texts of every value, whatever its fields are', async () => {
    const world = await open();
    const field = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt(),
      fc.boolean(),
      fc.string(),
      fc.constantFrom(null, undefined, -0, 2 ** 32, new Date(0)),
      fc.array(fc.integer()),
    );
    const values = fc.sample(fc.dictionary(fc.string({ maxLength: 5 }), field, { maxKeys: 6 }), 300);
    const rows = values.map((value, i) => ({ ...value, id: `k${i}` }));
    await write(world, rows);
    for (const row of rows) expect(world.embedded.getHash(row.id)).toEqual(hashFields(row));
  });

  it('keep what is newest by a field, within an epoch and from one to the next', async () => {
    const world = await open();
    await write(
      world,
      [
        { id: 'a', at: 5 },
        { id: 'a', at: 3 },
        { id: 'b', at: 1 },
      ],
      minutes(10),
      'at',
    );
    expect(world.embedded.getHash('a')).toEqual({ id: 'a', at: '5' });
    await write(world, [{ id: 'a', at: 4 }, { id: 'b', at: 1 }, { id: 'b', at: 2 }, { id: 'c' }], minutes(10), 'at');
    expect(world.embedded.getHash('a')).toEqual({ id: 'a', at: '5' });
    expect(world.embedded.getHash('b')).toEqual({ id: 'b', at: '2' });
    expect(world.embedded.getHash('c')).toEqual({ id: 'c' });
  });

  it('expire by the clock, are renewed by a write, and are removed in time', async () => {
    let nowMs = 1_000_000;
    const world = await open({ now: () => nowMs });
    const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => ({ id: `k${from + i}` }));
    await write(world, ids(0, 100));
    nowMs += 500_000;
    await write(world, ids(0, 10));
    nowMs += 100_000;
    expect([...world.embedded.hashes()]).toHaveLength(10);
    expect(world.embedded.getHash('k50')).toBeUndefined();
    expect(world.embedded.getHash('k5')).toBeDefined();
    for (let round = 1; round <= 8; round++) await write(world, ids(round * 1_000, 50));
    // The clock goes back: what is still there, though expired, would show again.
    nowMs -= 300_000;
    const left = [...world.embedded.hashes()].map(({ key }) => key).filter((key) => Number(key.slice(1)) < 100);
    expect(left.sort()).toEqual(
      ids(0, 10)
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('are written by the epoch that they belong to, and not again by the next', async () => {
    const { embedded } = await open();
    const sink = hashSinkOf(() => 'same');
    const owner = async (partition: number) => {
      const ledger = await embedded.openLedger(task(partition));
      await ledger.restore();
      const writer = await embedded.hashSink.open(sink, { step: 's', task: task(partition), incarnation: 0 });
      return { ledger, write: (by: string) => writer.write([{ by }], [originAt(0)]) };
    };
    const [first, second] = [await owner(0), await owner(1)];
    await first.write('first');
    await first.ledger.commit(checkpoint(1), []);
    await second.write('second');
    await second.ledger.commit(checkpoint(1), []);
    await first.ledger.commit(checkpoint(2), []);
    expect(embedded.getHash('same')).toEqual({ by: 'second' });
  });

  it('refuse a key that the store cannot take, before anything is committed', async () => {
    const world = await open();
    await expect(write(world, [{ id: 'x'.repeat(2_000) }])).rejects.toMatchObject({ code: 'sink', where: 's' });
    await write(world, [{ id: 'y'.repeat(1_900) }]);
    expect(world.embedded.getHash('y'.repeat(1_900))).toBeDefined();
  });
});

describe('the topic of a position', () => {
  it('is kept: a source that keeps its id and reads another topic is refused, with both named', async () => {
    const world = await open();
    const producer = world.embedded.producer();
    for (const topic of ['old', 'new']) await producer.createTopic(topic, 1);
    const at = { task: task(0), partition: 0, offset: 0, bounded: true, step: 'events' };
    const ledger = await world.embedded.openLedger(task(0));
    await ledger.restore();
    await world.embedded.source.open(sourceOf('old'), at);
    await ledger.commit(checkpoint(1), []);
    expect(await world.embedded.checkpoints.inspect(task(0))).toMatchObject({ topics: { events: 'old' } });

    // A run without the source keeps what it knows of it.
    const without = await world.embedded.openLedger(task(0));
    await without.restore();
    await without.commit(checkpoint(2), []);

    await (await world.embedded.openLedger(task(0))).restore();
    await expect(world.embedded.source.open(sourceOf('new'), at)).rejects.toMatchObject({
      code: 'source',
      message: "source 'events' now reads 'new', its position is in 'old'",
      permanent: true,
    });
    await world.embedded.source.open(sourceOf('new'), { ...at, step: 'other' });
  });
});

describe('ownership of the folder', () => {
  it("is one process's, and this one's once", async () => {
    const world = await open();
    await expect(openEmbedded({ path: world.path, registry: localRegistry() })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('this process'),
    });
    const other = openInOtherProcess(world.path);
    expect(await other.line).toMatch(new RegExp(`in use by process ${process.pid}`));
    await world.embedded.close();
    const free = openInOtherProcess(world.path);
    expect(await free.line).toBe('open');
    await expect(openEmbedded({ path: world.path, registry: localRegistry() })).rejects.toThrow(
      `in use by process ${free.pid}`,
    );
    free.kill();
    await free.ended;
    world.embedded = await openEmbedded({ path: world.path, registry: localRegistry() });
  });

  it('is known in another PID namespace', async ({ skip }) => {
    const namespace = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const { status } = spawnSync(namespace[0] as string, [...namespace.slice(1), 'true']);
    if (status !== 0) skip('needs unshare and root');
    const world = await open();
    const other = openInOtherProcess(world.path, namespace);
    expect(await other.line).toBe(`the embedded store is in use by process ${process.pid}`);
    await world.embedded.close();
    // Process 1 there, which is a living process here too.
    const inside = openInOtherProcess(world.path, namespace);
    expect(await inside.line).toBe('open');
    await expect(openEmbedded({ path: world.path, registry: localRegistry() })).rejects.toThrow('in use by process');
    inside.kill();
    // The system ends what is in the namespace a little later.
    world.embedded = await vi.waitFor(() => openEmbedded({ path: world.path, registry: localRegistry() }), 10_000);
  });

  it('is checked by each step: what an earlier owner writes changes nothing', async () => {
    const world = await open();
    const ledger = await world.embedded.openLedger(task(0));
    await ledger.restore();
    await ledger.commit(checkpoint(1), []);
    rmSync(join(world.path, 'owner.sock')); // somebody is sure that the owner is dead
    const later = await openEmbedded({ path: world.path, registry: localRegistry() });
    await expect(ledger.commit(checkpoint(2), [])).rejects.toMatchObject({ code: 'fenced', permanent: true });
    expect((await (await later.openLedger(task(0))).restore()).checkpoint?.epoch).toBe(1);
    await later.close();
  });

  it('is known in a folder whose path is too long for a socket', async () => {
    const world = await open();
    const path = join(world.path, 'long'.repeat(40));
    const first = await openEmbedded({ path, registry: localRegistry() });
    await expect(openEmbedded({ path, registry: localRegistry() })).rejects.toThrow('in use by this process');
    await first.close();
    await (await openEmbedded({ path, registry: localRegistry() })).close();
  });

  it('refuses work after close, and closes twice', async () => {
    const world = await open();
    const ledger = await world.embedded.openLedger(task(0));
    await ledger.restore();
    await world.embedded.close();
    await world.embedded.close();
    await expect(ledger.commit(checkpoint(1), [])).rejects.toMatchObject({ code: 'state' });
  });
});

/** Opens the store in a child and stays; `line` is `open` or the refusal. */
function openInOtherProcess(path: string, namespace: readonly string[] = []) {
  const script = new URL('./open-and-stay.ts', import.meta.url).pathname;
  const node = [process.execPath, '--import', 'tsx', '--conditions', 'millrace-source', script, path];
  const [command = '', ...args] = [...namespace, ...node];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = new Promise<string>((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()));
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  return { line, ended, pid: child.pid, kill: () => child.kill('SIGKILL') };
}

describe('upserts', () => {
  it('end in the state that they tell of, in hashes and in a topic, whatever epochs are lost', async () => {
    const epochs = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.boolean()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(changesOf({ maxLength: 30 }), epochs, async (changes, cuts) => {
        const world = await openWorld();
        try {
          const sinks = [
            redis.upsertSink<Kept>({ prefix: 'v:' }),
            kafka.upsertSink<Kept>({ topic: 'out', schema: json<Kept>(), partitions: 2 }),
          ] as Sink<unknown>[];
          let [done, epoch] = [0, 0];
          for (const [length, dies] of [...cuts, [changes.length, false] as const]) {
            const { embedded } = world;
            const ledger = await embedded.openLedger(task(0));
            await ledger.restore();
            const piece = changes.slice(done, done + length);
            for (const sink of sinks) {
              const driver = sink.connector === 'redis' ? embedded.hashSink : embedded.topicSink;
              await driver.setUp?.(sink, { topology: 't', step: sink.kind, partitions: 2 });
              const writer = await driver.open(sink, { step: sink.kind, task: task(0), incarnation: 0 });
              await writer.write(
                piece,
                piece.map((_, i) => originAt(done + i)),
              );
            }
            if (dies) await world.restart();
            else {
              await ledger.commit(checkpoint(++epoch), []);
              done += piece.length;
            }
          }
          const { embedded } = world;
          const fold = foldOf(changes);
          const hashes = [...embedded.hashes()].map(({ key, fields: { n, group } }) => [
            key.slice(2),
            { n: Number(n), group: Number(group) },
          ]);
          expect(Object.fromEntries(hashes)).toEqual(fold);
          const newest = new Map<string, Kept | null>();
          for (const partition of [0, 1])
            for (const { key, value } of embedded.scan('out', partition))
              newest.set(
                Buffer.from(key ?? []).toString(),
                value && (JSON.parse(Buffer.from(value).toString()) as Kept),
              );
          expect(Object.fromEntries([...newest].filter(([, value]) => value !== null))).toEqual(fold);
          expect(newest.size).toBe(new Set(changes.map(({ key }) => key)).size); // tombstones are there
        } finally {
          await world.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});
