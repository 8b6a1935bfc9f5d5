import type Sharp from 'sharp';
import { messageOf, RowFailure } from '../../core/index.js';
import { optionalPackage } from '../../util/optional-package.js';

/** The formats of images that are decoded, by the names of `sharp`. */
const imageFormats = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const;
export type ImageFormat = (typeof imageFormats)[number];

const latin1 = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));

/**
 * What kind of image a file is, by its first bytes. Only what is recognized here is ever given to the decoder: it knows
 * more formats (SVG, PDF, ImageMagick's), and those load fonts, files and programs.
 */
export function imageFormatOf(bytes: Uint8Array): ImageFormat | undefined {
  const start = latin1(bytes, 0, 12);
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'webp';
  if (/^GIF8[79]a/.test(start)) return 'gif';
  if (/^....ftypavi[fs]/s.test(start)) return 'avif';
  if (start.startsWith('II*\0') || start.startsWith('MM\0*')) return 'tiff';
  return undefined;
}

export interface DecoderOptions {
  readonly width: number;
  readonly height: number;
  /** How an image of other proportions fills the size: cut to it, framed by black, or stretched. */
  readonly fit: 'cover' | 'contain' | 'fill';
  readonly colour: 'rgb' | 'grey';
  readonly bytesMax: number;
  readonly pixelsMax: number;
}

/** The interleaved bytes of an image at the size asked for, or why there are none. */
export type Decode = (file: Uint8Array | null | undefined) => Promise<Uint8Array | RowFailure>;

const failure = (detail: string) => new RowFailure('image', detail);

/**
 * Loads `sharp`, which decodes and resizes by libvips in threads of its own.
 *
 * Throws `MillraceError('config')` where it is not installed: few topologies need it, so it does not come with the package.
 */
export async function openDecoder(
  step: string,
  { width, height, fit, colour, bytesMax, pixelsMax }: DecoderOptions,
): Promise<Decode> {
  const sharp = await loadSharp(step);
  const background = { r: 0, g: 0, b: 0 };
  // 'error': warnings of a decoder, about metadata mostly, are no failure; an image that ends in the middle is one.
  const input = { limitInputPixels: pixelsMax, failOn: 'error', pages: 1 } as const;
  return async (file) => {
    if (file === null || file === undefined || file.length === 0) return failure('there is no image');
    if (file.length > bytesMax) return failure(`the file has ${file.length} bytes, more than ${bytesMax}`);
    if (imageFormatOf(file) === undefined) return failure(`the file is none of ${imageFormats.join(', ')}`);
    try {
      const image = sharp(file, input).autoOrient().resize({ width, height, fit, background }).flatten({ background });
      const plain = colour === 'grey' ? image.toColourspace('b-w') : image.toColourspace('srgb');
      return await plain.raw({ depth: 'uchar' }).toBuffer();
    } catch (error) {
      return failure(messageOf(error).split('\n', 1)[0] as string);
    }
  };
}

async function loadSharp(where: string): Promise<typeof Sharp> {
  const { default: sharp } = await optionalPackage(
    { name: 'sharp', neededBy: 'decodeImage', where },
    () => import('sharp'),
  );
  // Images run side by side: threads within one would only wait for each other, and no image comes twice.
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp;
}
