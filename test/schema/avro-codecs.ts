import {
  type AvroOptions,
  avro,
  DecodeFailure,
  localRegistry,
  openCodec,
  type WireCodec,
} from '../../src/schema/index.js';

export const raw = (value: Uint8Array) => ({ offset: 0, timestampMs: 0, key: null, value });
export const record = (fields: readonly unknown[], more: object = {}) => ({
  type: 'record',
  name: 'Event',
  ...more,
  fields,
});
type Values = Pick<AvroOptions, 'long' | 'timestamp' | 'framing' | 'references'>;

export const open = (
  definition: unknown,
  values: Values = {},
  registry = localRegistry(),
): Promise<WireCodec<unknown>> =>
  openCodec(avro<unknown>({ subject: 's', definition: JSON.stringify(definition), ...values }), registry);

/** What a reader makes of a value that a writer with another schema wrote. */
export async function resolved(
  writer: unknown,
  reader: unknown,
  value: unknown,
  values: Values = {},
): Promise<unknown> {
  const registry = localRegistry();
  const bytes = (await open(writer, {}, registry)).encode(value);
  const codec = await open(reader, values, registry);
  await codec.prepare([raw(bytes)]);
  return codec.decode(bytes);
}

export const reasonOfResolved = async (writer: unknown, reader: unknown, value: unknown): Promise<string> => {
  try {
    await resolved(writer, reader, value);
  } catch (error) {
    if (error instanceof DecodeFailure) return error.reason;
    throw error;
  }
  return 'a value';
};
