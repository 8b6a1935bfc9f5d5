import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import type { Sink } from '../../../src/core/sink.js';
import type { Source } from '../../../src/core/source.js';
import { localRegistry, ndjson } from '../../../src/schema/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { FaultName } from '../../../src/testing/fault-list.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { canForbid, canMount, forbid, newFolder, outOfFiles, smallDisk } from './disk.js';
import { limitFiles, notHere as notLimited } from './limit-files.js';

export const notHere: Partial<Readonly<Record<FaultName, string>>> = {
  ...notLimited,
  ...(canForbid ? {} : { 'refused for good': 'rights do not bite root, who may mount nothing' }),
};

/** A full disk, or as if it were one. */
function disk() {
  if (canMount) return smallDisk();
  const folder = newFolder();
  return {
    folder,
    async fill() {
      limitFiles(100);
      return async () => void limitFiles('unlimited');
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

const numberIn = (line: string) => (JSON.parse(line) as { n: number }).n;

export const sinks = {
  async 'file.sink'(): Promise<SinkFaultWorld> {
    const { folder, fill, close } = disk();
    return {
      driver: openFiles({ schemas: localRegistry() }).sink,
      sink: file.sink<{ n: number }>({
        folder,
        schema: ndjson<{ n: number }>(),
        roll: { rows: 30 },
      }) as Sink<never> as Sink<unknown>,
      openLedger: memoryLedgers(),
      value: (n) => ({ n }),
      keyOf: () => 'the order of rows',
      refusedForNow: fill,
      refusedForGood: () => forbid(folder),
      async visible() {
        const names = readdirSync(folder).filter((name) => name.startsWith('part-'));
        return names
          .sort()
          .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n').map(numberIn));
      },
      close: async () => close(),
    };
  },
};

export const sources = {
  async 'file.tailSource'(): Promise<SourceFaultWorld> {
    const folder = newFolder();
    const path = join(folder, 'app.log');
    return {
      driver: openFiles({ schemas: localRegistry() }).source,
      source: file.tailSource<{ n: number }>({
        path,
        schema: ndjson<{ n: number }>(),
        eventTime: () => 0,
      }) as Source<unknown>,
      append: async (numbers) => writeFileSync(path, numbers.map((n) => `${JSON.stringify({ n })}\n`).join('')),
      numberOf: ({ value }) => numberIn(Buffer.from(value ?? []).toString()),
      async refusedForNow() {
        renameSync(path, `${path}.away`);
        symlinkSync(path, path); // in a circle, since rights do not keep everybody out
        return async () => renameSync(`${path}.away`, path);
      },
      close: async () => rmSync(folder, { recursive: true }),
    };
  },

  async 'file.source'(): Promise<SourceFaultWorld> {
    const folder = newFolder();
    return {
      driver: openFiles({ schemas: localRegistry() }).source,
      source: file.source<{ n: number }>({
        path: join(folder, '*.ndjson'),
        schema: ndjson<{ n: number }>(),
        eventTime: () => 0,
      }) as Source<unknown>,
      async append(numbers) {
        for (let from = 0; from < numbers.length; from += 50) {
          const lines = numbers.slice(from, from + 50).map((n) => `${JSON.stringify({ n })}\n`);
          const name = join(folder, `${String(from).padStart(5, '0')}.ndjson`);
          writeFileSync(`${name}.new`, lines.join(''));
          renameSync(`${name}.new`, name);
        }
      },
      numberOf: ({ value }) => numberIn(Buffer.from(value ?? []).toString()),
      refusedForNow: outOfFiles,
      /** The file that is being read is cut in the middle of a row; then it is put back. */
      async refusedForGood() {
        const first = join(folder, '00000.ndjson');
        const whole = readFileSync(first);
        truncateSync(first, whole.length - 5);
        return async () => writeFileSync(first, whole);
      },
      close: async () => rmSync(folder, { recursive: true }),
    };
  },
};
