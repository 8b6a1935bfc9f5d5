import type { Schema } from '../../src/core/schema.js';
import { localRegistry, openCodec } from '../../src/schema/index.js';

/** Does some records and says how many they were. */
export type Work = () => number | Promise<number>;

/** Both directions of a format. */
export interface Ways {
  readonly encode: Work;
  readonly decode: Work;
}

/** A codec beside the library that would do its work otherwise. */
export interface Case {
  readonly name: string;
  /** The library, and what it is called for. */
  readonly raw: string;
  open(): Promise<{ readonly raw: Ways; readonly codec: Ways; close?(): Promise<void> }>;
}

const RECORDS = 200_000;

export interface OneByOne {
  encode(value: never): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** One payload a record: what lies in topics. */
export function oneByOne({ encode, decode }: OneByOne, values: readonly unknown[]): Ways {
  const payloads = values.map((value) => encode(value as never));
  const times = (count: number, each: (index: number) => unknown): number => {
    let kept: unknown;
    for (let index = 0; index < RECORDS; index++) kept = each(index % count);
    return kept === undefined ? 0 : RECORDS;
  };
  return {
    encode: () => times(values.length, (index) => encode(values[index] as never)),
    decode: () => times(payloads.length, (index) => decode(payloads[index] as Uint8Array)),
  };
}

/** Many records in one text, as libraries of files want them. */
export function inOneText(
  rows: readonly object[],
  toText: (rows: readonly object[]) => string,
  parse: (text: string) => unknown,
): Ways {
  const text = toText(rows);
  const times = (each: () => unknown): number => {
    let kept: unknown;
    for (let done = 0; done < RECORDS; done += rows.length) kept = each();
    return kept === undefined ? 0 : RECORDS;
  };
  return { encode: () => times(() => Buffer.from(toText(rows))), decode: () => times(() => parse(text)) };
}

export interface PayloadCase {
  readonly name: string;
  readonly raw: string;
  readonly schema: Schema<unknown>;
  readonly values: readonly unknown[];
  readonly by: () => Ways;
}

/** A case of which each record is a payload for the codec. */
export const payloadCase = ({ name, raw, schema, values, by }: PayloadCase): Case => ({
  name,
  raw,
  async open() {
    const codec = await openCodec(schema, localRegistry());
    return { raw: by(), codec: oneByOne(codec as OneByOne, values) };
  },
});
