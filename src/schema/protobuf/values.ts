import { DecodeFailure } from '../failures.js';

/** The JavaScript types of Protobuf's types, where there is a choice. */
export interface ProtobufValues {
  /**
   * `int64`, `uint64`, `sint64`, `fixed64`, `sfixed64`: a `number`, which fails from 2^53 instead of becoming another number, or a
   * `bigint`, which is always exact. `number` by default.
   */
  readonly long?: 'number' | 'bigint';
  /** `google.protobuf.Timestamp`: a `Date`, or a `number` of milliseconds. Both truncate to milliseconds. `date` by default. */
  readonly timestamp?: 'number' | 'date';
}

/** Converts a well-known type between its message and its value in JavaScript. */
export interface WellKnown {
  fromMessage(message: Readonly<Record<string, unknown>>): unknown;
  /** `undefined` if the value has another type. */
  toMessage(value: unknown): Readonly<Record<string, unknown>> | undefined;
}

const wrapper: WellKnown = {
  fromMessage: ({ value }) => value,
  toMessage: (value) => ({ value }),
};

/** `Value` is any JSON: the members of its `oneof` with their JavaScript types. */
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

/** A plain object. A `Date`, bytes or a `Map` has no own keys and would become an empty object. */
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

/** The well-known types that are not objects in JavaScript, by full name. */
export const wellKnown = (values: ProtobufValues): ReadonlyMap<string, WellKnown> =>
  new Map<string, WellKnown>([
    ['google.protobuf.Timestamp', timestamp(values.timestamp ?? 'date')],
    ['google.protobuf.Value', json],
    ['google.protobuf.Struct', struct],
    ['google.protobuf.ListValue', list],
    ...wrapped.map((name): [string, WellKnown] => [`google.protobuf.${name}Value`, wrapper]),
  ]);

/** The fields of a timestamp are numbers, whatever `long` is. */
export const TIMESTAMP = 'google.protobuf.Timestamp';
