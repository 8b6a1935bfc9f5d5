import type { Written, WrittenEntry } from '../core/written.js';
import { compareEntries, Differences } from './differences.js';
import { EntryStreams } from './entry-streams.js';
import type { Run } from './verification.js';

/**
 * Compares the entries that a sink wrote in two runs. Memory: for sorted entries, those of one sort key. Otherwise the entries that
 * one run is ahead of the other, about 300 bytes each; after a difference, or without an order, the rest of the sequence.
 */
export async function compareWritten(written: Readonly<Record<Run, Written>>): Promise<Differences> {
  const found = new Differences();
  await (written.reference.sorted ? compareSorted(written, found) : compareStreams(written, found));
  return found;
}

async function compareStreams(written: Readonly<Record<Run, Written>>, found: Differences): Promise<void> {
  const streams = new EntryStreams(written.reference.how === 'in order', found);
  const read = {
    reference: written.reference.entries()[Symbol.asyncIterator](),
    faulted: written.faulted.entries()[Symbol.asyncIterator](),
  };
  const open = new Set<Run>(['reference', 'faulted']);
  while (open.size > 0) {
    for (const run of open) {
      const next = await read[run].next();
      if (next.done) open.delete(run);
      else streams.add(run, next.value);
    }
  }
  streams.end();
}

/** Goes through both as a merge does, group by group of equal sort keys. */
async function compareSorted(written: Readonly<Record<Run, Written>>, found: Differences): Promise<void> {
  const [reference, faulted] = [groupsOf(written.reference), groupsOf(written.faulted)];
  let [a, b] = [await reference.next(), await faulted.next()];
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : Buffer.compare(a.value.sort, b.value.sort);
    const both = [order <= 0 && !a.done ? a.value.entries : [], order >= 0 && !b.done ? b.value.entries : []] as const;
    compareEntries(...both, false, found);
    if (order <= 0) a = await reference.next();
    if (order >= 0) b = await faulted.next();
  }
}

interface Group {
  readonly sort: Buffer;
  readonly entries: WrittenEntry[];
}

async function* groupsOf(written: Written): AsyncGenerator<Group, undefined> {
  let group: Group | undefined;
  for await (const { sort: text, ...entry } of written.entries()) {
    const sort = Buffer.from(text ?? entry.id);
    if (group?.sort.equals(sort)) group.entries.push(entry);
    else {
      if (group) yield group;
      group = { sort, entries: [entry] };
    }
  }
  if (group) yield group;
}
