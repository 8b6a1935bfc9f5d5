import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type S3SinkOptions, s3 } from '../../../connectors/s3/index.js';
import { openS3 } from '../../../connectors/s3/open.js';
import { EARLIEST, type Sink, type SinkWriter, type Source } from '../../../src/core/io.js';
import { localRegistry, ndjson } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { openWorld } from '../../connectors/embedded/world.js';
import { generator } from '../../random.js';
import { BUCKET, between, keysOf, plain, shownOf, urlOf } from './store.js';

const openAt = (url = urlOf()) => openS3({ url, schemas: localRegistry() });

let made = 0;
const fresh = () => `t${process.pid}-${made++}`;

interface Value {
  readonly n: number;
}
const sinkOf = (prefix: string, options: Partial<S3SinkOptions<Value>> = {}) =>
  s3.sink<Value>({
    folder: `${BUCKET}/${prefix}`,
    schema: ndjson<Value>(),
    ...options,
  }) as Sink<never> as Sink<unknown>;

async function numbersIn(prefix: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const key of await shownOf(prefix)) {
    const lines = (await (await plain(key)).text()).split('\n').filter((line) => line !== '');
    numbers.push(...lines.map((line) => (JSON.parse(line) as Value).n));
  }
  return numbers;
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

const put = (writer: SinkWriter, numbers: readonly number[]) =>
  writer.write(
    numbers.map((n) => ({ n })),
    numbers.map((n) => originAt(n)),
  );

describe('s3.sink keeps the contract of a prepared sink', () => {
  const checks = sinkContract('prepared', async () => {
    const world = await openWorld();
    const prefix = fresh();
    return {
      driver: openAt().sink,
      sink: sinkOf(prefix, { roll: { rows: 5 } }),
      openLedger: (task) => world.embedded.openLedger(task),
      value: (n) => ({ n }),
      visible: () => numbersIn(prefix),
      close: () => world.close(),
    };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('s3.sink', () => {
  it('has every row in exactly one object while tasks die, answers are lost and the store is busy', async () => {
    const random = generator(9);
    const faulty = await between(() => {
      const dice = random();
      return dice < 0.05 ? 'lose' : dice < 0.1 ? 'busy' : dice < 0.13 ? 'cut' : dice < 0.16 ? 'half' : undefined;
    });
    const prefix = fresh();
    const { sink: driver } = openAt(faulty.url);
    const sink = sinkOf(prefix, { roll: { rows: 9 } });
    let receipt: unknown;
    const open = () => {
      const kept = receipt === undefined ? undefined : JSON.parse(JSON.stringify(receipt));
      return driver.open(sink, { step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0, receipt: kept });
    };
    let task = await open();
    let stored = 0;
    for (let epoch = 0; epoch < 14; epoch++) {
      const count = Math.floor(random() * 8);
      await put(task, range(stored, stored + count));
      const prepared = await task.prepare?.();
      const dies = epoch % 3;
      if (dies !== 1) {
        receipt = prepared;
        stored += count;
        if (dies !== 2) await task.commit?.();
      }
      if (dies === 0) continue;
      const zombie = task;
      task = await open();
      await put(zombie, [90_000]);
      await zombie.prepare?.();
    }
    task.finish?.();
    receipt = await task.prepare?.();
    await task.commit?.();
    expect((await numbersIn(prefix)).sort((a, b) => a - b)).toEqual(range(0, stored));
    task = await open();
    await task.prepare?.();
    await task.commit?.();
    expect((await keysOf(prefix)).filter((key) => key.includes('/.millrace/'))).toEqual([]);
    await faulty.close();
  });

  it('puts large objects together of parts', async () => {
    const prefix = fresh();
    const watched = await between(() => undefined);
    const { sink: driver } = openAt(watched.url);
    const sink = s3.sink<{ n: number; pad: string }>({
      folder: `${BUCKET}/${prefix}`,
      schema: ndjson(),
    }) as Sink<never>;
    const writer = await driver.open(sink as Sink<unknown>, {
      step: 'out',
      task: { topology: 't', partition: 0 },
      incarnation: 0,
    });
    const pad = 'x'.repeat(100_000);
    for (const n of range(0, 200)) await writer.write([{ n, pad }], [originAt(n)]);
    writer.finish?.();
    await writer.prepare?.();
    await writer.commit?.();
    expect(watched.asked.filter(({ path }) => path.includes('partNumber='))).toHaveLength(3);
    expect(await shownOf(prefix)).toHaveLength(1);
    expect(await numbersIn(prefix)).toEqual(range(0, 200));
    await watched.close();
  });

  it('says what a store refuses, without key and secret', async () => {
    const { sink: driver } = openAt();
    const sink = s3.sink<Value>({
      folder: 'no-such-bucket/x',
      schema: ndjson<Value>(),
    }) as Sink<never> as Sink<unknown>;
    const context = { step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0 };
    const error = await Promise.resolve(driver.open(sink, context)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'sink', lasting: true, message: expect.stringContaining('NoSuchBucket') });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret');
  });
});

describe('s3.source', () => {
  it('reads objects in the order of their keys, and goes on at any row', async () => {
    const prefix = fresh();
    await plain(`${prefix}/b ü.ndjson`, { method: 'PUT', body: '3\n4\n' });
    await plain(`${prefix}/a.ndjson.gz`, { method: 'PUT', body: gzipSync('1\n2\n') });
    await plain(`${prefix}/.hidden.ndjson`, { method: 'PUT', body: '9\n' });
    await plain(`${prefix}/deep/c.ndjson`, { method: 'PUT', body: '9\n' });
    const source = s3.source({
      path: `${BUCKET}/${prefix}/*`,
      schema: ndjson<number>(),
      eventTime: () => 0,
    }) as Source<unknown>;
    const { source: driver } = openAt();
    const read = async (offset: number, place?: unknown) => {
      const reader = await driver.open(source, { topology: 't', partition: 0 }, offset, true, 'in', 0, place);
      const rows: string[] = [];
      const places: unknown[] = [];
      for (;;) {
        const { records, ended } = await reader.poll(1);
        for (const record of records) {
          rows.push(Buffer.from(record.value ?? []).toString());
          places.push(JSON.parse(JSON.stringify(reader.placeOf?.(record.offset + 1))));
        }
        if (ended) break;
      }
      await reader.close();
      return { rows, places };
    };
    const all = await read(EARLIEST);
    expect(all.rows).toEqual(['1', '2', '3', '4']);
    for (const offset of [1, 2, 3, 4])
      expect((await read(offset, all.places[offset - 1])).rows).toEqual(all.rows.slice(offset));
    await plain(`${prefix}/a.ndjson.gz`, { method: 'PUT', body: gzipSync('7\n8\n9\n') });
    await expect(read(1, all.places[0])).rejects.toMatchObject({ code: 'source', lasting: true });
  });
});
