#!/usr/bin/env node
import { exitCodes, reportError, type Terminal } from '../util/terminal.js';
import { uncaughtInFile } from './load/uncaught.js';
import { main, printing } from './program.js';

// Who reads the output may have enough of it, as `head` has: that ends the command, and is no failure of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

// Files of the user's run in this process: what they throw by themselves has a place as well. Anything else shows its stack.
process.on('uncaughtException', (error) => {
  const ofFile = uncaughtInFile(error);
  reportError(printing(terminal), ofFile ?? error, { verbose: ofFile === undefined });
  process.exit(exitCodes.failed);
});

process.exitCode = await main(process.argv.slice(2), terminal);
