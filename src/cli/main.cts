#!/usr/bin/env -S node --max-semi-space-size=64
// The flag gives records room to die young: with V8's 16 MiB a fifth of a busy run goes into collecting what is in flight.
//
// CommonJS on purpose. libuv reads this variable at its first asynchronous call, and Node 20 has made one before the
// first line of an ES module runs; chdb's queries each occupy one of these threads.
process.env.UV_THREADPOOL_SIZE ??= '16';

// A module that is imported here may wait for ever: Node ends with 0 then, and with 13 only where it is the entry itself.
const isUnsettled = () => {
  process.exitCode = 13;
};
process.once('beforeExit', isUnsettled);
import('./main.js').finally(() => process.off('beforeExit', isUnsettled));
