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

/** The layout of a batch of up to `rowsMax` rows of one length in one buffer: input after input, row after row. */
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
    const bytes = region.rowSize * rowsMax * tensorArrays[type].BYTES_PER_ELEMENT;
    byteOffset += Math.ceil(bytes / alignBytes) * alignBytes;
    return region;
  });
  return { rowsMax, byteLength: byteOffset, regions };
}

/** The inputs of a batch as arrays over its buffer. */
export const viewsOf = ({ regions, rowsMax }: Layout, buffer: ArrayBuffer): readonly TensorData[] =>
  regions.map(({ type, rowSize, byteOffset }) => new tensorArrays[type](buffer, byteOffset, rowSize * rowsMax));
