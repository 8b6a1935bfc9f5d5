import { appendFile } from 'node:fs/promises';
import { MillraceError } from '../../../src/core/errors.js';
import type { SinkDriver } from '../../../src/core/sink.js';
import type { Lines } from './lines.js';

/**
 * The driver of `lines.sink`. Lines are appended when the epoch ends, or when `linesMax` are waiting: a crash after that and
 * before the checkpoint writes them again, so the guarantee is at-least-once. Memory: `linesMax` lines and one chunk.
 */
export function linesSink(): SinkDriver {
  return {
    mode: 'append',
    async open(sink, { step }) {
      const { file, linesMax } = sink.options as Lines;
      let waiting: string[] = [];
      const append = async () => {
        const text = waiting.join('');
        waiting = [];
        if (text === '') return;
        try {
          await appendFile(file, text);
        } catch (cause) {
          const hint = 'does its folder exist, and may this process write there?';
          throw new MillraceError('sink', `cannot append to ${file}`, { where: step, hint, cause });
        }
      };
      return {
        async write(values) {
          for (const value of values) waiting.push(`${JSON.stringify(value)}\n`);
          if (waiting.length >= linesMax) await append();
        },
        prepare: append,
        close: async () => {
          waiting = [];
        },
      };
    },
  };
}
