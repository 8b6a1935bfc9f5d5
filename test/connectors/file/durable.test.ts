import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import type { Sink, SinkWriter } from '../../../src/core/sink.js';
import { localRegistry, ndjson } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { newFolder } from './folder.js';

afterEach(() => {
  vi.restoreAllMocks();
});

type Handle = Awaited<ReturnType<typeof open>>;

/** The methods that all open files share. */
async function methods(): Promise<Handle> {
  const handle = await open(import.meta.filename, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as Handle;
}

const openSink = (folder: string, committable?: unknown) => {
  const sink = file.sink<{ n: number }>({ folder, schema: ndjson<{ n: number }>() }) as Sink<never> as Sink<unknown>;
  const context = { step: 'out', task: { topology: 't', partition: 0 }, incarnation: 0, committable };
  return openFiles({ schemas: localRegistry() }).sink.open(sink, context);
};
const put = (writer: SinkWriter, n: number) => writer.write([{ n }], [originAt(n)]);

describe('file.sink', () => {
  it('has its rows on the disk before a checkpoint names them, and a name before they count as shown', async () => {
    const shared = await methods();
    const calls: string[] = [];
    for (const name of ['write', 'datasync', 'sync'] as const) {
      const original = shared[name] as (...args: unknown[]) => unknown;
      vi.spyOn(shared, name).mockImplementation(function (this: Handle, ...args: unknown[]) {
        calls.push(name);
        return original.apply(this, args);
      } as never);
    }
    const during = async (work: () => unknown) => {
      calls.length = 0;
      await work();
      return [...calls];
    };
    const folder = newFolder();
    const writer = await openSink(folder);
    await put(writer, 1);
    expect((await during(() => writer.prepare?.())).slice(-2)).toEqual(['write', 'datasync']);
    await writer.commit?.();
    await put(writer, 2);
    writer.finish?.();
    expect((await during(() => writer.prepare?.())).slice(-2)).toEqual(['write', 'datasync']);
    expect(await during(() => writer.commit?.())).toContain('sync'); // of the folder
    await writer.close();
  });

  it('writes all of its rows where a disk takes a part of them at a time', async () => {
    const shared = await methods();
    const write = shared.write as (...args: unknown[]) => unknown;
    vi.spyOn(shared, 'write').mockImplementation(function (this: Handle, ...args: unknown[]) {
      const [bytes, from, length, position] = args as [Buffer, number, number, number];
      return write.call(this, bytes, from, Math.ceil(length / 3), position);
    } as never);
    const folder = newFolder();
    const writer = await openSink(folder);
    for (const n of [1, 2, 3]) await put(writer, n);
    await writer.prepare?.();
    await writer.commit?.();
    for (const n of [4, 5]) await put(writer, n);
    writer.finish?.();
    await writer.prepare?.();
    await writer.commit?.();
    await writer.close();
    const [name = ''] = readdirSync(folder).filter((each) => !each.startsWith('.'));
    expect(readFileSync(join(folder, name), 'utf8')).toBe([1, 2, 3, 4, 5].map((n) => `{"n":${n}}\n`).join(''));
  });
});
