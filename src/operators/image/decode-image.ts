import {
  type Adds,
  type Free,
  makeOfEach,
  type Operator,
  type Problem,
  RowFailure,
  type Tensor,
} from '../../core/index.js';
import { fieldAdder } from '../../util/literals.js';
import { optionProblems, requireOptions } from '../options.js';
import { type DecoderOptions, openDecoder } from './decoder.js';

/** Options of `decodeImage`: the field, the size and scale of the tensor, and the bounds. */
export interface DecodeImageOptions<T, As extends string> {
  /** The bytes of an image file: JPEG, PNG, WebP, GIF (the first frame), AVIF or TIFF. */
  readonly from: (value: T) => Uint8Array | null | undefined;
  /** Name of the field that is added. */
  readonly as: As;
  /** Width of the output in pixels. */
  readonly width: number;
  /** Height of the output in pixels. */
  readonly height: number;
  /** How to fit an image with another aspect ratio: `cover` crops it (default), `contain` adds black bars, `fill` stretches it. */
  readonly fit?: DecoderOptions['fit'];
  /** `rgb` (default) or `grey`, with one channel. */
  readonly colour?: DecoderOptions['colour'];
  /** `nchw` by default: a plane a channel, as PyTorch has it; `nhwc`: the channels of a pixel side by side, as TensorFlow. */
  readonly layout?: PixelLayout;
  /** Per channel, of values from 0 to 1; it is subtracted (default: 0). */
  readonly mean?: readonly number[];
  /** Per channel; the difference is divided by it. 1 by default. */
  readonly std?: readonly number[];
  /** Larger files are refused (default: 20 MB). */
  readonly bytesMax?: number;
  /** Images with more pixels are refused, however small their file is (default: 50 million). */
  readonly pixelsMax?: number;
  /** Images that a task decodes concurrently (default: 4, the threads of Node's pool). */
  readonly concurrencyMax?: number;
  /** About how many records of a task are in flight; each holds its pixels (default: 128). */
  readonly inFlightMax?: number;
}

/**
 * Decodes an image, makes it upright by its EXIF orientation, resizes it, and adds its pixels as a tensor of floats:
 * `[channels, height, width]` or `[height, width, channels]`, each number `(byte / 255 - mean) / std`.
 *
 * It uses `sharp` (libvips, Lanczos), which you install: `npm install sharp`. Colours become sRGB with 8 bits, and transparent pixels black.
 * With the same version of `sharp` a replay gives the same numbers; another version may decode or resize slightly differently.
 *
 * It turns the cache of `sharp` off for the whole process, and sets it to one thread per image, because images are decoded in parallel.
 *
 * A value that is not an image of these formats, is truncated, or exceeds the limits becomes a dead letter (`image`). Errors:
 * `MillraceError('config')` when the task opens, if `sharp` is not installed.
 *
 * Memory: `inFlightMax` records with their pixels, at most twice, and a decoded image of `pixelsMax` for each of `concurrencyMax`.
 *
 * @example
 * photos.via('pixels', decodeImage({
 *   from: (p) => p.jpeg, as: 'pixels', width: 224, height: 224,
 *   mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225],
 * }));
 */
export function decodeImage<T, const As extends string>(
  options: DecodeImageOptions<T, As>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: Tensor<Float32Array> }>> {
  requireOptions('decodeImage', options);
  const { from, as, ...given } = options;
  const { mean, std, layout, concurrencyMax, inFlightMax, ...decoding } = withDefaults(given);
  return {
    kind: 'decodeImage',
    settings: { as, ...decoding, layout, mean: mean.join(', '), std: std.join(', '), concurrencyMax, inFlightMax },
    problems: [...optionProblems('decodeImage', options), ...problemsOf(withDefaults(given))],
    shape: {
      shape: 'batched',
      inFlightMax,
      async open({ step }, { progress }) {
        const decode = await openDecoder(step, decoding);
        const scale = pixelScale(mean, std);
        const withPixels = fieldAdder(as);
        const answerTo = async (image: Uint8Array | null | undefined, value: unknown): Promise<unknown> => {
          const bytes = await decode(image);
          progress();
          return bytes instanceof RowFailure ? bytes : withPixels(value, pixelTensor(bytes, decoding, scale, layout));
        };
        return {
          async onBatch(values, origins) {
            const images = makeOfEach(step, values as readonly T[], origins, from);
            return await inOrder(images, concurrencyMax, (image, at) => answerTo(image, values[at]));
          },
        };
      },
    },
  };
}

type Settled = Required<Omit<DecodeImageOptions<never, string>, 'from' | 'as'>>;

function withDefaults({
  width,
  height,
  fit = 'cover',
  colour = 'rgb',
  layout = 'nchw',
  mean = channelsOf(colour).map(() => 0),
  std = channelsOf(colour).map(() => 1),
  bytesMax = 20_000_000,
  pixelsMax = 50_000_000,
  concurrencyMax = 4,
  inFlightMax = 128,
}: Omit<DecodeImageOptions<never, string>, 'from' | 'as'>): Settled {
  return { width, height, fit, colour, layout, mean, std, bytesMax, pixelsMax, concurrencyMax, inFlightMax };
}

const channelsOf = (colour: Settled['colour']): readonly string[] =>
  colour === 'grey' ? ['grey'] : ['red', 'green', 'blue'];

/** Answers to all values in their order, so many under way at a time. */
async function inOrder<T>(
  values: readonly T[],
  concurrencyMax: number,
  answerTo: (value: T, at: number) => Promise<unknown>,
): Promise<readonly unknown[]> {
  const answers = new Array<unknown>(values.length);
  const waiting = values.entries();
  const work = async () => {
    for (const [at, value] of waiting) answers[at] = await answerTo(value, at);
  };
  await Promise.all(Array.from({ length: concurrencyMax }, work));
  return answers;
}

function problemsOf(settled: Settled): Problem[] {
  const problems: Problem[] = [];
  for (const name of ['width', 'height', 'bytesMax', 'pixelsMax', 'concurrencyMax', 'inFlightMax'] as const) {
    if (!Number.isSafeInteger(settled[name]) || settled[name] < 1)
      problems.push({ message: `${name} is ${settled[name]}`, hint: 'give a whole number, from 1' });
  }
  const channels = channelsOf(settled.colour);
  for (const name of ['mean', 'std'] as const) {
    const numbers = settled[name];
    if (
      numbers.length !== channels.length ||
      !numbers.every((number) => Number.isFinite(number) && (name === 'mean' || number > 0))
    )
      problems.push({
        message: `${name} is ${numbers.join(', ')}`,
        hint: `give a number for each channel: ${channels.join(', ')}`,
      });
  }
  return problems;
}

/** Order of the axes, in the words of model exporters; `n`, the batch, is added when rows are scored together. */
export type PixelLayout = 'nchw' | 'nhwc';

/** What each byte of each channel becomes: `(byte / 255 - mean) / std`, worked out once. */
export type PixelScale = readonly Float32Array[];

/** One table of 256 numbers a channel. */
const pixelScale = (mean: readonly number[], std: readonly number[]): PixelScale =>
  mean.map((mean, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / (std[channel] as number)),
  );

/** Interleaved bytes (`height` rows of `width` pixels, a byte a channel) as a tensor of floats. */
function pixelTensor(
  bytes: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  scale: PixelScale,
  layout: PixelLayout,
): Tensor<Float32Array> {
  const channels = scale.length;
  const pixels = width * height;
  const data = new Float32Array(pixels * channels);
  // Where a pixel and where a channel of it lie: side by side, or a plane apart.
  const [ofPixel, ofChannel] = layout === 'nhwc' ? [channels, 1] : [1, pixels];
  for (const [channel, table] of scale.entries()) {
    let to = channel * ofChannel;
    for (let from = channel; from < bytes.length; from += channels, to += ofPixel)
      data[to] = table[bytes[from] as number] as number;
  }
  return { shape: layout === 'nhwc' ? [height, width, channels] : [channels, height, width], data };
}
