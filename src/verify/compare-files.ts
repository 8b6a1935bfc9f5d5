import { hash } from 'node:crypto';
import type { RowFormat } from '../../connectors/file/row-format.js';
import type { WrittenFiles } from '../../connectors/file/written.js';
import { getOrInsert } from '../util/maps.js';
import type { Places } from './compare-topics.js';
import { Differences, type Entry } from './differences.js';
import { EntryStreams } from './entry-streams.js';
import type { Run } from './verification.js';

/**
 * Compares what two runs wrote into files, row by row. Where one file ends and the next begins is decided by the clock too, so
 * the rows of a task (and, with `by`, of an hour or day) are taken as one sequence. Rows name no input record: they are told
 * apart by what they are. `ordered` false: sequences are compared as bags.
 *
 * Memory: names of files; what one run has written ahead of the other, and after a difference the rest of that sequence.
 */
export async function compareFiles(
  written: WrittenFiles,
  folders: Places,
  format: RowFormat<unknown>,
  ordered: boolean,
): Promise<Differences> {
  const found = new Differences();
  const [reference, faulted] = await Promise.all([
    sequencesOf(written, folders.reference),
    sequencesOf(written, folders.faulted),
  ]);
  for (const name of new Set([...reference.keys(), ...faulted.keys()])) {
    const streams = new EntryStreams(ordered, found);
    const read = {
      reference: entriesOf(written, reference.get(name) ?? [], format),
      faulted: entriesOf(written, faulted.get(name) ?? [], format),
    };
    const open = new Set<Run>(['reference', 'faulted']);
    while (open.size > 0) {
      for (const run of open) {
        const next = await read[run].next();
        if (next.done) open.delete(run);
        else streams.add(run, { ...next.value, task: 0 });
      }
    }
    streams.end();
  }
  return found;
}

/** Files in their order, by folder and task: names are `part-TASK-INCARNATION-NUMBER`. */
async function sequencesOf(written: WrittenFiles, folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const sequences = new Map<string, string[]>();
  for (const path of await written.list(folder)) {
    const name = path.slice(folder.length + 1).replace(/-\d+-\d+\.[a-z.]+$/, '');
    getOrInsert(sequences, name, () => []).push(path);
  }
  return sequences;
}

/** Of equal rows any may stand for any: as records of an input they would be one that led to several. */
async function* entriesOf(
  written: WrittenFiles,
  paths: readonly string[],
  format: RowFormat<unknown>,
): AsyncGenerator<Entry> {
  for (const path of paths) {
    for await (const rows of written.rows(path, format)) {
      for (const { bytes } of rows) {
        const digest = hash('sha1', bytes, 'hex');
        yield { id: `${digest}/0`, digest, at: Buffer.from(bytes).toString() };
      }
    }
  }
}
