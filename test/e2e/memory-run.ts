import { topics } from '../../examples/flights/names.js';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import type { InferenceService } from '../../src/core/inference.js';
import { partitionOf } from '../../src/core/partition.js';
import { runTopology } from '../../src/runtime/index.js';
import { openCodec } from '../../src/schema/index.js';
import { MemoryProfile } from '../../src/testing/memory-profile.js';
import type { Topology } from '../../src/topology/index.js';
import type { ArrivedValue, DepartedValue } from './records.js';

export const PARTITIONS = 4;

/** A departure or an arrival, and the origin that it is keyed by. */
export interface Keyed<T> {
  readonly key: string;
  readonly value: T;
}

export interface Streams {
  /** In the order of their event times. */
  readonly departed: readonly Keyed<DepartedValue>[];
  readonly arrived: readonly Keyed<ArrivedValue>[];
}

/** What the predictions of every topology over the flights have in common. */
export interface FlightPrediction {
  readonly flightId: number;
  readonly departedAt: number;
  readonly late: number;
}

/** Runs a topology over streams with the real runtime, codecs and model, and a log in memory; predictions by flight. */
export async function predictionsOf(
  topology: Topology,
  { departed, arrived }: Streams,
  inference: InferenceService,
): Promise<ReadonlyMap<number, FlightPrediction>> {
  const profile = new MemoryProfile(PARTITIONS);
  const fill = async <T>(topic: string, codec: { encode(value: T): Uint8Array }, records: readonly Keyed<T>[]) => {
    for (const { key, value } of records) {
      const keyBytes = Buffer.from(key);
      profile.append(topic, partitionOf(keyBytes, PARTITIONS), [
        { key: keyBytes, value: codec.encode(value), timestampMs: 0 },
      ]);
    }
  };
  await fill(topics.departed, await openCodec(FlightDepartedV1, profile.schemas), departed);
  await fill(topics.arrived, await openCodec(FlightArrivedV1, profile.schemas), arrived);
  const running = await runTopology(topology, { profile, inference, bounded: true });
  await running.finished;
  const predictions = profile.outputOf('predictions').map(({ value }) => value as FlightPrediction);
  return new Map(predictions.map((prediction) => [prediction.flightId, prediction]));
}
