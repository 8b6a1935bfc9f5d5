import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread of the module `name` beside `from`, the `import.meta.url` of who starts it. Compiled code starts its
 * compiled sibling; sources (tests, tsx) register tsx in the thread and start the source.
 *
 * @example
 * const worker = startThread(import.meta.url, 'worker', { name: 'millrace-inference' });
 */
export function startThread(from: string, name: string, options: WorkerOptions): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, from), options);
  const entry = JSON.stringify(new URL(`./${name}.ts`, from).href);
  // `--import tsx` has no effect on the entry of a thread; tsx's hooks want `data` to be there.
  const start = `require('node:module').register('tsx/esm', ${entry}, { data: {} }); import(${entry});`;
  return new Worker(start, { ...options, eval: true });
}
