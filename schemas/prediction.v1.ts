import { avro } from '../src/schema/index.js';

/** What was believed about a flight when it departed. */
export interface Prediction {
  readonly flightId: number;
  readonly origin: string;
  readonly destination: string;
  /** Actual departure, milliseconds UTC. */
  readonly departedAt: number;
  /** Probability of arriving 15 minutes or more late, by the model that learns online. */
  readonly late: number;
  /** Baselines: the late share at this hour of the day, the last outcome known, the more frequent outcome. */
  readonly hourRate: number;
  readonly lastClass: number;
  readonly majority: number;
  /** Of the model behind `late`. */
  readonly modelVersion: string;
  /** The same probability by the ONNX model; null where no model answered. */
  readonly risk: number | null;
  /** Digest of the ONNX file. */
  readonly riskModel: string;
  /** Which link of the fallback chain answered; null for the first. */
  readonly degraded: string | null;
  /** Digest of the features that it was made from: for audits. */
  readonly featuresDigest: string;
}

export const PredictionV1 = avro<Prediction>({
  subject: 'predictions.v1-value',
  file: new URL('./prediction.v1.avsc', import.meta.url),
});
