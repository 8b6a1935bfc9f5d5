import { open } from 'node:fs/promises';

/** A file with random access. */
export interface RandomAccess {
  readonly size: number;
  /** The bytes from `start` to `end`, exclusive. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export type OpenRandom = (path: string) => Promise<RandomAccess>;

/** A file of this machine. */
export const openRandomFile: OpenRandom = async (path) => {
  const file = await open(path, 'r');
  const { size } = await file.stat();
  return {
    size,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      await file.read(bytes, 0, bytes.length, start);
      return bytes;
    },
    close: () => file.close(),
  };
};
