import type { SourceReader } from './io.js';

/**
 * A reader that does some things in its own way, and everything else as the one that it stands around.
 *
 * All members of the contract are named here and nowhere else: the compiler asks for one that comes later.
 *
 * @example
 * const counted = readerAround(reader, { close: () => reader.close().then(() => { open -= 1; }) });
 */
export function readerAround(reader: SourceReader, own: Partial<Omit<SourceReader, 'isBehind'>>): SourceReader {
  const all: Required<SourceReader> = {
    poll: (recordsMax) => reader.poll(recordsMax),
    release: (offset) => reader.release?.(offset),
    get isBehind() {
      return reader.isBehind ?? false;
    },
    sourceStateOf: (offset) => reader.sourceStateOf?.(offset),
    close: () => reader.close(),
  };
  return Object.assign(all, own);
}
