import { DecodeFailure } from '../failures.js';

/** How Protobuf's types become JavaScript's where there is a choice. */
export interface ProtobufValues {
  /**
   * `int64` and its kin: a `number`, which fails at 2^53 to write and to read rather than become another number, or a
   * `bigint`, which holds them all. `number` by default.
   */
  readonly long?: 'number' | 'bigint';
  /** `google.protobuf.Timestamp`: a `Date`, or the `number` of milliseconds; either way no finer. `date` by default. */
  readonly timestamp?: 'number' | 'date';
}

/** What a well-known type is in JavaScript, made from the message that it is on the wire. */
export interface WellKnown {
  fromMessage(message: Readonly<Record<string, unknown>>): unknown;
  /** `undefined` where the value is none of this type. */
  toMessage(value: unknown): Readonly<Record<string, unknown>> | undefined;
}

const wrapper: WellKnown = {
  fromMessage: ({ value }) => value,
  toMessage: (value) => ({ value }),
};

/** `Value`: any JSON. The members of its `oneof`, and what of JavaScript each is. */
const json: WellKnown = {
  fromMessage: ({ numberValue, stringValue, boolValue, structValue, listValue }) =>
    numberValue ?? stringValue ?? boolValue ?? structValue ?? listValue ?? null,
  toMessage(value) {
    switch (typeof value) {
      case 'number':
        return { numberValue: value };
      case 'string':
        return { stringValue: value };
      case 'boolean':
        return { boolValue: value };
      case 'object':
        if (value === null) return { nullValue: 'NULL_VALUE' };
        if (Array.isArray(value)) return { listValue: value };
        return isJsonObject(value) ? { structValue: value } : undefined;
      default:
        return undefined;
    }
  },
};

/** What has keys that can be read off it: a time, bytes or a `Map` would become an empty one. */
const isJsonObject = (value: object): boolean =>
  !(
    value instanceof Date ||
    value instanceof Map ||
    value instanceof Set ||
    ArrayBuffer.isView(value) ||
    Array.isArray(value)
  );

const struct: WellKnown = {
  fromMessage: ({ fields }) => fields,
  toMessage: (value) =>
    typeof value === 'object' && value !== null && isJsonObject(value) ? { fields: value } : undefined,
};

const list: WellKnown = {
  fromMessage: ({ values }) => values,
  toMessage: (value) => (Array.isArray(value) ? { values: value } : undefined),
};

const timestamp = (as: 'number' | 'date'): WellKnown => ({
  fromMessage({ seconds, nanos }) {
    const millis = Number(seconds) * 1_000 + Math.floor(Number(nanos) / 1_000_000);
    const date = new Date(millis);
    if (Number.isNaN(date.getTime())) throw new DecodeFailure('out-of-range', `a time of ${seconds} s`);
    return as === 'date' ? date : millis;
  },
  toMessage(value) {
    const millis = value instanceof Date ? value.getTime() : value;
    if (typeof millis !== 'number' || !Number.isSafeInteger(millis)) return undefined;
    const seconds = Math.floor(millis / 1_000);
    return { seconds, nanos: (millis - seconds * 1_000) * 1_000_000 };
  },
});

const wrapped = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'];

/** The well-known types that are something better than a message in JavaScript, by full name. */
export const wellKnown = (values: ProtobufValues): ReadonlyMap<string, WellKnown> =>
  new Map<string, WellKnown>([
    ['google.protobuf.Timestamp', timestamp(values.timestamp ?? 'date')],
    ['google.protobuf.Value', json],
    ['google.protobuf.Struct', struct],
    ['google.protobuf.ListValue', list],
    ...wrapped.map((name): [string, WellKnown] => [`google.protobuf.${name}Value`, wrapper]),
  ]);

/** Types that a timestamp is made of are numbers whatever `long` says. */
export const TIMESTAMP = 'google.protobuf.Timestamp';
