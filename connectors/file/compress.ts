import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Compression } from './row-format.js';

export type Compress = (bytes: Buffer) => Promise<Buffer>;

const zipped = promisify(gzip) as Compress;
const ZSTD_LEVEL = 3;

/**
 * Compresses pieces of a file separately: gzip members and zstd frames may follow each other, so a file can be cut after any piece.
 * It does not block the event loop.
 */
export async function openCompress(compression: Compression | undefined): Promise<Compress> {
  if (compression === undefined) return async (bytes) => bytes;
  if (compression === 'gzip') return zipped;
  const { Encoder } = await import('@toondepauw/node-zstd');
  const encoder = new Encoder(ZSTD_LEVEL);
  return (bytes) => encoder.encode(bytes);
}
