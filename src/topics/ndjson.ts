import type { Readable } from 'node:stream';
import { MillraceError, messageOf } from '../core/errors.js';

export interface NumberedValue {
  /** From 1, as editors count. */
  readonly line: number;
  /** Without white space around it. */
  readonly text: string;
  readonly value: unknown;
}

/**
 * The values of newline-delimited JSON, one by one; blank lines and a byte order mark are passed over. Memory: one line.
 *
 * @throws MillraceError `config` with the number of the line that is not UTF-8 or not JSON.
 */
export async function* readNdjson(input: Readable): AsyncGenerator<NumberedValue> {
  let line = 0;
  for await (const bytes of linesOf(input)) {
    line += 1;
    const text = textOf(bytes, line).trim();
    if (text === '') continue;
    try {
      yield { line, text, value: JSON.parse(text) };
    } catch (cause) {
      throw new MillraceError('config', `not JSON: ${messageOf(cause)}`, {
        where: `line ${line}`,
        hint: 'give one JSON value per line',
        cause,
      });
    }
  }
}

const LINE_FEED = 0x0a;

/** As bytes: a line that is not UTF-8 must be told from one that has replacement characters. */
async function* linesOf(input: Readable): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  for await (const chunk of input) {
    const bytes: Buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      const last = bytes.subarray(start, end);
      yield begun.length === 0 ? last : Buffer.concat([...begun, last]);
      begun = [];
      start = end + 1;
    }
    if (start < bytes.length) begun.push(bytes.subarray(start));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Uint8Array, line: number): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MillraceError('config', 'not UTF-8', {
      where: `line ${line}`,
      hint: 'convert the input first, such as by `iconv -f latin1 -t utf-8`',
      cause,
    });
  }
}
