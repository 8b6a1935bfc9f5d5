import {
  isFloat,
  type ModelInput,
  type OutputType,
  type TensorData,
  type TensorType,
  tensorArrays,
} from '../../core/index.js';
import type { RawOutput } from '../session/declared-outputs.js';
import { converted, type ValueFacts } from '../session/metadata.js';

// The Open Inference Protocol, version 2, over HTTP, with the binary tensor data extension. Numbers are little-endian there, and on every
// machine that Node runs models on.

/** The protocol's name of each element type. */
const datatypes: Readonly<Record<OutputType, string>> = {
  float32: 'FP32',
  float64: 'FP64',
  float16: 'FP16',
  int64: 'INT64',
  int32: 'INT32',
  int16: 'INT16',
  int8: 'INT8',
  uint64: 'UINT64',
  uint32: 'UINT32',
  uint16: 'UINT16',
  uint8: 'UINT8',
  bool: 'BOOL',
  string: 'BYTES',
};

export interface InferInput {
  readonly name: string;
  readonly type: TensorType;
  readonly as?: ModelInput['as'] | undefined;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface InferRequest {
  readonly inputs: readonly InferInput[];
  /** The outputs to answer with. */
  readonly outputs: readonly string[];
  /** Whether numbers follow the JSON text as bytes. Otherwise they are in it. */
  readonly isBinary: boolean;
}

/** A request as it is sent: the parts of its body, and how many bytes of it are JSON, where numbers follow. */
export interface Encoded {
  readonly parts: readonly Uint8Array[];
  readonly jsonBytes: number | undefined;
}

/** Throws a plain error where a number has no JSON. */
export function encodeRequest({ inputs, outputs, isBinary }: InferRequest): Encoded {
  const numbers = inputs.map(bytesOf);
  const heads = inputs.map((input, i) => (isBinary ? binaryHead(input, numbers[i] as Uint8Array) : jsonHead(input)));
  const wanted = JSON.stringify(outputs.map((name) => ({ name, parameters: { binary_data: isBinary } })));
  const json = Buffer.from(`{"inputs":[${heads.join(',')}],"outputs":${wanted}}`);
  if (!isBinary) return { parts: [json], jsonBytes: undefined };
  return { parts: [json, ...numbers], jsonBytes: json.byteLength };
}

function bytesOf({ data, as }: InferInput): Uint8Array {
  const values = converted(data, as);
  if (Array.isArray(values)) return textBytes(values);
  const { buffer, byteOffset, byteLength } = values;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const datatypeOf = ({ type, as }: InferInput): string => datatypes[as ?? type];

const binaryHead = (input: InferInput, { byteLength }: Uint8Array): string =>
  JSON.stringify({
    ...{ name: input.name, shape: input.shape, datatype: datatypeOf(input) },
    parameters: { binary_data_size: byteLength },
  });

function jsonHead(input: InferInput): string {
  const { name, shape, data, as } = input;
  if ((data instanceof Float32Array || data instanceof Float64Array) && !data.every(Number.isFinite))
    throw new Error('a number of the row is not finite, and the server takes numbers as JSON only');
  const head = JSON.stringify({ name, shape, datatype: datatypeOf(input) });
  return `${head.slice(0, -1)},"data":[${valuesOf(data, as)}]}`;
}

/** So many digits tell float32 numbers apart. */
const FLOAT32_DIGITS = 9;

function valuesOf(data: TensorData, as: InferInput['as']): string {
  if (as === 'bool') return Array.from(data as Uint8Array, (flag) => flag !== 0).join(',');
  if (Array.isArray(data)) return data.map((text) => JSON.stringify(text)).join(',');
  if (data instanceof Float64Array) return Array.from(data, (value) => signed(value, `${value}`)).join(',');
  if (!(data instanceof Float32Array)) return data.join(',');
  // A float32 has up to 17 digits as a JavaScript number: half as many bytes to send, and to read.
  let text = '';
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    text += `${i === 0 ? '' : ','}${signed(value, value.toPrecision(FLOAT32_DIGITS))}`;
  }
  return text;
}

/** JavaScript writes a zero below zero without its sign. The point is for servers that read `-0` as an integer, of which there is one zero. */
const signed = (value: number, text: string): string => (Object.is(value, -0) ? '-0.0' : text);

/** Each text has its length in front of it, in 4 bytes. */
function textBytes(texts: readonly string[]): Uint8Array {
  const parts = texts.flatMap((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}

/** An answer of the server, whatever it says. */
export interface HttpAnswer {
  readonly status: number;
  /** How many bytes of the body are JSON, where the server says so. */
  readonly jsonBytes: number | undefined;
  readonly body: Buffer;
}

/** A server that does not keep to the protocol, or answers something else than it was asked. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

export interface Expected {
  readonly model: string;
  /** `undefined` where the server has no versions. */
  readonly version: string | undefined;
  /** By name, the types of the outputs that were asked for. */
  readonly outputs: ReadonlyMap<string, OutputType>;
  readonly rows: number;
}

/**
 * The outputs that were asked for, checked: the model and its version, the names, the types, the number of rows, and that there are as
 * many values as the shapes say.
 *
 * Throws `WrongAnswer`.
 */
export function decodeAnswer({ jsonBytes, body }: HttpAnswer, expected: Expected): Readonly<Record<string, RawOutput>> {
  const answer = jsonOf(body.subarray(0, jsonBytes ?? body.length)) as Partial<Answer> | null;
  const outputs = answer?.outputs;
  if (!Array.isArray(outputs)) throw new WrongAnswer('the answer has no outputs');
  checkModel(answer as Answer, expected);
  const decoded: Record<string, RawOutput> = {};
  let at = jsonBytes ?? body.length;
  for (const output of outputs) {
    const size = output?.parameters?.binary_data_size;
    const from = at;
    if (size !== undefined) at += lengthOf(size, body.length - at);
    const type = expected.outputs.get(`${output?.name}`);
    if (output == null || type === undefined) continue;
    const dims = shapeOf(output, type, expected.rows);
    const count = dims.reduce((product, axis) => product * axis, 1);
    const data = size === undefined ? fromJson(output.data, type) : fromBytes(body.subarray(from, at), type);
    if (data.length !== count)
      throw new WrongAnswer(`output '${output.name}' of shape [${dims.join(', ')}] has ${data.length} values`);
    decoded[`${output.name}`] = { dims, data };
  }
  for (const name of expected.outputs.keys())
    if (!Object.hasOwn(decoded, name)) throw new WrongAnswer(`the answer has no output '${name}'`);
  return decoded;
}

interface Answer {
  readonly model_name?: unknown;
  readonly model_version?: unknown;
  readonly outputs: readonly (Output | null | undefined)[];
}

interface Output {
  readonly name?: unknown;
  readonly datatype?: unknown;
  readonly shape?: unknown;
  readonly data?: unknown;
  readonly parameters?: { readonly binary_data_size?: unknown };
}

function checkModel({ model_name, model_version }: Answer, { model, version }: Expected): void {
  // Who says nothing of it is believed.
  if ((model_name ?? model) !== model) throw new WrongAnswer(`the model '${model_name}' answers`);
  if (version !== undefined && `${model_version ?? version}` !== version)
    throw new WrongAnswer(`version '${model_version}' of the model answers, not '${version}'`);
}

function lengthOf(size: unknown, left: number): number {
  if (Number.isSafeInteger(size) && (size as number) >= 0 && (size as number) <= left) return size as number;
  throw new WrongAnswer(`an output of ${size} bytes is announced, and ${left} bytes are there`);
}

function shapeOf({ name, datatype, shape }: Output, type: OutputType, rows: number): readonly number[] {
  if (datatype !== datatypes[type]) throw new WrongAnswer(`output '${name}' is ${datatype}, not ${datatypes[type]}`);
  const isShape = Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0);
  if (!isShape || shape[0] !== rows)
    throw new WrongAnswer(`output '${name}' has the shape [${shape}] for ${rows} rows`);
  return shape as number[];
}

const arrays = { ...tensorArrays, float16: Uint16Array, bool: Uint8Array } as const;
const LENGTH_BYTES = 4;

function fromBytes(bytes: Buffer, type: OutputType): RawOutput['data'] {
  if (type === 'string') return textsOf(bytes);
  const Values = arrays[type];
  if (bytes.length % Values.BYTES_PER_ELEMENT !== 0)
    throw new WrongAnswer(`${bytes.length} bytes are no whole number of ${datatypes[type]}`);
  // A copy: the bytes need not begin where such an array may.
  return new Values(new Uint8Array(bytes).buffer);
}

function textsOf(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const from = at + LENGTH_BYTES;
    const to = from <= bytes.length ? from + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (to > bytes.length) throw new WrongAnswer('a text is cut off');
    texts.push(bytes.toString('utf8', from, to));
    at = to;
  }
  return texts;
}

/** `null` is what JSON has in place of a number that is not finite. */
function fromJson(data: unknown, type: OutputType): RawOutput['data'] {
  if (!Array.isArray(data)) throw new WrongAnswer('an output has no data');
  const flat = (data as unknown[]).flat(Number.POSITIVE_INFINITY) as unknown[];
  if (type === 'string') {
    if (flat.every((value) => typeof value === 'string')) return flat;
    throw new WrongAnswer('an output has data that are no texts');
  }
  const isValue = (value: unknown) =>
    typeof value === 'number' ||
    (isFloat(type) || type === 'float64' ? value === null : type === 'bool' && typeof value === 'boolean');
  if (!flat.every(isValue)) throw new WrongAnswer('an output has data that are no numbers');
  const numbers = flat.map((value) => (value === null ? Number.NaN : Number(value)));
  return isFloat(type) ? Float32Array.from(numbers) : Float64Array.from(numbers);
}

export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new WrongAnswer(`the answer is no JSON: ${bytes.toString('utf8', 0, 80)}`);
  }
}

/** A model's description of its inputs and outputs. */
export interface RemoteFacts {
  readonly inputs: readonly ValueFacts[];
  readonly outputs: readonly ValueFacts[];
  /** The highest version; `undefined` where the server names none. */
  readonly version: string | undefined;
}

/** Reads the metadata of a model. Throws `WrongAnswer`. */
export function decodeMetadata(body: Buffer): RemoteFacts {
  const { inputs, outputs, versions } = (jsonOf(body) ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(inputs) || !Array.isArray(outputs))
    throw new WrongAnswer('the metadata of the model have no inputs and outputs');
  const [version] = (Array.isArray(versions) ? versions : []).map(String).sort((a, b) => Number(b) - Number(a));
  return { inputs: inputs.map(factsOf), outputs: outputs.map(factsOf), version };
}

const byDatatype = new Map(Object.entries(datatypes).map(([type, datatype]) => [datatype, type]));

function factsOf(value: unknown): ValueFacts {
  const { name, datatype, shape } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !Array.isArray(shape))
    throw new WrongAnswer('an input or output has no name or shape');
  const axes = shape.map((axis) => (Number(axis) < 0 ? '' : Number(axis)));
  return { name, isTensor: true, type: byDatatype.get(`${datatype}`) ?? `${datatype}`, shape: axes };
}

/** What an error answer says. */
export function errorText({ status, body }: HttpAnswer): string {
  const text = body.toString('utf8').trim();
  try {
    const { error, detail } = JSON.parse(text) as { error?: unknown; detail?: unknown };
    return `${status}: ${error ?? (detail === undefined ? text : JSON.stringify(detail))}`.slice(0, TEXT_MAX);
  } catch {
    return `${status}: ${text}`.slice(0, TEXT_MAX);
  }
}

const TEXT_MAX = 300;
