import { kafka as specs } from '../../connectors/kafka/index.js';
import { openKafka } from '../../connectors/kafka/open.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import type { InferenceService, Profile } from '../../src/core/index.js';
import { millis } from '../../src/core/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry } from '../../src/schema/index.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';
import type { Run } from '../pairs.js';
import { topics, Window, type Work, type WorkOrder } from './task.js';

const deadLetters = specs.deadLetterSink({ topic: 'bench.dead' });

const topologies: Readonly<Record<Work, Topology>> = {
  'pass-through': topology('pass-through', { deadLetters }, (t) => {
    const departed = t.source(
      'departed',
      specs.source({ topic: topics.departed, schema: FlightDepartedV1, eventTime: (flight) => flight.departedAt }),
    );
    departed.to(
      'copies',
      specs.sink({ topic: topics.copies, schema: FlightDepartedV1, key: (flight) => flight.origin ?? '' }),
    );
  }),
  // Of the sinks only the topic of predictions: the question is Kafka.
  flights: {
    ...flightDelays,
    deadLetters,
    metrics: [],
    sinks: flightDelays.sinks.filter(({ id }) => id === 'predictions'),
  },
};

export async function runByEngine(order: WorkOrder, inference: InferenceService): Promise<Run> {
  const { broker, work, run, intervalMs } = order;
  const schemas = localRegistry();
  const kafka = await openKafka({ brokers: [broker], registry: schemas });
  const profile: Profile = {
    name: 'bench',
    sources: { kafka: kafka.source },
    sinks: { kafka: kafka.topicSink },
    openLedger: (task) => kafka.openLedger(task),
    schemas,
    close: () => kafka.close(),
  };
  const window = new Window();
  try {
    const running = await runTopology(
      { ...topologies[work], name: `bench-${work}-${run}` },
      {
        profile,
        inference,
        bounded: true,
        epochInterval: millis(intervalMs),
        onPoint: () => window.begin(),
        onWarning: (message) => process.stderr.write(`${message}\n`),
      },
    );
    await running.finished;
    const read = running.snapshot().counters.filter(({ name }) => name === 'read');
    return window.end(read.reduce((sum, { value }) => sum + value, 0));
  } finally {
    await profile.close();
  }
}
