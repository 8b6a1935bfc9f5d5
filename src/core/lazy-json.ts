/**
 * A value whose bytes nobody has written: of a source that has values (columns of a file) where others have bytes. Who decodes JSON
 * takes the value; who wants the bytes, such as a dead letter, has them made. Both say the same, to the last digit.
 *
 * What it is made of must not change, and stays in memory as long as it does.
 */
export interface LazyJson {
  /** What `JSON.parse` makes of the bytes, anew each time: who changes it changes nothing else. */
  value(): unknown;
  /** The JSON in UTF-8, as `JSON.stringify` writes the value: made when it is asked for. */
  readonly bytes: Uint8Array;
  /** How many bytes there are at most, without counting them. */
  readonly bytesMax: number;
  /** How many lists and objects lie in each other at most. */
  readonly depthMax: number;
}
