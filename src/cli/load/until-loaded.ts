import { writeSync } from 'node:fs';
import { MillraceError } from '../../core/errors.js';
import { printable } from '../../util/printable.js';
import { exitCodes, reportError } from '../../util/terminal.js';
import { placeOf } from './place.js';

/**
 * Loads a file of the user's, which may end the process meanwhile: by `process.exit`, or by a promise that never settles, with which
 * nothing is left to do. Node would end with 0 in both cases, and the command would seem to have succeeded.
 *
 * @throws MillraceError `config` that names the file, where it waits for ever. After `process.exit` the error can only be printed.
 */
export async function untilLoaded<T>(file: string, path: string, load: () => Promise<T>): Promise<T> {
  let fail = (_: MillraceError) => {};
  const stuck = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const onNothingLeft = () =>
    fail(
      new MillraceError('config', 'a top-level `await` never settles', {
        where: file,
        hint: 'it waits for a promise that nothing resolves: await what ends, or leave the `await` out',
      }),
    );
  const onExit = (code: number) => {
    if (code !== exitCodes.ok) return; // a failure already
    reportError(synchronous, exits(placeOf(new Error(), file, path)));
    process.exitCode = exitCodes.failed;
  };
  process.once('beforeExit', onNothingLeft);
  process.once('exit', onExit);
  try {
    return await Promise.race([load(), stuck]);
  } finally {
    process.off('beforeExit', onNothingLeft);
    process.off('exit', onExit);
  }
}

const exits = (where: string) =>
  new MillraceError('config', 'the file ends the process while it is loaded', {
    where,
    hint: 'leave process.exit out: a file only declares what the command works with',
  });

/** Nothing asynchronous runs any more. */
const synchronous = {
  out: (text: string) => void writeSync(process.stdout.fd, printable(text)),
  err: (text: string) => void writeSync(process.stderr.fd, printable(text)),
};
