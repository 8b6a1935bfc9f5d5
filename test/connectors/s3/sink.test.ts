import { afterEach, describe, expect, it } from 'vitest';
import { type S3SinkOptions, s3 } from '../../../connectors/s3/index.js';
import { openS3 } from '../../../connectors/s3/open.js';
import type { Sink, SinkWriter } from '../../../src/core/sink.js';
import { localRegistry, ndjson } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { generator } from '../../random.js';
import { memoryS3 } from './memory-s3.js';

type Store = Awaited<ReturnType<typeof memoryS3>>;
const stores: Store[] = [];
afterEach(async () => {
  for (const each of stores.splice(0)) await each.close();
});
async function storeOf(...faults: Parameters<typeof memoryS3>): Promise<Store> {
  const store = await memoryS3(...faults);
  stores.push(store);
  return store;
}

interface Value {
  readonly n: number;
}
const FOLDER = 'lake/out';
const MIB = 1024 * 1024;
const driverOf = ({ url }: Store) => openS3({ url, schemas: localRegistry() }).sink;
const sinkOf = (options: Partial<S3SinkOptions<Value>> = {}) =>
  s3.sink<Value>({ folder: FOLDER, schema: ndjson<Value>(), ...options }) as Sink<never> as Sink<unknown>;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

const rowsOf = ({ shown, objects }: Store) =>
  shown()
    .flatMap((key) => (objects.get(key) ?? '').toString().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Value);
const numbersIn = (store: Store) => rowsOf(store).map(({ n }) => n);
/** Objects that readers do not see, and uploads that have not ended. */
const leftIn = ({ objects, uploads, shown }: Store) => objects.size - shown().length + uploads.size;

async function open(store: Store, committable?: unknown, options: Partial<S3SinkOptions<Value>> = {}) {
  const kept = committable === undefined ? undefined : JSON.parse(JSON.stringify(committable));
  const task = { topology: 't', partition: 0 };
  return driverOf(store).open(sinkOf(options), { step: 'out', task, incarnation: 0, committable: kept });
}
/** Writes rows of so many bytes. */
async function put(writer: SinkWriter, numbers: readonly number[], bytes = 0): Promise<void> {
  for (const n of numbers) await writer.write([{ n, pad: 'x'.repeat(bytes) }], [originAt(n)]);
}
async function epoch(writer: SinkWriter): Promise<unknown> {
  const committable = await writer.prepare?.();
  await writer.commit?.();
  return committable;
}
async function finish(writer: SinkWriter): Promise<void> {
  writer.finish?.();
  await epoch(writer);
}
const parts = ({ asked }: Store) => asked.filter(({ path }) => path.includes('partNumber='));
const fetched = ({ asked }: Store) =>
  asked.filter(({ method, path }) => method === 'GET' && !path.includes('list-type'));

describe('s3.sink', () => {
  it('has every row in exactly one object while tasks die, answers are lost and the store is busy', async () => {
    const random = generator(9);
    const store = await storeOf(() => {
      const dice = random();
      return dice < 0.05 ? 'lose' : dice < 0.1 ? 'busy' : dice < 0.13 ? 'cut' : dice < 0.16 ? 'half' : undefined;
    });
    const roll = { roll: { rows: 9 } };
    let committable: unknown;
    let writer = await open(store, committable, roll);
    let stored = 0;
    for (let n = 0; n < 14; n++) {
      const count = Math.floor(random() * 8);
      await put(writer, range(stored, stored + count));
      const prepared = await writer.prepare?.();
      const dies = n % 3;
      if (dies !== 1) {
        committable = prepared;
        stored += count;
        if (dies !== 2) await writer.commit?.();
      }
      if (dies === 0) continue;
      const zombie = writer;
      writer = await open(store, committable, roll);
      await put(zombie, [90_000]);
      await zombie.prepare?.();
    }
    await finish(writer);
    expect(numbersIn(store).sort((a, b) => a - b)).toEqual(range(0, stored));
    await epoch(await open(store, await writer.prepare?.(), roll));
    expect(leftIn(store)).toBe(0);
  });

  it('refuses a folder that has its objects already', async () => {
    const store = await storeOf();
    const writer = await open(store);
    await put(writer, [1]);
    await finish(writer);
    const other = await open(store);
    await expect(put(other, [2]).then(() => epoch(other))).rejects.toMatchObject({
      ...{ code: 'config', permanent: true, message: expect.stringContaining('already exists') },
      hint: expect.stringContaining('empty prefix'),
    });
  });

  it('says that the store does not answer, and pings any store that does', async () => {
    const store = await storeOf();
    await driverOf(store).ping?.();
    await expect(driverOf(await storeOf(() => 'busy')).ping?.()).rejects.toMatchObject({
      code: 'sink',
      permanent: false,
    });
  });
});

describe('large objects', () => {
  it('are sent once, in parts, and nothing of them is fetched', async () => {
    const store = await storeOf();
    const writer = await open(store);
    await put(writer, range(0, 110), 100_000);
    await epoch(writer);
    await put(writer, range(110, 160), 100_000);
    expect(store.shown()).toEqual([]);
    writer.finish?.();
    await writer.prepare?.();
    expect(store.shown()).toEqual([]);
    await writer.commit?.();
    expect(parts(store)).toHaveLength(2);
    expect(fetched(store)).toEqual([]);
    const sent = store.asked.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(sent / MIB).toBeLessThan(19); // of 15.3: the small ends of the two epochs twice
    expect([store.shown().length, leftIn(store)]).toEqual([1, 0]);
    expect(numbersIn(store)).toEqual(range(0, 160));
  });

  it('of small epochs are sent once more, in parts', async () => {
    const store = await storeOf();
    const writer = await open(store);
    for (let n = 0; n < 12; n++) {
      await put(writer, [n], MIB);
      await epoch(writer);
    }
    await finish(writer);
    expect(parts(store)).toHaveLength(3);
    expect(fetched(store)).toEqual([]);
    expect(numbersIn(store)).toEqual(range(0, 12));
    expect(leftIn(store)).toBe(0);
  });

  it('that a task left are put together by the next one, of pieces that it fetches', async () => {
    const store = await storeOf();
    const writer = await open(store);
    const kept: unknown[] = [];
    for (let n = 0; n < 4; n++) {
      await put(writer, [n], MIB);
      kept.push(await epoch(writer));
    }
    await writer.close();
    const next = await open(store, kept.at(-1));
    await put(next, [4, 5], MIB);
    await finish(next);
    expect(fetched(store)).toHaveLength(4);
    expect(numbersIn(store)).toEqual(range(0, 6));
    expect([store.shown().length, leftIn(store)]).toEqual([1, 0]);
  });

  it('end as they were kept where a task died, whoever still adds to them', async () => {
    const store = await storeOf();
    const first = await open(store);
    await put(first, range(0, 14), MIB);
    const committable = await epoch(first);
    await put(first, range(90, 99), MIB); // it loses the task in the next epoch, and does not know it
    const second = await open(store, committable);
    expect(numbersIn(store)).toEqual(range(0, 14));
    await put(first, range(110, 114), MIB).catch(() => undefined);
    await first.close();
    await put(second, range(14, 20), MIB);
    await finish(second);
    expect([store.shown().length, leftIn(store)]).toEqual([2, 0]);
    expect(numbersIn(store)).toEqual(range(0, 20));
  });

  it('that were begun after the last checkpoint are taken back', async () => {
    const store = await storeOf();
    const first = await open(store);
    await put(first, range(90, 99), MIB);
    await first.close();
    expect(store.uploads.size).toBe(1);
    const second = await open(store);
    await put(second, range(0, 3), MIB);
    await finish(second);
    expect(leftIn(store)).toBe(0);
    expect(store.shown()).toEqual([`${FOLDER}/part-00000-0-00000000.ndjson`]);
    expect(numbersIn(store)).toEqual(range(0, 3));
  });

  it.each([
    ['upload', 9, ({ uploads }: Store) => uploads.clear()],
    ['pieces', 2, ({ objects }: Store) => objects.clear()],
  ])('whose %s are gone are lost, and said to be', async (_, rows, clear) => {
    const store = await storeOf();
    const first = await open(store);
    await put(first, range(0, rows), MIB);
    const committable = await epoch(first);
    await first.close();
    clear(store);
    await expect(open(store, committable)).rejects.toMatchObject({
      ...{ code: 'sink', where: FOLDER, permanent: true, hint: expect.stringContaining('aborted') },
      message: 'rows of part-00000-0-00000000.ndjson that the checkpoint lists as written are missing',
    });
  });
});
