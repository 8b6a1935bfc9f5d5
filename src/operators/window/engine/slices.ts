import type { SlicedSpec } from '../spec.js';

/**
 * How sliced windows lie in time. Slices are numbered from `offset`; a window is named by its first slice. All windows
 * begin at multiples of `step` slices and are `perWindow` slices long.
 */
export interface Slices {
  readonly sliceMs: number;
  readonly perWindow: number;
  readonly step: number;
  readonly offsetMs: number;
}

/** The longest slices that windows of this kind share. */
export function slicesOf({ size, every, offset }: SlicedSpec): Slices {
  const sliceMs = greatestCommonDivisor(size, every);
  return { sliceMs, perWindow: size / sliceMs, step: every / sliceMs, offsetMs: offset };
}

export const sliceAt = ({ sliceMs, offsetMs }: Slices, timeMs: number): number =>
  Math.floor((timeMs - offsetMs) / sliceMs);

export const startOf = ({ sliceMs, offsetMs }: Slices, slice: number): number => slice * sliceMs + offsetMs;

/** Where the window ends that begins with a slice. */
export const endOf = (slices: Slices, window: number): number => startOf(slices, window + slices.perWindow);

/** The earliest window that holds a slice, and the last. */
export const firstWindow = ({ perWindow, step }: Slices, slice: number): number =>
  step * (Math.floor((slice - perWindow) / step) + 1);
export const lastWindow = ({ step }: Slices, slice: number): number => step * Math.floor(slice / step);

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
