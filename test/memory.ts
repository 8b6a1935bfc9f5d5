import type { InferenceService, Sink, Source } from '../src/core/index.js';

// What topologies that run on a `MemoryProfile` are made of.

/** A source of JSON in a topic of the profile. */
export const memorySource = <T>(
  topic: string,
  eventTimeOf: (value: T, timestampMs: number) => number,
  more: Partial<Source<T>> = {},
): Source<T> => ({
  connector: 'memory',
  kind: 'memory.source',
  topic,
  schema: { format: 'json', subject: topic, definition: undefined },
  settings: {},
  ...more,
  eventTimeOf: (value, timestampMs) => eventTimeOf(value as T, timestampMs),
});

/** A sink whose rows the profile keeps: see `MemoryProfile.outputOf`. */
export const memorySink = <T>(more: Partial<Sink<T>> = {}): Sink<T> => ({
  connector: 'memory',
  kind: 'memory.sink',
  settings: {},
  options: {},
  ...more,
});

/** For topologies without a model. */
export const noInference: InferenceService = {
  open: () => Promise.reject(new Error('there is no model here')),
  close: async () => undefined,
};
