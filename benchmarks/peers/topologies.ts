import { kafka } from '../../connectors/kafka/index.js';
import type { TopicSinkOptions } from '../../connectors/kafka/topic-options.js';
import { type Adds, type FeatureVector, hours, millis, stateful } from '../../src/core/index.js';
import { ftrl, logisticRegression } from '../../src/ml/index.js';
import { dedupe, featurize, infer, map } from '../../src/operators/index.js';
import { bytes, json } from '../../src/schema/index.js';
import { mapCell } from '../../src/state/index.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { withField } from '../../src/util/literals.js';
import { q0, q1, q2, q3, q5, q8 } from '../../topologies/nexmark/index.js';
import { type FlightPrediction, type FlightRecord, peerFeatures } from './flights.js';
import type { Input, Order } from './order.js';

const untouched = bytes({ subject: 'untouched' });
const nexmark = { q0, q1, q2, q3, q5, q8 } as const;
const deadLetters = kafka.deadLetterSink({ topic: 'bench.dead' });

/** The work of an order as a topology. */
export function topologyOf({ work, name, inputs, output, model }: Order): Topology {
  const input = (inputs[0] as Input).topic;
  switch (work) {
    case 'pass-through':
      return topology(name, { deadLetters }, (t) => {
        t.source('in', kafka.source({ topic: input, schema: untouched })).to(
          'out',
          kafka.sink({ topic: output, schema: untouched }),
        );
      });
    case 'count':
      return topology(name, { deadLetters }, (t) => {
        t.source('in', kafka.source({ topic: input, schema: untouched }))
          .via('count', countByKey())
          .to('out', kafka.sink({ topic: output, schema: untouched }));
      });
    case 'flights':
      return topology(name, { deadLetters }, (t) => {
        const flights = json<FlightRecord>({ subject: 'flights' });
        t.source('in', kafka.source({ topic: input, schema: flights, eventTime: (f) => f.departedAt }))
          .via('dedupe', dedupe({ key: (f) => f.flightId, retention: hours(24), keysMax: 1_000_000 }))
          .via('features', featurize(peerFeatures))
          .via('delay-model', predictThenLearn())
          .via('risk', infer({ model, as: 'risk', batchMax: 256, waitMax: millis(50), providers: ['cpu'] }))
          .via(
            'prediction',
            map(
              ({ flightId, origin, destination, departedAt, late, risk }): FlightPrediction => ({
                flightId,
                origin,
                destination,
                departedAt,
                late,
                risk: risk.score,
              }),
            ),
          )
          .to(
            'out',
            kafka.sink({ topic: output, schema: json<FlightPrediction>({ subject: 'out' }), key: (p) => p.origin }),
          );
      });
    default:
      return renamed(nexmark[work], name, output);
  }
}

/** The same topology under another name, with an output of its own. */
function renamed(query: Topology, name: string, topic: string): Topology {
  const sinks = query.sinks.map((node) => {
    const options: TopicSinkOptions = { ...(node.sink.options as TopicSinkOptions), topic };
    return { ...node, sink: { ...node.sink, options } };
  });
  return { ...query, name, sinks };
}

/** Passes every new count of the record's key on: 64 bits, big-endian, as Java's serializer writes them. */
function countByKey() {
  return stateful<Uint8Array, Uint8Array, { counts: ReturnType<typeof mapCell<string, number>> }>({
    kind: 'count-by-key',
    cells: { counts: mapCell<string, number>() },
    open: ({ counts }) => ({
      onRecord(_input, _value, emit, origin) {
        const key = Buffer.from(origin.key as Uint8Array).toString();
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        const value = Buffer.allocUnsafe(8);
        value.writeUInt32BE(Math.floor(count / 2 ** 32), 0);
        value.writeUInt32BE(count >>> 0, 4);
        emit(value);
      },
    }),
  });
}

type Featured = FlightRecord & { readonly features: FeatureVector };

/** Predicts each flight by what was learnt before it, then learns what became of it. */
function predictThenLearn() {
  const learner = logisticRegression({ optimizer: ftrl({ alpha: 0.2 }) });
  const cells = learner.cells(peerFeatures.shape);
  return stateful<Featured, Adds<{ readonly late: number }>, typeof cells>({
    kind: 'predict-then-learn',
    cells,
    open: (opened) => {
      const model = learner.open(opened, peerFeatures.shape);
      return {
        onRecord(_input, flight, emit) {
          const late = model.predictOne(flight.features);
          model.learnOne(flight.features, flight.delayMinutes >= 15);
          emit(withField(flight, 'late', late));
        },
      };
    },
  });
}
