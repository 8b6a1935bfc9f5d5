/** The error codes. `millrace` exits with them, tests match on them, and the guide lists them. */
export type ErrorCode =
  | 'config' // what the user wrote: a topology, an option, a configuration file
  | 'schema' // a schema that cannot be found, read or agreed upon
  | 'source' // reading an input failed
  | 'sink' // writing an output failed
  | 'lookup' // a store that records are enriched from does not answer
  | 'state' // a checkpoint that cannot be read or does not fit the topology
  | 'fenced' // another process owns the task now
  | 'model' // a model that cannot be loaded or does not fit its features
  | 'inference' // workers that score keep dying or hanging
  | 'step' // an operator threw
  | 'internal'; // a broken invariant of Millrace itself

/** The details of a `MillraceError` besides its code and message. */
export interface ErrorDetails {
  /** Where it happened: a step id, an option, a file. */
  readonly where?: string;
  /** What the reader can do. */
  readonly hint?: string;
  /** A retry fails in the same way until somebody changes something. */
  readonly permanent?: boolean;
  readonly cause?: unknown;
}

/** Every error that Millrace raises on purpose: a code, what happened, where, and what to do. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly permanent: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
    this.permanent = details.permanent ?? false;
  }
}

/** A topic does not take a record of this size: whoever sent it must send less, and a repetition will not help. */
export class TooLarge extends MillraceError {}

/** Throws on a broken invariant, in production too, because going on would write wrong results. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new MillraceError('internal', message);
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The message with its location in one line; the location is left out if it equals `said`. */
export function placedMessageOf(error: unknown, said?: string): string {
  const where = error instanceof MillraceError ? error.where : undefined;
  const message = messageOf(error);
  return where === undefined || where === said || message.includes(where) ? message : `${message} (${where})`;
}
