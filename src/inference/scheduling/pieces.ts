import { cutSpans, type Span } from './calls.js';
import type { Layout } from './layout.js';

/** A batch before it is filled: new, or to be filled again. */
export interface Piece {
  readonly bucket: number;
  readonly layout: Layout;
  readonly spans: readonly Span[];
  readonly rows: number;
  /** How long the first of its rows had waited when it first left. */
  readonly waitMs: number;
  /** How many workers died at it. */
  readonly deaths: number;
}

/** Deaths after which a batch is halved. */
const HALVED_AFTER = 2;

/** What is sent again of a batch that so many workers died at: all of it, or its halves. */
export function partsOf(lost: Piece, deaths: number): Piece[] {
  const { rows } = lost;
  if (rows === 1 || deaths < HALVED_AFTER) return [part(lost, 0, rows, deaths)];
  const half = Math.ceil(rows / 2);
  return [part(lost, 0, half, HALVED_AFTER - 1), part(lost, half, rows, HALVED_AFTER - 1)];
}

function part(lost: Piece, from: number, to: number, deaths: number): Piece {
  const { bucket, layout, spans, waitMs } = lost;
  return { bucket, layout, spans: cutSpans(spans, from, to), rows: to - from, waitMs, deaths };
}
