import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, vi } from 'vitest';
import { openFiles } from '../../../connectors/file/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { Source, SourceReader } from '../../../src/core/source.js';
import { localRegistry } from '../../../src/schema/index.js';

const folders: string[] = [];

/** A folder of its own, gone after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'));
  folders.push(folder);
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

afterEach(async () => {
  try {
    await vi.waitFor(() => expect(folders.flatMap(openIn)).toEqual([]));
  } finally {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
});

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
