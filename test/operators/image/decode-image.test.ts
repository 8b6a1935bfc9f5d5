import sharp from 'sharp';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type RowFailure, type Source, type StepContext, sizeOf, type Tensor } from '../../../src/core/index.js';
import { type DecodeImageOptions, decodeImage } from '../../../src/operators/image/decode-image.js';
import { imageFormatOf } from '../../../src/operators/image/decoder.js';
import { type Stream, topology } from '../../../src/topology/topology.js';

interface Photo {
  readonly file: Uint8Array | null;
}
type Options = Partial<DecodeImageOptions<Photo, 'pixels'>>;
const options = { from: (p: Photo) => p.file, as: 'pixels', width: 2, height: 2 } as const;

/** What becomes of some files, and how often the step said that it gets on. */
async function decoded(files: readonly (Uint8Array | null)[], changes: Options = {}) {
  const { shape } = decodeImage({ ...options, ...changes });
  if (shape.shape !== 'batched') throw new Error('decodeImage is a batched operator');
  let steps = 0;
  const logic = await shape.open({} as StepContext, { progress: () => steps++ } as never);
  const answers = await logic.onBatch(
    files.map((file) => ({ file })),
    [],
  );
  return { answers, steps };
}

async function pixelsOf(file: Uint8Array, changes: Options = {}): Promise<Tensor<Float32Array>> {
  const { answers } = await decoded([file], changes);
  const { pixels } = answers[0] as { readonly pixels: Tensor<Float32Array> };
  expect(pixels.data).toHaveLength(sizeOf(pixels.shape));
  return pixels;
}

/** A picture of single pixels: `R` red, `G` green, `B` blue, `.` black, `#` white, ` ` transparent. */
const picture = (...rows: readonly string[]) => {
  const colours: Readonly<Record<string, readonly number[]>> = {
    R: [255, 0, 0, 255],
    G: [0, 255, 0, 255],
    B: [0, 0, 255, 255],
    '.': [0, 0, 0, 255],
    '#': [255, 255, 255, 255],
    ' ': [255, 255, 255, 0],
  };
  const bytes = rows.flatMap((row) => [...row].flatMap((colour) => colours[colour] ?? []));
  return sharp(Uint8Array.from(bytes), { raw: { width: rows[0]?.length ?? 0, height: rows.length, channels: 4 } });
};
const square = () => picture('RG', 'B#');
/** The planes of a tensor as rows of digits. */
const planes = ({ shape, data }: Tensor<Float32Array>) =>
  Array.from({ length: shape[0] ?? 0 }, (_, plane) => {
    const size = sizeOf(shape.slice(1));
    return Array.from(data.subarray(plane * size, (plane + 1) * size)).join('');
  });

describe('decodeImage', () => {
  test('gives the pixels of a picture, plane by plane', async () => {
    const pixels = await pixelsOf(await square().png().toBuffer());
    expect(pixels.shape).toEqual([3, 2, 2]);
    expect(planes(pixels)).toEqual(['1001', '0101', '0011']);
  });

  test('or channel by channel', async () => {
    const pixels = await pixelsOf(await square().png().toBuffer(), { layout: 'nhwc' });
    expect(pixels.shape).toEqual([2, 2, 3]);
    expect([...pixels.data]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('subtracts the mean of a channel and divides by its deviation', async () => {
    const [mean, std] = [
      [0.5, 0.25, 0],
      [0.5, 1, 4],
    ];
    const { data } = await pixelsOf(await square().png().toBuffer(), { mean, std, width: 2, height: 2 });
    expect([...data]).toEqual([1, -1, -1, 1, -0.25, 0.75, -0.25, 0.75, 0, 0, 0.25, 0.25]);
  });

  test('makes one channel of grey, whatever the picture had', async () => {
    const of = await Promise.all([square().png().toBuffer(), square().greyscale().png().toBuffer()]);
    const [coloured, grey] = await Promise.all(of.map((file) => pixelsOf(file, { colour: 'grey' })));
    expect(coloured?.shape).toEqual([1, 2, 2]);
    expect(coloured?.data).toEqual(grey?.data);
    expect(coloured?.data[3]).toBe(1);
    expect(coloured?.data[1]).toBeGreaterThan(coloured?.data[2] as number); // green is brighter than blue
    expect((await pixelsOf(of[1] as Buffer)).shape).toEqual([3, 2, 2]);
  });

  test('turns a picture as its camera was held', async () => {
    const upright = await square().png().toBuffer();
    // Orientation 6: to be turned by 90 degrees to the right, so it was stored turned to the left.
    const turned = await square().removeAlpha().rotate(270).withMetadata({ orientation: 6 }).png().toBuffer();
    expect(await sharp(turned).metadata()).toMatchObject({ orientation: 6 });
    expect(await pixelsOf(turned)).toEqual(await pixelsOf(upright));
  });

  test.each([
    ['cover', ['RRRR', 'RRRR'], '11111111'],
    ['fill', ['GRRG', 'GRRG'], undefined],
    ['contain', ['RR', 'RR', 'RR', 'RR'], undefined],
  ] as const)('%s: gives every picture its size', async (fit, rows, red) => {
    const pixels = await pixelsOf(
      await picture(...rows)
        .png()
        .toBuffer(),
      { fit, width: 4, height: 2 },
    );
    expect(pixels.shape).toEqual([3, 2, 4]);
    if (red !== undefined) expect(planes(pixels)[0]).toBe(red);
    if (fit === 'contain') expect(planes(pixels)[0]).toMatch(/^0.*0$/);
  });

  test('takes what is transparent for black', async () => {
    const pixels = await pixelsOf(await picture('  ', '##').png().toBuffer());
    expect(planes(pixels)).toEqual(['0011', '0011', '0011']);
  });

  test('reads every format, and 16 bits', async () => {
    const flat = () => sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 200, g: 100, b: 50 } } });
    const files = await Promise.all([
      flat().jpeg().toBuffer(),
      flat().webp().toBuffer(),
      flat().gif().toBuffer(),
      flat().avif().toBuffer(),
      flat().tiff().toBuffer(),
      flat().toColourspace('rgb16').png().toBuffer(),
    ]);
    expect(files.map(imageFormatOf)).toEqual(['jpeg', 'webp', 'gif', 'avif', 'tiff', 'png']);
    for (const file of files) {
      const { data } = await pixelsOf(file);
      for (const [i, number] of data.entries()) expect(number * 255).toBeCloseTo([200, 100, 50][i >> 2] as number, -1);
    }
  });

  test('gives the same bits for the same file, alone and beside others', async () => {
    const file = await sharp({
      create: {
        width: 300,
        height: 200,
        channels: 3,
        background: '#456',
        noise: { type: 'gaussian', mean: 128, sigma: 40 },
      },
    })
      .jpeg()
      .toBuffer();
    const alone = await pixelsOf(file, { width: 64, height: 64 });
    const { answers, steps } = await decoded(new Array(20).fill(file), { width: 64, height: 64 });
    expect(steps).toBe(20);
    for (const answer of answers) {
      const { data } = (answer as { readonly pixels: Tensor<Float32Array> }).pixels;
      expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(alone.data.buffer))).toBe(0);
    }
  });

  test('sends what is no image to the dead letters, says why, and decodes the others', async () => {
    const good = await square().png().toBuffer();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>');
    const jpeg = await sharp({ create: { width: 200, height: 200, channels: 3, background: '#456' } })
      .jpeg()
      .toBuffer();
    const bomb = await sharp({ create: { width: 4_000, height: 4_000, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    const files = [
      good,
      null,
      new Uint8Array(),
      Buffer.from('hello'),
      svg,
      jpeg.subarray(0, jpeg.length / 2),
      bomb,
      good.subarray(0, 40),
      Buffer.concat([good, new Uint8Array(100_000)]),
      good,
    ];
    const { answers } = await decoded(files, { pixelsMax: 1_000_000, bytesMax: 90_000 });
    expect(bomb.length).toBeLessThan(90_000);
    const reasons = answers.map((answer) => (answer as Partial<RowFailure>).detail);
    expect(reasons).toEqual([
      undefined,
      'there is no image',
      'there is no image',
      'the file is none of jpeg, png, webp, gif, avif, tiff',
      'the file is none of jpeg, png, webp, gif, avif, tiff',
      // libvips keeps the errors of all threads in one text, so another file may have the end of it.
      expect.stringMatching(/premature end|corrupt header/i),
      expect.stringMatching(/exceeds pixel limit/),
      expect.any(String),
      expect.stringMatching(/^the file has \d+ bytes, more than 90000$/),
      undefined,
    ]);
    expect(answers[1]).toMatchObject({ reason: 'image' });
  });

  test('lives through files that only begin like images', async () => {
    const files = await Promise.all([
      square().png().toBuffer(),
      square().jpeg().toBuffer(),
      square().webp().toBuffer(),
      square().gif().toBuffer(),
      square().tiff().toBuffer(),
    ]);
    const broken = files.flatMap((file) =>
      Array.from({ length: 40 }, (_, seed) => {
        const copy = Uint8Array.from(file);
        for (let i = 0; i < 3; i++) copy[12 + ((seed * 31 + i * 17) % (copy.length - 12))] = (seed * 91 + i * 57) % 256;
        return copy;
      }),
    );
    const { answers } = await decoded(broken);
    expect(answers).toHaveLength(200);
    for (const answer of answers) {
      const { reason, pixels } = answer as Partial<RowFailure> & { readonly pixels?: Tensor };
      expect(reason === 'image' || pixels?.data.length === 12).toBe(true);
    }
  });

  test('finds its own mistakes before it runs, and says what it is', () => {
    expect(decodeImage(options).problems).toEqual([]);
    const wrong = decodeImage({ ...options, width: 0, height: 1.5, mean: [0.5], std: [1, 0, 1], pixelsMax: -1 });
    expect(wrong.problems?.map(({ message }) => message)).toEqual([
      'width is 0',
      'height is 1.5',
      'pixelsMax is -1',
      'mean is 0.5',
      'std is 1, 0, 1',
    ]);
    expect(decodeImage({ ...options, colour: 'grey' }).settings).toEqual({
      as: 'pixels',
      width: 2,
      height: 2,
      fit: 'cover',
      colour: 'grey',
      layout: 'nchw',
      mean: '0',
      std: '1',
      bytesMax: 20_000_000,
      pixelsMax: 50_000_000,
      concurrencyMax: 4,
      inFlightMax: 128,
    });
  });
});

declare const source: Source<{ readonly jpeg: Uint8Array }>;

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters: undefined as never }, (t) => {
    const photos = t.source('photos', source);
    const size = { width: 8, height: 8 };
    const pixels = photos.via('pixels', decodeImage({ from: (p) => p.jpeg, as: 'pixels', ...size }));
    expectTypeOf(pixels).toExtend<Stream<{ readonly jpeg: Uint8Array; readonly pixels: Tensor<Float32Array> }>>();
    // @ts-expect-error the name is taken
    pixels.via('again', decodeImage({ from: (p) => p.jpeg, as: 'pixels', ...size }));
    // @ts-expect-error no such field
    photos.via('wrong', decodeImage({ from: (p) => p.png, as: 'pixels', ...size }));
    // @ts-expect-error no such order of axes
    photos.via('odd', decodeImage({ from: (p) => p.jpeg, as: 'pixels', ...size, layout: 'chwn' }));
  });

test('types flow through decodeImage', () => {
  expectTypeOf(proveTypes).toBeFunction();
});
