import { type Duration, formatDuration, type Problem } from '../../core/index.js';

/** Windows that consist of slices of equal length. Overlapping windows share slices. */
export interface SlicedSpec {
  readonly kind: 'tumbling' | 'hopping';
  readonly size: number;
  readonly every: number;
  readonly offset: number;
}
export interface SessionSpec {
  readonly kind: 'session';
  readonly gap: number;
}
export interface SlidingSpec {
  readonly kind: 'sliding';
  readonly size: number;
}
export interface CountingSpec {
  readonly kind: 'counting';
  readonly records: number;
}

/** A kind of window, as inert data. */
export type WindowSpec = SlicedSpec | SessionSpec | SlidingSpec | CountingSpec;

/** The start of windows with a fixed size. */
export interface AlignmentOptions {
  /** The start of windows relative to midnight UTC of 1 January 1970: `hours(-1)` for days in UTC+1. */
  readonly offset?: Duration;
}

/**
 * Windows of a fixed size without overlap: `[0, size)`, `[size, 2 size)` and so on. A record is in exactly one.
 *
 * @example tumbling(minutes(5));
 */
export const tumbling = (size: Duration, { offset = 0 as Duration }: AlignmentOptions = {}): SlicedSpec =>
  Object.freeze({ kind: 'tumbling', size, every: size, offset });

/**
 * Overlapping windows of a fixed size, one per `every`: a record is in `size / every` of them (Flink: sliding window).
 *
 * Windows share slices, so the cost of a record does not depend on their number. A result of a key costs two merges, not one per slice.
 * With changes (`onInterval`, `onUpdate`) a record causes a change in each of its windows.
 *
 * @example hopping({ size: hours(1), every: minutes(1) });
 */
export const hopping = ({
  size,
  every,
  offset = 0 as Duration,
}: { readonly size: Duration; readonly every: Duration } & AlignmentOptions): SlicedSpec =>
  Object.freeze({ kind: 'hopping', size, every, offset });

/**
 * Windows of activity: records of a key with less than `gap` between them are in one session. It starts at its first record and ends `gap`
 * after its last one. A record between two open sessions merges them.
 *
 * @example session({ gap: minutes(30) });
 */
export const session = ({ gap }: { readonly gap: Duration }): SessionSpec => Object.freeze({ kind: 'session', gap });

/**
 * One window per record: the records of its key in the `size` before it, with the record itself and others of the same millisecond. There is
 * one result for each millisecond in which the key has a record.
 *
 * A result costs one merge for each such millisecond in the window.
 *
 * @example sliding(minutes(10));
 */
export const sliding = (size: Duration): SlidingSpec => Object.freeze({ kind: 'sliding', size });

/**
 * Windows of a number of records of a key, in the order in which the task processes them. An incomplete window is not emitted.
 *
 * @example counting(100);
 */
export const counting = (records: number): CountingSpec => Object.freeze({ kind: 'counting', records });

/** The text in `describe`. */
export function textOf(spec: WindowSpec): string {
  const offset = isSliced(spec) && spec.offset !== 0 ? ` offset ${spec.offset} ms` : '';
  switch (spec.kind) {
    case 'tumbling':
      return `tumbling ${formatDuration(spec.size as Duration)}${offset}`;
    case 'hopping':
      return `hopping ${formatDuration(spec.size as Duration)} every ${formatDuration(spec.every as Duration)}${offset}`;
    case 'session':
      return `session gap ${formatDuration(spec.gap as Duration)}`;
    case 'sliding':
      return `sliding ${formatDuration(spec.size as Duration)}`;
    case 'counting':
      return `counting ${spec.records}`;
  }
}

export const isSliced = (spec: WindowSpec): spec is SlicedSpec => spec.kind === 'tumbling' || spec.kind === 'hopping';

/** The maximum length of a window; infinite if it depends on records. */
export function specProblems(spec: WindowSpec): Problem[] {
  const wrong = (message: string, hint: string): Problem[] => [{ message, hint }];
  const isLength = (ms: number) => Number.isInteger(ms) && ms > 0;
  switch (spec.kind) {
    case 'tumbling':
    case 'hopping':
      if (!isLength(spec.size) || !isLength(spec.every) || !Number.isInteger(spec.offset))
        return wrong(
          `windows of ${spec.size} ms every ${spec.every} ms from ${spec.offset} ms`,
          'give whole milliseconds, and lengths above 0',
        );
      return spec.every > spec.size
        ? wrong(
            `windows of ${spec.size} ms every ${spec.every} ms leave records out`,
            'let `every` be at most `size`, and filter what no window should hold',
          )
        : [];
    case 'session':
      return isLength(spec.gap)
        ? []
        : wrong(`sessions with a gap of ${spec.gap} ms`, 'give whole milliseconds above 0');
    case 'sliding':
      return isLength(spec.size) ? [] : wrong(`sliding windows of ${spec.size} ms`, 'give whole milliseconds above 0');
    case 'counting':
      return isLength(spec.records) ? [] : wrong(`windows of ${spec.records} records`, 'give a positive integer');
    default: // typed code cannot give it
      return wrong('window is no kind of window', 'give a kind with its length, such as tumbling(hours(1))');
  }
}
