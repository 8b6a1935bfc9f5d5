import { type Duration, formatDuration, type Problem } from '../../core/index.js';

/** Windows that are cut into slices of equal length, which those that overlap share. */
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

/** Which records of a key belong together, as inert data. */
export type WindowSpec = SlicedSpec | SessionSpec | SlidingSpec | CountingSpec;

/** Where windows of a fixed size begin. */
export interface AlignmentOptions {
  /** Where windows begin, counted from midnight UTC of 1 January 1970: `hours(-1)` for days of a place one hour ahead. */
  readonly offset?: Duration;
}

/**
 * Windows of one length, one after another: `[0, size)`, `[size, 2 size)` and so on. A record is in exactly one.
 *
 * @example tumbling(minutes(5));
 */
export const tumbling = (size: Duration, { offset = 0 as Duration }: AlignmentOptions = {}): SlicedSpec =>
  Object.freeze({ kind: 'tumbling', size, every: size, offset });

/**
 * Windows of one length of which one begins every so often: each record is in `size / every` of them.
 *
 * They share slices, so a record costs the same however many windows it is in; what is emitted for a key every so often
 * costs two merges, not one for each slice. (Emitting changes costs a change for each window that a record is in.)
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
 * Windows of activity: records of a key less than `gap` apart are in one. It begins at its first record and ends `gap` after
 * its last; a record between two sessions makes them one.
 *
 * @example session({ gap: minutes(30) });
 */
export const session = ({ gap }: { readonly gap: Duration }): SessionSpec => Object.freeze({ kind: 'session', gap });

/**
 * A window behind every record: what a key did in the `size` before it, the record itself and others at its millisecond
 * included. One result for each millisecond at which the key has a record.
 *
 * A result costs a merge for each such millisecond within the window.
 *
 * @example sliding(minutes(10));
 */
export const sliding = (size: Duration): SlidingSpec => Object.freeze({ kind: 'sliding', size });

/**
 * Windows of so many records of a key, in the order in which the task works on them (event time, as far as `outOfOrdernessMax` can
 * tell); a window that has not as many yet is never emitted.
 *
 * @example counting(100);
 */
export const counting = (records: number): CountingSpec => Object.freeze({ kind: 'counting', records });

/** How it reads in `describe`. */
export function textOf(spec: WindowSpec): string {
  const offset = 'offset' in spec && spec.offset !== 0 ? ` offset ${spec.offset} ms` : '';
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

/** The longest that a window can be; infinity where records decide. */
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
  }
}
