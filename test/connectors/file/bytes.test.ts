import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOf, type OpenBytes } from '../../../connectors/file/bytes.js';

const text = Array.from({ length: 5_000 }, (_, n) => `{"n":${n}}\n`).join('');
const packed = gzipSync(text);

async function read(open: OpenBytes): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytesOf('lake/orders.ndjson.gz', 0, open)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('bytesOf', () => {
  it('decompresses what comes in pieces', async () => {
    const open: OpenBytes = async function* () {
      for (let at = 0; at < packed.length; at += 1_000) yield packed.subarray(at, at + 1_000);
    };
    expect(await read(open)).toBe(text);
  });

  it('takes a connection that is cut for what may pass, and what cannot be decompressed for damaged', async () => {
    const cut: OpenBytes = async function* () {
      yield packed.subarray(0, 1_000);
      throw new TypeError('terminated');
    };
    await expect(read(cut)).rejects.toMatchObject({ code: 'source', permanent: false });
    const damaged: OpenBytes = async function* () {
      yield Buffer.concat([packed.subarray(0, 1_000), Buffer.alloc(1_000, 0xff)]);
    };
    await expect(read(damaged)).rejects.toMatchObject({ code: 'source', permanent: true });
  });
});
