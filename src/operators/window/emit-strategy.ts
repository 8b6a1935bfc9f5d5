import { type Duration, formatDuration } from '../../core/index.js';

declare const EMITS: unique symbol;

/** When results are emitted, as inert data. `Form` says whether they are final rows, or changes of rows. */
export interface EmitStrategy<out Form extends 'row' | 'change'> {
  readonly kind: 'on-close' | 'early' | 'on-update';
  readonly every: number;
  readonly [EMITS]?: Form;
}

/**
 * One final row per window. It is emitted when the watermark has passed the end of the window by `allowedLateness`.
 *
 * @example onClose();
 */
export const onClose = (): EmitStrategy<'row'> => Object.freeze({ kind: 'on-close', every: 0 });

/**
 * Changes: the current result of a window at every interval of event time and at its end, and a correction for each late record at once. If
 * `every` is the size of the window, results are emitted at the end and with each correction.
 *
 * @example onInterval({ every: minutes(1) });
 */
export const onInterval = ({ every }: { readonly every: Duration }): EmitStrategy<'change'> =>
  Object.freeze({ kind: 'early', every });

/**
 * A change for every record, at once.
 *
 * @example onUpdate();
 */
export const onUpdate = (): EmitStrategy<'change'> => Object.freeze({ kind: 'on-update', every: 0 });

/** The text in `describe`. */
export function emitStrategyText({ kind, every }: EmitStrategy<'row' | 'change'>): string {
  if (kind === 'on-close') return 'on close';
  return kind === 'early' ? `early every ${formatDuration(every as Duration)}` : 'on update';
}
