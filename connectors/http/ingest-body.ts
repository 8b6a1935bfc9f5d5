/** Bytes that are looked at before others get a turn of the loop. */
const TURN_BYTES = 256 * 1024;
/** Values can be nested more deeply than they can be written again. */
const DEPTH_MAX = 1_000;

const LINE_FEED = 0x0a;
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The records of a body as views of it, one by one; `undefined` where others should get their turn of the loop. */
export type RecordTexts = Generator<Buffer | undefined, void>;

/** A body that is no JSON, or JSON that nobody can write again. */
export class NotJson extends Error {}

/** The lines of NDJSON, without those that are blank. */
export function* linesOf(body: Buffer): RecordTexts {
  for (let from = 0, turn = 0; ; ) {
    while (from < body.length && isBlank(body[from] as number)) from++; // blank lines, and what a line begins with
    if (from === body.length) return;
    const found = body.indexOf(LINE_FEED, from);
    const end = found < 0 ? body.length : found;
    yield trimmed(body, from, end);
    from = end;
    if (from - turn < TURN_BYTES) continue;
    turn = from;
    yield undefined;
  }
}

/**
 * The values of a list, or the one value that is no list, as they were written. What is between their boundaries is not
 * looked at: their decoder does that.
 *
 * @throws NotJson where the boundaries cannot be found.
 */
export function* valuesOf(body: Buffer): RecordTexts {
  const whole = trimmed(body, 0, body.length);
  const isList = whole[0] === LIST;
  let [depth, from, inText, count, turn] = [0, 1, false, 0, 0];
  for (let at = 0; at < whole.length; at++) {
    if (at - turn >= TURN_BYTES) {
      turn = at;
      yield undefined;
    }
    const byte = whole[at] as number;
    if (inText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === LIST || byte === OBJECT) {
      if (++depth > DEPTH_MAX) throw new NotJson(`nested deeper than ${DEPTH_MAX}`);
    } else if (byte === LIST_END || byte === OBJECT_END) {
      if (--depth === 0 && isList && (byte === OBJECT_END || at < whole.length - 1))
        throw new NotJson('a list ends early');
    } else if (byte === COMMA && depth === 1 && isList) {
      yield element(whole, from, at);
      count++;
      from = at + 1;
    }
  }
  if (depth !== 0 || inText) throw new NotJson('it ends too early');
  if (!isList) yield whole;
  else if (count > 0 || trimmed(whole, from, whole.length - 1).length > 0) yield element(whole, from, whole.length - 1);
}

function element(bytes: Buffer, from: number, to: number): Buffer {
  const found = trimmed(bytes, from, to);
  if (found.length === 0) throw new NotJson('a list with nothing between two commas');
  return found;
}

function trimmed(bytes: Buffer, from: number, to: number): Buffer {
  let [start, end] = [from, to];
  while (start < end && isBlank(bytes[start] as number)) start++;
  while (end > start && isBlank(bytes[end - 1] as number)) end--;
  return bytes.subarray(start, end);
}

const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
