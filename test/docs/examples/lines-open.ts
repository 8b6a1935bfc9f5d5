import { appendFile } from 'node:fs/promises';
import { MillraceError } from '../../../src/core/errors.js';
import type { SinkDriver } from '../../../src/core/io.js';
import type { LinesOptions } from './lines.js';

/**
 * The driver of `lines.sink`. Writes are kept until the epoch ends and appended in one call: a crash after that and before
 * the checkpoint writes them again, so the guarantee is at-least-once. Memory: the lines of one epoch.
 */
export function linesSink(): SinkDriver {
  return {
    mode: 'append',
    async open(sink, { step }) {
      const { file } = sink.options as LinesOptions;
      let waiting: string[] = [];
      return {
        write(values) {
          for (const value of values) waiting.push(`${JSON.stringify(value)}\n`);
        },
        async prepare() {
          const text = waiting.join('');
          waiting = [];
          if (text === '') return;
          try {
            await appendFile(file, text);
          } catch (cause) {
            const hint = 'does its folder exist, and may this process write there?';
            throw new MillraceError('sink', `cannot append to ${file}`, { where: step, hint, cause });
          }
        },
        close: async () => {
          waiting = [];
        },
      };
    },
  };
}
