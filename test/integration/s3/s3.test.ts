import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rowPacker } from '../../../connectors/file/parquet/packed-rows.js';
import { GROUP_ROWS } from '../../../connectors/file/parquet/to-parquet.js';
import { parquetOf } from '../../../connectors/file/parquet/to-parquet-thread.js';
import { type S3SinkOptions, s3 } from '../../../connectors/s3/index.js';
import { openS3 } from '../../../connectors/s3/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { Sink, SinkWriter } from '../../../src/core/sink.js';
import type { Source, SourceReader } from '../../../src/core/source.js';
import { json, localRegistry, ndjson } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { openWorld } from '../../profiles/embedded/world.js';
import { generator } from '../../random.js';
import { OwnService } from '../faults/shared.js';
import { readBy } from '../file/foreign.js';
import { BUCKET, between, type Fault, keysOf, plain, shownOf, uploadsOf, urlOf } from './store.js';

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

/** Where Python finds an object. */
const objectAt = (key: string): string => {
  const { username, password, host } = new URL(urlOf());
  return `s3://${username}@${password}@${host}/${BUCKET}/${key}`;
};

async function numbersIn(prefix: string): Promise<number[]> {
  const numbers: number[] = [];
  const tables = (await shownOf(prefix)).filter((key) => key.endsWith('.parquet'));
  if (tables.length > 0) return readBy(...tables.map(objectAt)).flatMap((rows) => rows.map((row) => (row as Value).n));
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

describe('s3.sink and hostile values', () => {
  const checks = hostileValuesContract(async () => {
    const world = await openWorld();
    const prefix = fresh();
    return {
      driver: openAt().sink,
      sink: sinkOf(prefix),
      openLedger: (task) => world.embedded.openLedger(task),
      row: (n, v) => ({ n, v }),
      plain: 'plain',
      async read() {
        const texts = await Promise.all((await shownOf(prefix)).map(async (key) => (await plain(key)).text()));
        const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line !== '');
        return new Map(lines.map((line) => JSON.parse(line) as { n: number; v: unknown }).map(({ n, v }) => [n, v]));
      },
      stored: asJson,
      close: () => world.close(),
    };
  });
  for (const { name, run } of checks) it(name, run);
});

describe('s3.sink', () => {
  it.each([
    ['lines', {}],
    ['Parquet', { columns: { n: 'integer' } }],
  ] as const)(
    'has every row of %s in exactly one object while tasks die, answers are lost and the store is busy',
    async (_, format) => {
      const random = generator(9);
      const faulty = await between(() => {
        const dice = random();
        return dice < 0.05 ? 'lose' : dice < 0.1 ? 'busy' : dice < 0.13 ? 'cut' : dice < 0.16 ? 'half' : undefined;
      });
      const prefix = fresh();
      const { sink: driver } = openAt(faulty.url);
      const sink = sinkOf(prefix, { ...format, roll: { rows: 9 } });
      let committable: unknown;
      const open = () => {
        const kept = committable === undefined ? undefined : JSON.parse(JSON.stringify(committable));
        return driver.open(sink, {
          step: 'out',
          task: { topology: 't', partition: 0 },
          incarnation: 0,
          committable: kept,
        });
      };
      let task = await open();
      let stored = 0;
      for (let epoch = 0; epoch < 14; epoch++) {
        const count = Math.floor(random() * 8);
        await put(task, range(stored, stored + count));
        const prepared = await task.prepare?.();
        const dies = epoch % 3;
        if (dies !== 1) {
          committable = prepared;
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
      committable = await task.prepare?.();
      await task.commit?.();
      expect((await numbersIn(prefix)).sort((a, b) => a - b)).toEqual(range(0, stored));
      task = await open();
      await task.prepare?.();
      await task.commit?.();
      expect((await keysOf(prefix)).filter((key) => key.includes('/.millrace/'))).toEqual([]);
      await faulty.close();
    },
  );

  describe('of large objects', () => {
    const MIB = 1024 * 1024;
    const task = { topology: 't', partition: 0 };
    const openIn = (prefix: string, url: string, committable?: unknown, options: object = {}) => {
      const sink = s3.sink<{ n: number; pad: string }>({ folder: `${BUCKET}/${prefix}`, schema: ndjson(), ...options });
      const kept = committable === undefined ? undefined : JSON.parse(JSON.stringify(committable));
      const context = { step: 'out', task, incarnation: 0, committable: kept };
      return openAt(url).sink.open(sink as Sink<never> as Sink<unknown>, context);
    };
    const putRows = async (writer: SinkWriter, numbers: readonly number[], bytes: number) => {
      for (const n of numbers) await writer.write([{ n, pad: 'x'.repeat(bytes) }], [originAt(n)]);
    };
    const finish = async (writer: SinkWriter) => {
      writer.finish?.();
      await writer.prepare?.();
      await writer.commit?.();
    };
    const bytesOf = (asked: readonly { readonly bytes: number }[]) => asked.reduce((sum, { bytes }) => sum + bytes, 0);
    const watching = (fault: (path: string, method: string) => Fault = () => undefined) => between(fault);

    it('sends every byte once and fetches none, where epochs are large', async () => {
      const prefix = fresh();
      const watched = await watching();
      const writer = await openIn(prefix, watched.url);
      await putRows(writer, range(0, 200), 100_000);
      await writer.prepare?.();
      await writer.commit?.();
      await putRows(writer, range(200, 300), 100_000);
      await finish(writer);
      expect(watched.asked.filter(({ path }) => path.includes('partNumber='))).toHaveLength(4);
      expect(watched.asked.filter(({ method, path }) => method === 'GET' && !path.includes('list-type'))).toEqual([]);
      expect(bytesOf(watched.asked) / MIB).toBeLessThan(35); // of 29; the small ends of the two epochs twice
      expect(await shownOf(prefix)).toHaveLength(1);
      expect(await numbersIn(prefix)).toEqual(range(0, 300));
      expect(await keysOf(prefix)).toHaveLength(1);
      await watched.close();
    });

    it('puts small epochs once more, in parts', async () => {
      const prefix = fresh();
      const watched = await watching();
      const writer = await openIn(prefix, watched.url);
      for (let n = 0; n < 12; n++) {
        await putRows(writer, [n], MIB);
        await writer.prepare?.();
        await writer.commit?.();
      }
      await finish(writer);
      expect(watched.asked.filter(({ path }) => path.includes('partNumber='))).toHaveLength(3);
      expect(watched.asked.filter(({ method, path }) => method === 'GET' && !path.includes('list-type'))).toEqual([]);
      expect(await numbersIn(prefix)).toEqual(range(0, 12));
      expect(await keysOf(prefix)).toHaveLength(1);
      await watched.close();
    });

    it('ends an object as it was kept where a task died, whoever still adds to it', async () => {
      const prefix = fresh();
      const first = await openIn(prefix, urlOf());
      await putRows(first, range(0, 27), MIB);
      const committable = await first.prepare?.();
      await first.commit?.();
      await putRows(first, range(90, 110), MIB); // it loses the task in the next epoch, and does not know it
      const second = await openIn(prefix, urlOf(), committable);
      expect(await numbersIn(prefix)).toEqual(range(0, 27));
      await putRows(first, range(110, 120), MIB).catch(() => undefined);
      await first.close();
      await putRows(second, range(27, 40), MIB);
      await finish(second);
      expect(await shownOf(prefix)).toHaveLength(2);
      expect(await numbersIn(prefix)).toEqual(range(0, 40));
      expect(await uploadsOf(prefix)).toBe(0);
      expect(await keysOf(prefix)).toHaveLength(2);
    });

    it('takes back what was begun after the last checkpoint', async () => {
      const prefix = fresh();
      const first = await openIn(prefix, urlOf());
      await putRows(first, range(90, 110), MIB);
      await first.close();
      expect(await uploadsOf(prefix)).toBe(1);
      const second = await openIn(prefix, urlOf());
      await putRows(second, range(0, 3), MIB);
      await finish(second);
      expect(await uploadsOf(prefix)).toBe(0);
      expect(await keysOf(prefix)).toEqual([`${prefix}/part-00000-0-00000000.ndjson`]);
      expect(await numbersIn(prefix)).toEqual(range(0, 3));
    });

    it('says so where the upload that has rows is gone', async () => {
      const prefix = fresh();
      const first = await openIn(prefix, urlOf());
      await putRows(first, range(0, 20), MIB);
      const committable = await first.prepare?.();
      await first.close();
      const { id } = (committable as { open: { kept: { parts: { id: string } } }[] }).open[0]?.kept.parts ?? { id: '' };
      await plain(`${prefix}/part-00000-0-00000000.ndjson?uploadId=${id}`, { method: 'DELETE' });
      await expect(openIn(prefix, urlOf(), committable)).rejects.toMatchObject({
        code: 'sink',
        permanent: true,
        message: expect.stringContaining('are missing'),
        hint: expect.stringContaining('aborted'),
      });
    });

    it('makes Parquet while its rows come, and makes it anew where that was for nothing', async () => {
      const rows = 2 * GROUP_ROWS + 10;
      const columns = { columns: { n: 'integer', pad: 'text' }, schema: undefined };
      const some = (from: number, to: number) => range(from, to).map((n) => ({ n, pad: randomUUID() }));
      const write = async (writer: SinkWriter, values: readonly { n: number }[]) => {
        for (let at = 0; at < values.length; at += 10_000) {
          const chunk = values.slice(at, at + 10_000);
          await writer.write(
            chunk,
            chunk.map(({ n }) => originAt(n)),
          );
        }
      };
      const values = some(0, rows);
      const prefix = fresh();
      const watched = await watching();
      const first = await openIn(prefix, watched.url, undefined, columns);
      await write(first, values.slice(0, GROUP_ROWS + 10));
      await first.prepare?.();
      await first.commit?.();
      await write(first, values.slice(GROUP_ROWS + 10));
      await finish(first);
      expect(watched.asked.filter(({ method, path }) => method === 'GET' && !path.includes('list-type'))).toEqual([]);
      const [key = ''] = await shownOf(prefix);
      expect(await keysOf(prefix)).toEqual([key]);
      const whole = Buffer.from(await (await plain(key)).arrayBuffer());

      const again = fresh();
      const dying = await openIn(again, urlOf(), undefined, columns);
      await write(dying, values.slice(0, GROUP_ROWS + 10));
      const kept = await dying.prepare?.();
      await write(dying, some(0, 100));
      await dying.close();
      const second = await openIn(again, urlOf(), kept, columns);
      await write(second, values.slice(GROUP_ROWS + 10));
      await finish(second);
      const made = Buffer.from(await (await plain(key.replace(prefix, again))).arrayBuffer());
      expect(made.equals(whole)).toBe(true);
      expect(await uploadsOf(again)).toBe(0);
      expect(await keysOf(again)).toHaveLength(1);
      await watched.close();
    });

    it('loses nothing where the store is killed in the middle of parts', async () => {
      const own = await OwnService.start('s3');
      const prefix = fresh();
      const open = (kept?: unknown) => openIn(prefix, own.url.toString(), kept);
      try {
        let committable: unknown;
        let stored = 0;
        for (const killedAt of [9, 17]) {
          const writer = await open(committable);
          let restarted: Promise<void> | undefined;
          const dying = (async () => {
            for (let n = stored; n < stored + 20; n++) {
              if (n === stored + killedAt) restarted = own.restart();
              await putRows(writer, [n], MIB);
            }
            return writer.prepare?.();
          })();
          const kept = await dying.catch(() => undefined);
          await restarted;
          await writer.close();
          if (kept === undefined) continue;
          committable = kept;
          stored += 20;
        }
        const last = await open(committable);
        await putRows(last, range(stored, stored + 20), MIB);
        await finish(last);
        const shown = await shownOf(prefix, own.url);
        const texts = await Promise.all(shown.map(async (key) => (await plain(key, {}, own.url)).text()));
        const numbers = texts.flatMap((text) => text.trim().split('\n')).map((line) => (JSON.parse(line) as Value).n);
        expect(numbers).toEqual(range(0, stored + 20));
      } finally {
        await own.stop();
      }
    }, 120_000);

    it('has every row in exactly one object while tasks die, answers are lost and the store is busy', async () => {
      const random = generator(11);
      const prefix = fresh();
      const faulty = await watching(() => {
        const dice = random();
        return dice < 0.04 ? 'lose' : dice < 0.08 ? 'busy' : dice < 0.1 ? 'cut' : dice < 0.12 ? 'half' : undefined;
      });
      const open = (kept?: unknown) => openIn(prefix, faulty.url, kept, { roll: { rows: 23 } });
      let committable: unknown;
      let writer = await open();
      let stored = 0;
      for (let epoch = 0; epoch < 15; epoch++) {
        const count = Math.floor(random() * 14);
        await putRows(writer, range(stored, stored + count), MIB);
        const prepared = await writer.prepare?.();
        const dies = epoch % 5;
        if (dies !== 1) {
          committable = prepared;
          stored += count;
          if (dies !== 2) await writer.commit?.();
        }
        if (dies !== 1 && dies !== 2 && dies !== 4) continue;
        const zombie = writer;
        writer = await open(committable);
        await putRows(zombie, [90_000, 90_001], 4 * MIB);
        await zombie.prepare?.();
      }
      await finish(writer);
      expect((await numbersIn(prefix)).sort((a, b) => a - b)).toEqual(range(0, stored));
      await faulty.close();
    });
  });

  it('is let in by its secret alone', async () => {
    const refused = openAt(urlOf({ password: 'another' })).sink.open(sinkOf(fresh()), {
      step: 'out',
      task: { topology: 't', partition: 0 },
      incarnation: 0,
    });
    await expect(refused).rejects.toMatchObject({
      code: 'sink',
      permanent: true,
      message: expect.stringContaining('SignatureDoesNotMatch'),
      hint: expect.stringContaining('key and secret'),
    });
  });

  it('says what a store refuses, without key and secret', async () => {
    const { sink: driver } = openAt();
    const sink = s3.sink<Value>({
      folder: 'no-such-bucket/x',
      schema: ndjson<Value>(),
    }) as Sink<never> as Sink<unknown>;
    const context = { step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0 };
    const error = await Promise.resolve(driver.open(sink, context)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'sink', permanent: true, message: expect.stringContaining('NoSuchBucket') });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(new URL(urlOf()).password);
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
      const reader = await driver.open(source, {
        task: { topology: 't', partition: 0 },
        partition: 0,
        offset,
        bounded: true,
        step: 'in',
        sourceState: place,
      });
      const rows: string[] = [];
      const places: unknown[] = [];
      for (;;) {
        const { records, ended } = await reader.poll(1);
        for (const record of records) {
          rows.push(Buffer.from(record.value ?? []).toString());
          places.push(JSON.parse(JSON.stringify(reader.sourceStateOf?.(record.offset + 1))));
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
    await expect(read(1, all.places[0])).rejects.toMatchObject({ code: 'source', permanent: true });
  });

  describe('of Parquet', () => {
    const GROUPS = 5;
    const put = async (prefix: string, first = 0) => {
      const columns = { n: 'integer', text: 'text' };
      const pack = rowPacker(columns);
      const packed = Readable.from(range(first, first + GROUPS * 100).map((n) => pack({ n, text: `text ${n}` })));
      const pieces: Buffer[] = [];
      for await (const piece of parquetOf(packed, columns, 100)) pieces.push(Buffer.from(piece));
      await plain(`${prefix}/a.parquet`, { method: 'PUT', body: Buffer.concat(pieces) });
    };
    const openIn = (prefix: string, url: string, offset = EARLIEST, place?: unknown) => {
      const path = `${BUCKET}/${prefix}/*.parquet`;
      const source = s3.source({ path, schema: json<Value>(), eventTime: () => 0 }) as Source<unknown>;
      return openAt(url).source.open(source, {
        task: { topology: 't', partition: 0 },
        partition: 0,
        offset,
        bounded: true,
        step: 'in',
        sourceState: place,
      });
    };
    const read = async (reader: SourceReader, count = Number.POSITIVE_INFINITY) => {
      const found: number[] = [];
      for (let ended = false; !ended && found.length < count; ) {
        const polled = await reader.poll(50);
        found.push(...polled.records.map(({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as Value).n));
        ended = polled.ended;
      }
      return found;
    };

    it('asks for the footer, then for one row group after another, and goes on at any row', async () => {
      const prefix = fresh();
      await put(prefix);
      const watched = await between(() => undefined);
      const reader = await openIn(prefix, watched.url);
      expect(await read(reader)).toEqual(range(0, 500));
      expect(watched.asked.filter(({ range: asked }) => asked !== undefined)).toHaveLength(1 + GROUPS);
      await reader.close();
      const first = await openIn(prefix, watched.url);
      await read(first, 250);
      const place = JSON.parse(JSON.stringify(first.sourceStateOf?.(240)));
      watched.asked.length = 0;
      expect(await read(await openIn(prefix, watched.url, 240, place))).toEqual(range(240, 500));
      expect(watched.asked.filter(({ range: asked }) => asked !== undefined)).toHaveLength(1 + 3);
      await watched.close();
    });

    it('asks again where answers break off', async () => {
      const prefix = fresh();
      await put(prefix);
      const random = generator(3);
      const faulty = await between(() => (random() < 0.5 ? 'half' : undefined));
      expect(await read(await openIn(prefix, faulty.url))).toEqual(range(0, 500));
      await faulty.close();
    });

    it('ends the run where another object took its place meanwhile', async () => {
      const prefix = fresh();
      await put(prefix);
      const reader = await openIn(prefix, urlOf());
      expect(await read(reader, 50)).toEqual(range(0, 50));
      await put(prefix, 1);
      await expect(read(reader)).rejects.toMatchObject({
        code: 'source',
        permanent: true,
        hint: expect.stringContaining('replaced'),
      });
    });
  });
});
