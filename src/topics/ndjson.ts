import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { MillraceError, messageOf } from '../core/errors.js';

export interface NumberedValue {
  /** From 1, as editors count. */
  readonly line: number;
  readonly value: unknown;
}

/**
 * The values of newline-delimited JSON, one by one; blank lines are skipped. Memory: one line.
 *
 * @throws MillraceError `config` with the number of the line that is not JSON.
 */
export async function* readNdjson(input: Readable): AsyncGenerator<NumberedValue> {
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    try {
      yield { line, value: JSON.parse(text) };
    } catch (cause) {
      throw new MillraceError('config', `not JSON: ${messageOf(cause)}`, {
        where: `line ${line}`,
        hint: 'give one JSON value per line',
        cause,
      });
    }
  }
}
