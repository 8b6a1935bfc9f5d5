import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { openFiles } from '../../../connectors/file/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { Source, SourceReader } from '../../../src/core/source.js';
import { localRegistry } from '../../../src/schema/index.js';

/** A folder of its own, gone after the test, of which no file is open then. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'));
  // Not `afterEach`: files that share their modules would have it in the first of them alone.
  onTestFinished(async () => {
    try {
      await vi.waitFor(() => expect(openIn(folder)).toEqual([]));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return folder;
}

const HANDLES = '/proc/self/fd';

/** The files of a folder that this process has open, where the system tells. */
function openIn(folder: string): string[] {
  if (!existsSync(HANDLES)) return [];
  return readdirSync(HANDLES).flatMap((handle) => {
    try {
      const path = readlinkSync(join(HANDLES, handle));
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

export interface From {
  readonly offset?: number;
  readonly sourceState?: unknown;
  readonly partition?: number;
  readonly bounded?: boolean;
}

export const openReader = (source: Source<unknown>, from: From = {}): Promise<SourceReader> => {
  const { offset = EARLIEST, sourceState, partition = 0, bounded = true } = from;
  const { source: driver } = openFiles({ schemas: localRegistry() });
  return driver.open(source, {
    task: { topology: 't', partition },
    partition,
    offset,
    bounded,
    step: 'in',
    sourceState,
  });
};

export interface Row {
  readonly offset: number;
  readonly text: string;
}

/** What a reader gives until it ends, or until there are so many; and where each row's successor lies. */
export async function readRows(reader: SourceReader, countMax = Number.POSITIVE_INFINITY, pollMax = 7) {
  const rows: Row[] = [];
  for (let polls = 0; polls < 2_000 && rows.length < countMax; polls++) {
    const { records, ended } = await reader.poll(Math.min(pollMax, countMax - rows.length));
    for (const { offset, value } of records) rows.push({ offset, text: Buffer.from(value ?? []).toString() });
    if (ended) break;
  }
  return rows;
}

export async function readAll(source: Source<unknown>, from: From = {}): Promise<Row[]> {
  const reader = await openReader(source, from);
  try {
    return await readRows(reader);
  } finally {
    await reader.close();
  }
}

export const numbered = (texts: readonly string[], from = 0): Row[] =>
  texts.map((text, i) => ({ offset: from + i, text }));
