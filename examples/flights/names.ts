// What the demo, its report and `topologies/flight-delays.ts` must agree on, in one place.

export const topologyName = 'flight-delays';

export const topics = { departed: 'flights.departed.v1', arrived: 'flights.arrived.v1' } as const;
export type Side = keyof typeof topics;
export const sides: readonly Side[] = ['departed', 'arrived'];

export const partitions = 4;

export const tables = { predictions: 'predictions', arrivals: 'arrivals', metrics: 'metrics' } as const;

/** Steps through which the records of each topic pass, its source first: whose counters speak of which topic. */
export const stepsOf: Readonly<Record<Side, readonly string[]>> = {
  departed: ['departed', 'dedupe', 'validate', 'impute', 'features', 'delay-model', 'risk', 'prediction'],
  arrived: ['arrived', 'dedupe-arrived', 'validate-arrived'],
};

/** Counters of the metrics table: the step that counts, and the counter's name after the prefix. */
export const counterPrefix = 'counter:';
export const counters = {
  read: [['departed', 'read']],
  tombstones: [['departed', 'tombstones']],
  duplicates: [['dedupe', 'duplicates']],
  imputed: [['impute', 'imputed']],
  labelsRead: [['arrived', 'read']],
  labelTombstones: [['arrived', 'tombstones']],
  labelDuplicates: [
    ['dedupe-arrived', 'duplicates'],
    ['delay-model', 'duplicate_labels'],
  ],
  learned: [['delay-model', 'learned']],
  unmatched: [['delay-model', 'unmatched']],
} as const satisfies Record<string, readonly (readonly [step: string, counter: string])[]>;

/** A counter `dead:<reason>` counts the dead letters of a step. */
export const deadPrefix = 'dead:';

/** Reasons with which the corruption is expected among the dead letters. */
export const reasons = {
  truncated: 'truncated',
  notWireFormat: 'not-wire-format',
  schemaIdUnknown: 'schema-id-unknown',
  nullOrigin: 'null:origin',
  nullDestination: 'null:destination',
  distance: 'range:distance',
  stale: 'stale',
  delay: 'range:delayMinutes',
} as const;

/** Delays outside are absurd: the lowest honest one of the data is -90 minutes, the highest 1,688. */
export const delayRangeMinutes = { min: -180, max: 2_000 } as const;

/** A flight is late from here on: the rule of the US Department of Transportation. */
export const lateFromMinutes = 15;

/** The `risk` model was trained on flights before this moment: it is judged on later ones only. */
export const riskJudgedFromMs = Date.UTC(2001, 0, 15);
