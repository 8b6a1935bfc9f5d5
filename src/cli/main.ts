#!/usr/bin/env node
// libuv reads this once, before its first asynchronous call: chdb's queries each occupy one of these threads.
process.env.UV_THREADPOOL_SIZE ??= '16';

const { main } = await import('./program.js');
process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
