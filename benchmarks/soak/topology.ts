import { redis } from '../../connectors/redis/index.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { hours } from '../../src/core/index.js';
import type { Topology } from '../../src/topology/index.js';
import { flightDelays } from '../../topologies/flight-delays.js';

export const PARTITIONS = 4;

export const topics = {
  departed: 'flights.departed.v1',
  arrived: 'flights.arrived.v1',
  predictions: 'predictions.v1',
  dead: 'flights.dead',
} as const;

/** Where the newest prediction of some flights of an airport lies: some hundred thousand hashes, however long it runs. */
export const slotOf = ({ origin, flightId }: { readonly origin: string; readonly flightId: number }): string =>
  `slot:${origin}:${flightId % 500}`;

/** The flights as they are, but for the keys in Redis, which would be one a flight. */
export const soak: Topology = {
  ...flightDelays,
  name: 'soak',
  sinks: flightDelays.sinks.map((node) =>
    node.id === 'online'
      ? { ...node, sink: redis.hashSink<Prediction>({ key: slotOf, ttl: hours(24) }) as typeof node.sink }
      : node,
  ),
};
