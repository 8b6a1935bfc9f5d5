import { EARLIEST } from '../core/checkpoint.js';
import { readerAround, type SourceDriver, type SourceReader } from '../core/source.js';
import type { Slice } from './verification.js';

/**
 * Reads exactly a slice of each topic, so that two successive runs read the same records while more are appended. A topic
 * without a slice is read as usual.
 */
export function sliced(driver: SourceDriver, slices: Readonly<Record<string, Slice>>): SourceDriver {
  return {
    ...driver,
    async open(source, at) {
      const { offset, partition } = at;
      const slice = slices[source.topic];
      if (slice === undefined) return driver.open(source, at);
      const from = offset === EARLIEST ? (slice.from[partition] ?? offset) : offset;
      return until(await driver.open(source, { ...at, offset: from, bounded: true }), slice.to[partition] ?? 0);
    },
  };
}

function until(reader: SourceReader, end: number): SourceReader {
  let passed = false;
  return readerAround(reader, {
    async poll(recordsMax, bytesMax) {
      if (passed) return { records: [], ended: true };
      const polled = await reader.poll(recordsMax, bytesMax);
      const last = polled.records.at(-1);
      if (last === undefined || last.offset < end - 1) return polled;
      passed = true;
      return { records: polled.records.filter(({ offset }) => offset < end), ended: true };
    },
  });
}
