#!/usr/bin/env node
// CommonJS on purpose. libuv reads this variable at its first asynchronous call, and Node 20 has made one before the
// first line of an ES module runs; chdb's queries each occupy one of these threads.
process.env.UV_THREADPOOL_SIZE ??= '16';

import('./main.js');
