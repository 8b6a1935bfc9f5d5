import type { Services } from '../../src/core/operator.js';
import { BEFORE_ALL_MS, type Origin } from '../../src/core/record.js';
import type { SinkWriter } from '../../src/core/sink.js';
import type { Round, Share } from '../../src/runtime/merge.js';
import { PendingOperations } from '../../src/runtime/pending-operations.js';
import { Pipeline } from '../../src/runtime/pipeline.js';
import type { StepOutputs } from '../../src/runtime/steps.js';
import { TaskState } from '../../src/runtime/task-state.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import type { FlightEvent } from './flight-events.js';

/** The last step that counts here. */
const LAST = 'delay-model';

const upToLearn = {
  ...flightDelays,
  sinks: [],
  steps: flightDelays.steps.slice(0, flightDelays.steps.findIndex(({ id }) => id === LAST) + 1),
};

const nowhere: SinkWriter = { write: () => undefined, close: async () => undefined };

/** A piece of the merged order as the runtime pushes it: reading and decoding have been done. */
export type PreparedRound = Round;

const topics = flightDelays.sources.map(({ source }) => source.topic);

/** The round of these events, which follow `offset` others. */
export function roundOf(events: readonly FlightEvent[], task: number, offset: number): PreparedRound {
  const share = (): Share => ({ values: [], origins: [], unusable: [] });
  const shares = [share(), share()] as const;
  events.forEach((event, order) => {
    const input = event.departed ? 0 : 1;
    shares[input].values.push(event.departed ?? event.arrived);
    shares[input].origins.push(originOf(topics[input] ?? '', task, offset + order, event.timeMs, order));
  });
  return { shares, records: events.length, bytes: 0, ticks: [] };
}

const originOf = (topic: string, partition: number, offset: number, eventTimeMs: number, order: number): Origin => ({
  topic,
  partition,
  offset,
  eventTimeMs,
  receivedAtMs: eventTimeMs,
  key: null,
  raw: null,
  headers: undefined,
  order,
});

/** One task of the flights topology from dedupe to learn, in the engine's own pipeline. */
export interface FlightsTask {
  push(round: PreparedRound): void;
  /** What an epoch would write of the task's state; returns its size in bytes. */
  takeChanges(): number;
  /** Milliseconds inside each step so far. */
  readonly busyMs: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export async function openFlightsTask(task: number): Promise<FlightsTask> {
  const state = new TaskState([]);
  const outputs: StepOutputs = { deadLetters: [], metrics: [] };
  const pipeline = await Pipeline.open({
    topology: upToLearn,
    task,
    counters: state.counters,
    state,
    services: {} as Services,
    writers: new Map(),
    deadLetters: nowhere,
    outputs,
    waits: new PendingOperations(),
    latencies: new Map(),
    watermarkMs: BEFORE_ALL_MS,
    now: () => 0,
    fine: () => performance.now(),
  });
  return {
    push: (round) => pipeline.push(round),
    takeChanges() {
      outputs.metrics.length = 0;
      return state.takeChanges().reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
    },
    busyMs: pipeline.busyMs,
    close: () => pipeline.close(),
  };
}
