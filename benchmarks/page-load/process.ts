import { setTimeout as pause } from 'node:timers/promises';
import { kafka } from '../../connectors/kafka/index.js';
import type { Profile } from '../../src/core/index.js';
import { json, map, topology } from '../../src/index.js';
import { transform } from '../../src/operator.js';
import { runTopology } from '../../src/runtime/index.js';
import { serveMonitoring } from '../../src/server/http.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import { noInference } from '../../test/memory.js';

// The process that is looked at: STEPS TASKS MEASURES. Says where its page is, and answers each line of its input with its memory.

const [steps = 300, tasks = 64, measures = 200] = process.argv.slice(2).map(Number);
/** Steps of a chain, from the source to a sink. */
const CHAIN = 30;
/** A task gets a record for each chain so often. */
const RECORD_MS = 250;

interface Event {
  readonly n: number;
}

/** Measures the number of each record. */
const gauge = transform<Event, Event>({
  kind: 'gauge',
  open: (context) => (event, emit) => {
    context.measure('n', event.n, event.n);
    emit(event);
  },
});

const same = map((event: Event) => event);

const large = topology('large', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const events = t.source(
    'events',
    kafka.source<Event>({ topic: 'events', schema: json<Event>(), eventTime: ({ n }) => n }),
  );
  for (let chain = 0; chain * CHAIN < steps; chain++) {
    let stream = events;
    for (let step = chain * CHAIN; step < Math.min(steps, (chain + 1) * CHAIN); step++)
      stream = stream.via(`step-${step}`, step < measures ? gauge : same);
    stream.to(`sink-${chain}`, kafka.sink({ topic: `out-${chain}`, schema: json<Event>() }));
  }
});

/** Records without end, and sinks that keep nothing. */
const memory = new MemoryProfile(tasks);
const encoder = new TextEncoder();
const profile: Profile = {
  name: 'endless',
  schemas: memory.schemas,
  openLedger: (task) => memory.openLedger(task),
  close: () => memory.close(),
  sources: {
    kafka: {
      partitions: async () => tasks,
      async open() {
        let offset = 0;
        return {
          async poll() {
            await pause(RECORD_MS);
            const value = encoder.encode(JSON.stringify({ n: offset }));
            return { records: [{ key: null, value, timestampMs: offset, offset: offset++ }], ended: false };
          },
          close: async () => undefined,
        };
      },
    },
  },
  sinks: {
    kafka: {
      mode: 'transactional',
      open: async () => ({ write: () => undefined, close: async () => undefined }),
    },
  },
};

const running = await runTopology(large, { profile, inference: noInference });
const { url } = await serveMonitoring({
  ...{ host: '127.0.0.1', port: 0, token: undefined, topology: large, profile: 'embedded', running },
  isReady: () => true,
});
console.log(url);
for await (const _ of process.stdin) {
  // What the first collection finalizes, the second frees.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await pause(0);
  }
  console.log(process.memoryUsage().heapUsed);
}
process.exit();
