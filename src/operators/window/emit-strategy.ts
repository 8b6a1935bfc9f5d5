import { type Duration, formatDuration } from '../../core/index.js';

declare const EMITS: unique symbol;

/** When results are emitted, as inert data; `Form` is what is: rows that are final, or changes of rows that are not. */
export interface EmitStrategy<out Form extends 'row' | 'change'> {
  readonly kind: 'on-close' | 'early' | 'on-update';
  readonly every: number;
  readonly [EMITS]?: Form;
}

/**
 * One row a window, and never another: emitted when the window can change no more, that is when the watermark has passed its
 * end by `allowedLateness`.
 *
 * @example onClose();
 */
export const onClose = (): EmitStrategy<'row'> => Object.freeze({ kind: 'on-close', every: 0 });

/**
 * Changes: what a window holds so far, every so often in event time; what it holds at its end; and each correction by a late
 * record at once. Where `every` is the window's size, that is at the end and with every correction.
 *
 * @example onInterval({ every: minutes(1) });
 */
export const onInterval = ({ every }: { readonly every: Duration }): EmitStrategy<'change'> =>
  Object.freeze({ kind: 'early', every });

/**
 * A change with every record, at once.
 *
 * @example onUpdate();
 */
export const onUpdate = (): EmitStrategy<'change'> => Object.freeze({ kind: 'on-update', every: 0 });

/** How it reads in `describe`. */
export function emitStrategyText({ kind, every }: EmitStrategy<'row' | 'change'>): string {
  if (kind === 'on-close') return 'on close';
  return kind === 'early' ? `early every ${formatDuration(every as Duration)}` : 'on update';
}
