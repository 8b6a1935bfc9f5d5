import { type ModelInput, sizeOf, type TensorData, tensorArrays } from '../../core/index.js';

/** The range of one input's rows in the buffer of a batch. */
export interface Region {
  readonly name: string;
  readonly type: ModelInput['type'];
  /** The shape and the size of one row. */
  readonly rowShape: readonly number[];
  readonly rowSize: number;
  readonly byteOffset: number;
}

/** The layout of a batch of up to `rowsMax` rows of one length in one buffer: input after input, row after row. Texts are beside it. */
export interface Layout {
  readonly rowsMax: number;
  readonly byteLength: number;
  readonly regions: readonly Region[];
}

/** The size of the largest number: every region begins at a multiple of it. */
const alignBytes = 8;

export function layoutOf(inputs: readonly ModelInput[], length: number, rowsMax: number): Layout {
  let byteOffset = 0;
  const regions = inputs.map(({ name, type, shape }) => {
    const rowShape = shape.map((axis) => axis ?? length);
    const region = { name, type, rowShape, rowSize: sizeOf(rowShape), byteOffset };
    const bytes = type === 'string' ? 0 : region.rowSize * rowsMax * tensorArrays[type].BYTES_PER_ELEMENT;
    byteOffset += Math.ceil(bytes / alignBytes) * alignBytes;
    return region;
  });
  return { rowsMax, byteLength: byteOffset, regions };
}

/** The texts of a batch: an array for each input that has some. */
export type Texts = readonly string[][];

/** The inputs of a batch as arrays over its buffer, and its texts as they are; without any, arrays that grow. */
export function viewsOf({ regions, rowsMax }: Layout, buffer: ArrayBuffer, texts: Texts = []): readonly TensorData[] {
  const left = texts.values();
  return regions.map(({ type, rowSize, byteOffset }) =>
    type === 'string' ? (left.next().value ?? []) : new tensorArrays[type](buffer, byteOffset, rowSize * rowsMax),
  );
}

/** The texts among the inputs of a batch; nothing where all are numbers. */
export function textsIn(views: readonly TensorData[]): Texts | undefined {
  const texts = views.filter((view) => Array.isArray(view));
  return texts.length === 0 ? undefined : texts;
}

/** Some rows of an input: of numbers as a view, of texts as a copy. */
export const partOf = (
  view: TensorData,
  { rowSize }: Pick<Region, 'rowSize'>,
  from: number,
  rows: number,
): TensorData =>
  Array.isArray(view)
    ? view.slice(from * rowSize, (from + rows) * rowSize)
    : view.subarray(from * rowSize, (from + rows) * rowSize);
