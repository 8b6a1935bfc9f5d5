import { MillraceError } from '../../src/core/errors.js';
import { serveCalls } from '../../src/util/worker-thread.js';

/** What the thread of worker-thread.test.ts is asked. */
export interface Calculations {
  sum: {
    readonly ask: Float64Array<ArrayBuffer>;
    readonly answer: { readonly sum: number; readonly numbers: Float64Array };
  };
  data: { readonly ask: undefined; readonly answer: unknown };
  wait: { readonly ask: number; readonly answer: number };
  refuse: { readonly ask: 'known' | 'unknown'; readonly answer: never };
  die: { readonly ask: 'throw' | 'exit' | 'memory'; readonly answer: never };
  hang: { readonly ask: { readonly forMs: number; readonly working: boolean }; readonly answer: undefined };
  finish: { readonly ask: undefined; readonly answer: undefined };
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

serveCalls<Calculations>(
  ({ data, onProgress }) => ({
    sum(numbers, transfer) {
      transfer(numbers.buffer);
      return { sum: numbers.reduce((sum, each) => sum + each, 0), numbers };
    },
    data: () => data,
    async wait(ms) {
      await later(ms);
      return ms;
    },
    refuse(what) {
      if (what === 'unknown') throw new RangeError('out of range');
      throw new MillraceError('state', 'no such row', { where: 'row 7', hint: 'look elsewhere', permanent: true });
    },
    async die(how) {
      if (how === 'exit') process.exit(3);
      if (how === 'throw') setImmediate(() => fall());
      const kept: number[][] = [];
      while (how === 'memory') kept.push(Array.from({ length: 100_000 }, Math.random));
      return later(60_000) as Promise<never>;
    },
    hang({ forMs, working }) {
      for (const endMs = Date.now() + forMs; Date.now() < endMs; ) if (working) onProgress();
      return undefined;
    },
    finish: () => undefined,
  }),
  { code: 'sink', last: 'finish' },
);

function fall(): never {
  throw new Error('it fell');
}
