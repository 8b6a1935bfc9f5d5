import { jsonSchema } from '../src/schema/index.js';

/** What a sensor has measured. Key: the sensor. */
export interface Reading {
  readonly sensor: string;
  /** Milliseconds UTC. */
  readonly measuredAt: number;
  /** Null where it has failed. */
  readonly celsius: number | null;
  readonly quality: 'good' | 'doubtful';
}

export const ReadingV1 = jsonSchema<Reading>({
  subject: 'readings.v1-value',
  file: new URL('./reading.v1.schema.json', import.meta.url),
});
