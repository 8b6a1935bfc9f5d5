import type { Prediction } from '../../schemas/prediction.v1.js';
import type { Load } from './side.js';

const airports = ['ATL', 'ORD', 'DFW', 'LAX', 'DEN', 'PHX', 'SFO', 'JFK'];

/** Made-up predictions, one of each offset. */
export function load(records: number): Load {
  const rows = Array.from({ length: records }, (_, index) => index);
  return {
    values: rows.map(
      (index): Prediction => ({
        flightId: index,
        origin: airports[index % airports.length] as string,
        destination: airports[(index * 5 + 3) % airports.length] as string,
        departedAt: 978_307_200_000 + index * 1_000,
        late: (index % 997) / 997,
        hourRate: (index % 89) / 89,
        lastClass: index % 2,
        majority: 0,
        modelVersion: `flight-delays/delay-model@${Math.floor(index / 1_000)}`,
        risk: index % 50 === 0 ? null : (index % 991) / 991,
        riskModel: 'sha256:3f1c9a60',
        degraded: null,
        featuresDigest: (index * 2_654_435_761).toString(16),
      }),
    ),
    origins: rows.map((index) => ({
      topic: 'flights.departed.v1',
      partition: 0,
      offset: index,
      eventTimeMs: 978_307_200_000 + index * 1_000,
      receivedAtMs: 0,
      key: null,
      raw: null,
      headers: undefined,
      order: index,
    })),
  };
}
