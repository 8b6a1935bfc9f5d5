import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import { describe, expect, it } from 'vitest';
import { bytesOf, type OpenBytes } from '../../../connectors/file/bytes.js';
import { longestTurn } from '../../turns.js';
import { zstdOfRuns } from '../kafka/bombs.js';

const MIB = 2 ** 20;

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

describe('a file of zstd', () => {
  const zst = (bytes: Buffer, pieceBytes = bytes.length): AsyncIterable<Uint8Array> => {
    const open: OpenBytes = async function* () {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    };
    return bytesOf('lake/orders.ndjson.zst', 0, open);
  };
  const whole = async (bytes: Buffer, pieceBytes?: number): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of zst(bytes, pieceBytes)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };

  it('is the same in pieces of any size, frames in a row, skipped frames and checksums included', async () => {
    const skipped = Buffer.concat([Buffer.from('5a2a4d1803000000', 'hex'), Buffer.from('abc')]);
    const frame = new Encoder(3).encodeSync(Buffer.from(text));
    const small = new Encoder(19).encodeSync(Buffer.from('x'));
    const bytes = Buffer.concat([skipped, frame, small, skipped, frame]);
    for (const pieceBytes of [1, 2, 3, 7, 1_000, bytes.length])
      expect(await whole(bytes, pieceBytes)).toBe(`${text}x${text}`);
  });

  it('of 64 KB that becomes 2 GB comes block by block', async () => {
    const bomb = zstdOfRuns(16_000);
    expect(bomb.length).toBeLessThan(65_536);
    const before = process.memoryUsage().arrayBuffers;
    const turn = longestTurn();
    let [read, longest, most] = [0, 0, 0];
    for await (const piece of zst(bomb)) {
      read += piece.length;
      longest = Math.max(longest, piece.length);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      if (read > 256 * MIB) break; // more of the same
    }
    expect(longest).toBeLessThanOrEqual(MIB / 8);
    expect(most).toBeLessThan(192 * MIB); // the collector comes when it likes; it was all of the 2 GB
    expect(turn.stop()).toBeLessThan(1_000);
  });

  it('of blocks that hold nothing does not keep the loop while its window is moved', async () => {
    // 20,000 blocks of three bytes in a frame with a window of 8 MiB.
    const bytes = Buffer.concat([
      Buffer.from('28b52ffd0068', 'hex'),
      Buffer.alloc(3 * 2_000),
      Buffer.from('010000', 'hex'),
    ]);
    const turn = longestTurn();
    expect(await whole(bytes)).toBe('');
    expect(turn.stop()).toBeLessThan(500);
  });

  it.each([
    ['a window', Buffer.from('28b52ffd00d8000000', 'hex'), 'a frame that needs a window of 137438953472 bytes'],
    ['a block', Buffer.from('28b52ffd0058fbffff00', 'hex'), 'a block of 2097151 bytes'],
  ])('is refused for %s that is larger than allowed', async (_, bytes, message) => {
    await expect(whole(Buffer.concat([bytes, Buffer.alloc(20)]))).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: expect.stringContaining(message),
    });
  });
});
