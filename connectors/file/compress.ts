import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Compression } from './row-format.js';

export type Compress = (bytes: Buffer) => Promise<Buffer>;

const zipped = promisify(gzip) as Compress;
const ZSTD_LEVEL = 3;

/**
 * Compresses pieces of a file, each for itself: members of gzip and frames of zstd may stand in a row, so a file can be cut
 * behind any of them. Runs beside the event loop.
 */
export async function openCompress(compression: Compression | undefined): Promise<Compress> {
  if (compression === undefined) return async (bytes) => bytes;
  if (compression === 'gzip') return zipped;
  const { Encoder } = await import('@toondepauw/node-zstd');
  const encoder = new Encoder(ZSTD_LEVEL);
  return (bytes) => encoder.encode(bytes);
}
