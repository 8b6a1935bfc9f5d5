import { counted } from '../../src/util/counted.js';
import { batch } from './protocol/record-batch.js';
import { BatchEncoder, type RecordToEncode, recordSizeMax } from './protocol/record-batch-encode.js';
import type { Compression } from './topic-options.js';

/** The setting of a topic that limits its batches, and so its records. */
export const RECORD_LIMIT = 'max.message.bytes';

/**
 * Why a topic with this limit does not take a record: the batch with the record alone, as it is sent, is larger.
 * `undefined` if the topic takes it.
 */
export function tooLarge(
  topic: string,
  record: RecordToEncode,
  bytesMax: number,
  compression: Compression = 'none',
): string | undefined {
  if (batch.headerBytes + recordSizeMax(record) <= bytesMax) return undefined;
  const encoder = new BatchEncoder();
  encoder.add(record);
  const { length } = encoder.finish(undefined, compression);
  if (length <= bytesMax) return undefined;
  return `the record takes ${counted(length, 'byte')}, topic '${topic}' takes ${counted(bytesMax, 'byte')} (${RECORD_LIMIT})`;
}
