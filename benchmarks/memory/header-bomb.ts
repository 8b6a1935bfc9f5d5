import { crc32c } from '@node-rs/crc32';
import { Encoder } from '@toondepauw/node-zstd';
import { batch } from '../../connectors/kafka/protocol/record-batch.js';
import { BatchEncoder } from '../../connectors/kafka/protocol/record-batch-encode.js';
import { varintSize, writeVarint } from '../../connectors/kafka/protocol/varint.js';

const ZSTD = 4;

/** A batch of one record with so many empty headers: two bytes each before compression, and next to none after it. */
export function headerBomb(headers: number): Buffer {
  const count = Buffer.alloc(varintSize(headers));
  writeVarint(count, 0, headers);
  // Attributes, timestamp, offset, and a key and a value of length 0; then headers without a name and a value.
  const body = Buffer.concat([Buffer.alloc(5), count, Buffer.alloc(2 * headers)]);
  const length = Buffer.alloc(varintSize(body.length));
  writeVarint(length, 0, body.length);
  const section = new Encoder(19).encodeSync(Buffer.concat([length, body]));

  const encoder = new BatchEncoder();
  encoder.add({ key: null, value: null, timestampMs: 1.7e12 });
  const whole = Buffer.concat([encoder.finish().subarray(0, batch.headerBytes), section]);
  whole.writeInt32BE(whole.length - batch.lengthCountsFrom, batch.length);
  whole.writeInt16BE(ZSTD, batch.attributes);
  whole.writeUInt32BE(crc32c(whole.subarray(batch.attributes)), batch.crc);
  return whole;
}
