import type { Tensor } from '../../core/index.js';

/** Order of the axes, in the words of model exporters; `n`, the batch, is added when rows are scored together. */
export type PixelLayout = 'nchw' | 'nhwc';

/** What each byte of each channel becomes: `(byte / 255 - mean) / std`, worked out once. */
export type PixelScale = readonly Float32Array[];

/** One table of 256 numbers a channel. */
export const pixelScale = (mean: readonly number[], std: readonly number[]): PixelScale =>
  mean.map((mean, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / (std[channel] ?? 1)),
  );

/** Interleaved bytes (`height` rows of `width` pixels, a byte a channel) as a tensor of floats. */
export function pixelTensor(
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
