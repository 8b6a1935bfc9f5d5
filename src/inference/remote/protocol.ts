import type { TensorData, TensorType } from '../../core/index.js';
import type { ValueFacts } from '../session/metadata.js';

// The Open Inference Protocol, version 2, over HTTP, with the binary tensor data extension. Numbers are little-endian there, and on every
// machine that Node runs models on.

/** The protocol's name of each element type. */
const datatypes: Readonly<Record<TensorType, string>> = {
  float32: 'FP32',
  int64: 'INT64',
  int32: 'INT32',
  uint8: 'UINT8',
};

export interface InferInput {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface InferRequest {
  readonly inputs: readonly InferInput[];
  /** The output to answer with. */
  readonly output: string;
  /** Whether numbers follow the JSON text as bytes. Otherwise they are in it. */
  readonly isBinary: boolean;
}

/** A request as it is sent: the parts of its body, and how many bytes of it are JSON, where numbers follow. */
export interface Encoded {
  readonly parts: readonly Uint8Array[];
  readonly jsonBytes: number | undefined;
}

/** Throws a plain error where a number has no JSON. */
export function encodeRequest({ inputs, output, isBinary }: InferRequest): Encoded {
  const heads = inputs.map((input) => (isBinary ? binaryHead(input) : jsonHead(input)));
  const wanted = JSON.stringify([{ name: output, parameters: { binary_data: isBinary } }]);
  const json = Buffer.from(`{"inputs":[${heads.join(',')}],"outputs":${wanted}}`);
  if (!isBinary) return { parts: [json], jsonBytes: undefined };
  return { parts: [json, ...inputs.map(({ data }) => bytesOf(data))], jsonBytes: json.byteLength };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TensorData) => new Uint8Array(buffer, byteOffset, byteLength);

const binaryHead = ({ name, shape, type, data }: InferInput): string =>
  JSON.stringify({ name, shape, datatype: datatypes[type], parameters: { binary_data_size: data.byteLength } });

function jsonHead({ name, shape, type, data }: InferInput): string {
  if (data instanceof Float32Array && !data.every(Number.isFinite))
    throw new Error('a number of the row is not finite, and the server takes numbers as JSON only');
  const head = JSON.stringify({ name, shape, datatype: datatypes[type] });
  return `${head.slice(0, -1)},"data":[${data.join(',')}]}`;
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
  readonly output: string;
  readonly rows: number;
}

export interface DecodedOutput {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/**
 * The output that was asked for, checked: the model and its version, the name, the type, the number of rows, and that there are as many
 * numbers as the shape says.
 *
 * Throws `WrongAnswer`.
 */
export function decodeAnswer({ jsonBytes, body }: HttpAnswer, expected: Expected): DecodedOutput {
  const answer = jsonOf(body.subarray(0, jsonBytes ?? body.length)) as Partial<Answer> | null;
  const outputs = answer?.outputs;
  if (!Array.isArray(outputs)) throw new WrongAnswer('the answer has no outputs');
  checkModel(answer as Answer, expected);
  let at = jsonBytes ?? body.length;
  for (const output of outputs) {
    const size = output?.parameters?.binary_data_size;
    const from = at;
    if (size !== undefined) at += lengthOf(size, body.length - at);
    if (output?.name !== expected.output) continue;
    const dims = shapeOf(output, expected.rows);
    const count = dims.reduce((product, axis) => product * axis, 1);
    const data = size === undefined ? numbersOf(output.data) : floatsOf(body.subarray(from, at));
    if (data.length !== count)
      throw new WrongAnswer(`output '${output.name}' of shape [${dims.join(', ')}] has ${data.length} numbers`);
    return { dims, data };
  }
  throw new WrongAnswer(`the answer has no output '${expected.output}'`);
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

function shapeOf({ name, datatype, shape }: Output, rows: number): readonly number[] {
  if (datatype !== datatypes.float32) throw new WrongAnswer(`output '${name}' is ${datatype}, not FP32`);
  const isShape = Array.isArray(shape) && shape.every((axis) => Number.isSafeInteger(axis) && axis >= 0);
  if (!isShape || shape[0] !== rows)
    throw new WrongAnswer(`output '${name}' has the shape [${shape}] for ${rows} rows`);
  return shape as number[];
}

function floatsOf(bytes: Buffer): Float32Array {
  if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0)
    throw new WrongAnswer(`${bytes.length} bytes are no whole number of FP32`);
  // A copy: the bytes need not begin where an array of floats may.
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** `null` is what JSON has in place of a number that is not finite. */
function numbersOf(data: unknown): Float32Array {
  if (!Array.isArray(data)) throw new WrongAnswer('an output has no data');
  const flat = (data as unknown[]).flat(Number.POSITIVE_INFINITY) as unknown[];
  if (!flat.every((value) => typeof value === 'number' || value === null))
    throw new WrongAnswer('an output has data that are no numbers');
  return Float32Array.from(flat as (number | null)[], (value) => value ?? Number.NaN);
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
